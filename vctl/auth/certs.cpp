#include "auth/certs.hpp"

#include <ostream>
#include <utility>
#include <vector>

#include "auth/certificate_home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

using Purpose = IssuedCertificate::Purpose;

const char* state_of(const IssuedCertificate& issued, Timestamp now) {
  if (issued.revoked_at) return "revoked";
  if (issued.certificate.not_after <= now) return "expired";
  if (now < issued.certificate.not_before) return "not yet valid";
  return issued.is_current ? "valid" : "replaced";
}

Json document(const IssuedCertificate& issued, Timestamp now) {
  const Certificate& certificate = issued.certificate;
  Json out(Json::Object{{"name", certificate.common_name},
                        {"purpose", to_string(issued.purpose)},
                        {"serial", certificate.serial},
                        {"not_before", format_timestamp(certificate.not_before)},
                        {"not_after", format_timestamp(certificate.not_after)},
                        {"state", state_of(issued, now)},
                        {"fingerprint", certificate.fingerprint},
                        {"key_fingerprint", certificate.key_fingerprint},
                        {"hosts", Json::strings(certificate.hosts)}});
  if (issued.revoked_at) out.set("revoked_at", format_timestamp(*issued.revoked_at));
  return out;
}

Result<CommonName> parse_name(const std::string& text) {
  auto name = CommonName::parse(text);
  if (!name) return name.error().at("NAME");
  return name;
}

/// Whether a name is that of another platform's agent.
Result<bool> is_requested(const CertificateAuthority& authority, const CommonName& name) {
  const auto all = authority.list();
  if (!all) return all.error();
  for (const IssuedCertificate& issued : *all) {
    if (issued.certificate.common_name == name.text()) return issued.purpose == Purpose::kRequested;
  }
  return false;
}

}  // namespace

int certs_init(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto authority = open_or_create_authority(*home);
  if (!authority) return fail(context, authority.error());
  IssuedCertificate root;
  root.certificate = authority->root();
  root.purpose = Purpose::kRoot;
  root.is_current = true;
  const std::string path = authority->root_path().string();
  if (context.options.json) {
    print_document(context, Json::Object{{"root", document(root, context.env.clock())}, {"path", path}});
  } else {
    context.env.out << "root         " << printable(root.certificate.common_name) << '\n'
                    << "file         " << printable(path) << '\n'
                    << "fingerprint  " << root.certificate.fingerprint << '\n'
                    << "until        " << format_timestamp(root.certificate.not_after) << '\n';
  }
  return kExitDone;
}

int certs_list(const Context& context) {
  const auto authority = open_authority(context);
  if (!authority) return fail(context, authority.error());
  std::vector<std::string> warnings;
  const auto all = authority->list(&warnings);
  if (!all) return fail(context, all.error());

  const Timestamp now = context.env.clock();
  std::vector<Row> rows{{"NAME", "PURPOSE", "SERIAL", "UNTIL", "STATE"}};
  Json::Array documents;
  for (const IssuedCertificate& issued : *all) {
    rows.push_back({issued.certificate.common_name, std::string(to_string(issued.purpose)),
                    issued.certificate.serial, format_timestamp(issued.certificate.not_after),
                    state_of(issued, now)});
    documents.push_back(document(issued, now));
  }
  if (context.options.json) {
    print_document(context, Json::Object{{"certificates", std::move(documents)}});
  } else {
    context.env.out << format_table(rows);
  }
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

int certs_create(const CertsCreateOptions& options, const Context& context) {
  const auto name = parse_name(options.name);
  if (!name) return fail(context, name.error());
  auto authority = open_authority(context);
  if (!authority) return fail(context, authority.error());
  if (!name->within(authority->instance())) {
    return fail(
        context,
        Error{ErrorCode::kInvalidArgument,
              "must begin with the name of this instance, \"" + authority->instance() + ".\"", "NAME"});
  }
  std::vector<std::string> warnings;
  const EditNote note = edit_note(context);
  const auto files = options.hosts ? authority->server_certificate(*name, *options.hosts, note, &warnings)
                                   : authority->client_certificate(*name, note, &warnings);
  if (!files) return fail(context, files.error());
  if (context.options.json) {
    print_document(context, Json::Object{{"certificate", files->certificate.string()},
                                         {"key", files->key.string()},
                                         {"authority", files->authority.string()}});
  } else {
    context.env.out << "certificate  " << printable(files->certificate.string()) << '\n'
                    << "key          " << printable(files->key.string()) << '\n'
                    << "authority    " << printable(files->authority.string()) << '\n';
  }
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

int certs_renew(const CertsRenewOptions& options, const Context& context) {
  const auto name = parse_name(options.name);
  if (!name) return fail(context, name.error());
  auto authority = open_authority(context);
  if (!authority) return fail(context, authority.error());
  using Key = CertificateAuthority::Key;
  std::vector<std::string> warnings;
  const auto renewed =
      authority->renew(*name, options.with_new_key ? Key::kNew : Key::kKeep, edit_note(context), &warnings);
  if (!renewed) return fail(context, renewed.error());
  if (context.options.json) {
    print_document(context, Json::Object{{"renewed", document(*renewed, context.env.clock())}});
  } else {
    context.env.out << "renewed " << printable(name->text()) << " until "
                    << format_timestamp(renewed->certificate.not_after) << " (serial "
                    << renewed->certificate.serial << ")\n";
  }
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

int certs_revoke(const CertsName& options, const Context& context) {
  const auto name = parse_name(options.name);
  if (!name) return fail(context, name.error());
  auto authority = open_authority(context);
  if (!authority) return fail(context, authority.error());
  const auto requested = is_requested(*authority, *name);
  if (!requested) return fail(context, requested.error());
  if (*requested) {
    return fail(context, Error{ErrorCode::kConflict,
                               "\"" + name->text() +
                                   "\" is an agent of another platform, who must leave the broker as well: "
                                   "vctl auth remote deny " +
                                   name->text(),
                               ""});
  }
  std::vector<std::string> warnings;
  if (auto revoked = authority->revoke(*name, edit_note(context), &warnings); !revoked)
    return fail(context, revoked.error());
  if (context.options.json) {
    print_document(context, Json::Object{{"revoked", name->text()}});
  } else {
    context.env.out << "revoked " << printable(name->text()) << '\n';
  }
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

int certs_crl(const CertsCrlOptions& options, const Context& context) {
  auto authority = open_authority(context);
  if (!authority) return fail(context, authority.error());
  const auto list = authority->revocation_list();
  if (!list) return fail(context, list.error());
  const std::string folder = authority->revocation_folder().string();
  const std::string path =
      (authority->revocation_folder() / (authority->instance() + "-root-ca.crl.pem")).string();
  if (context.options.json) {
    print_document(context, Json::Object{{"path", path}, {"folder", folder}, {"crl", *list}});
  } else if (options.is_printed) {
    context.env.out << *list;
  } else {
    context.env.out << printable(path) << '\n';
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
