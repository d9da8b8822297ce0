#include <vipauth/csr_client.hpp>

#include <fstream>
#include <optional>
#include <utility>

#include <vipauth/certificate_request.hpp>
#include <vipauth/json.hpp>
#include <vipauth/remote_certificate_files.hpp>

#include "web/http_client.hpp"
#include "web/issued_by.hpp"

namespace vipauth {
namespace {

using web::check_issued_by;
using web::HttpClient;
using web::WebAddress;

constexpr std::size_t kMaxAuthorities = std::size_t{1} << 20U;
constexpr std::size_t kMaxMessage = 1000;
constexpr std::size_t kFingerprintDigits = 64;

/// \return kInvalidArgument  it is no SHA-256
Result<std::string> parse_fingerprint(std::string_view text) {
  std::string digits;
  bool is_hexadecimal = true;
  for (const char c : text) {
    if (c == ':') continue;
    const bool is_small = c >= 'a' && c <= 'f';
    const bool is_digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || is_small;
    is_hexadecimal = is_hexadecimal && is_digit && digits.size() < kFingerprintDigits;
    if (is_hexadecimal) digits += is_small ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (!is_hexadecimal || digits.size() != kFingerprintDigits) {
    return Error{ErrorCode::kInvalidArgument,
                 "must be the SHA-256 of a certificate, 64 hexadecimal digits with or without colons, as "
                 "\"openssl x509 -noout -fingerprint -sha256\" prints it",
                 "fingerprint"};
  }
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    if (i > 0) out += ':';
    out += digits.substr(i, 2);
  }
  return out;
}

Result<std::string> read_authorities(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, "cannot read \"" + path.string() + "\"", "authorities"};
  std::string out(kMaxAuthorities + 1, '\0');
  file.read(out.data(), static_cast<std::streamsize>(out.size()));
  if (file.bad()) return Error{ErrorCode::kIoError, "cannot read \"" + path.string() + "\"", "authorities"};
  out.resize(static_cast<std::size_t>(file.gcount()));
  if (out.size() > kMaxAuthorities) {
    return Error{ErrorCode::kLimitExceeded, "\"" + path.string() + "\" is too long", "authorities"};
  }
  if (auto first = Certificate::parse(out); !first) return first.error().at(path.string()).at("authorities");
  return out;
}

/// What a server says, short enough to be shown.
std::string message_of(const Json& answer) {
  std::string out = answer.text_at("message");
  if (out.empty()) out = answer.text_at("error");
  if (out.size() <= kMaxMessage) return out;
  std::size_t end = kMaxMessage;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) --end;  // no character in two
  return out.substr(0, end) + "...";
}

/// Never kIoError, which is for a server that cannot be reached.
ErrorCode code_of(int status) {
  switch (status) {
    case 400:
    case 413: return ErrorCode::kInvalidArgument;
    case 401:
    case 403: return ErrorCode::kPermissionDenied;
    case 404: return ErrorCode::kNotFound;
    case 409: return ErrorCode::kConflict;
    case 429:
    case 503: return ErrorCode::kBusy;
    default: return ErrorCode::kParseError;
  }
}

void take_discovery(const Json& discovery, RemotePlatform& out) {
  out.instance_name = discovery.text_at("instance-name");
  out.vip_address = discovery.text_at("vip-address");
  out.serverkey = discovery.text_at("serverkey");
  out.rmq_address = discovery.text_at("rmq-address");
  out.rmq_ca_cert = discovery.text_at("rmq-ca-cert");
}

/// The values of a discovery that are known: a server may send any others.
Json known_values(const RemotePlatform& platform) {
  Json out = Json::Object();
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out.set(name, value);
  };
  add("instance-name", platform.instance_name);
  add("vip-address", platform.vip_address);
  add("serverkey", platform.serverkey);
  add("rmq-address", platform.rmq_address);
  add("rmq-ca-cert", platform.rmq_ca_cert);
  return out;
}

}  // namespace

struct CsrClient::Impl {
  Options options;
  std::string authorities;  ///< PEM; empty where a fingerprint is pinned
  HttpClient client;
  RemoteCertificateFiles files;
  bool was_denied = false;

  /// A JSON object that the server answers, with its HTTP status.
  struct Answer {
    int status = 0;
    Json body;
  };

  Error from_server(ErrorCode code, std::string message) const {
    return Error{code, std::move(message), client.address().origin()};
  }

  Result<Answer> ask(std::string_view method, std::string_view path, const Json& body = {}) const {
    const auto answer = client.send(method, path, body.is_null() ? std::string() : body.dump());
    if (!answer) return answer.error();
    if (answer->status >= 300 && answer->status < 400) {
      return from_server(ErrorCode::kParseError,
                         "answers a redirect, which is not followed: give the address it leads to");
    }
    auto document = Json::parse(answer->body);
    if (document && document->is_object()) return Answer{answer->status, *std::move(document)};
    if (answer->status >= 400) {
      return from_server(code_of(answer->status), "answers " + std::to_string(answer->status) + " to " +
                                                      std::string(path) +
                                                      ": is it a platform's web address?");
    }
    return from_server(ErrorCode::kParseError, "answers what is no JSON object to " + std::string(path) +
                                                   ": is it a platform's web address?");
  }

  /// What is saved of this server, for when it cannot be reached.
  std::optional<RemotePlatform> saved() const {
    const auto found = files.find(client.address().origin());
    if (!found || !*found || !(*found)->certificate.is_valid_at(options.clock())) return std::nullopt;
    RemotePlatform out{
        CsrStatus::kApproved, (*found)->common_name, (*found)->files, {}, false, {}, {}, {}, {}, {}, {}};
    out.key_fingerprint = (*found)->certificate.key_fingerprint;
    take_discovery((*found)->discovery, out);
    return out;
  }

  Result<RemotePlatform> discover(const Json& discovery) const {
    const std::string instance = discovery.text_at("instance-name");
    if (instance.empty()) {
      return from_server(ErrorCode::kParseError,
                         "does not tell its \"instance-name\": is it a platform's web address?");
    }
    auto name = files.name_for(instance);
    if (!name) return name.error().at("instance-name").at(client.address().origin());
    RemotePlatform out{CsrStatus::kPending, *std::move(name), {}, {}, true, {}, {}, {}, {}, {}, {}};
    out.files = files.files_for(out.common_name);
    take_discovery(discovery, out);
    return out;
  }

  /// Of a certificate that the server says it has issued for us.
  Result<Certificate> check(const std::string& pem, const RemotePlatform& platform) const {
    const std::string& issuers = platform.rmq_ca_cert.empty() ? authorities : platform.rmq_ca_cert;
    const auto refuse = [&](const std::string& why) {
      return from_server(ErrorCode::kInvalidArgument, "the certificate that it issued is not used: " + why);
    };
    if (issuers.empty()) return refuse("it does not tell its authority (\"rmq-ca-cert\")");
    auto certificate = Certificate::parse(pem);
    if (!certificate) return refuse(certificate.error().message);
    if (certificate->common_name != platform.common_name.text()) {
      return refuse("it is for \"" + certificate->common_name + "\", not for \"" +
                    platform.common_name.text() + "\"");
    }
    if (certificate->key_fingerprint != platform.key_fingerprint) return refuse("it is for another key");
    if (auto issued = check_issued_by(certificate->pem, issuers, options.clock()); !issued) {
      return refuse(issued.error().message);
    }
    return certificate;
  }

  Result<void> take_certificate(const std::string& pem, const RemotePlatform& platform) const {
    const auto certificate = check(pem, platform);
    if (!certificate) return certificate.error();
    return files.save(platform.common_name, *certificate,
                      platform.rmq_ca_cert.empty() ? authorities : platform.rmq_ca_cert,
                      client.address().origin(), known_values(platform));
  }

  Result<RemotePlatform> decide(RemotePlatform platform, const Answer& answer) {
    const std::string status = answer.body.text_at("status");
    platform.message = message_of(answer.body);
    if (status == "APPROVED" || status == "SUCCESSFUL") {
      platform.status = CsrStatus::kApproved;
      const std::string pem = answer.body.text_at("cert");
      if (auto taken = take_certificate(pem, platform); !taken) return taken.error();
      return platform;
    }
    if (status == "PENDING" || status == "DENIED") {
      platform.status = status == "DENIED" ? CsrStatus::kDenied : CsrStatus::kPending;
      if (auto forgotten = files.forget(platform.common_name, client.address().origin()); !forgotten)
        return forgotten.error();
      const bool is_news = platform.status == CsrStatus::kDenied && !was_denied;
      was_denied = was_denied || is_news;
      if (is_news && options.on_denied) options.on_denied(platform);
      return platform;
    }
    const bool is_error = answer.status >= 400 || status == "ERROR";
    if (!is_error) return from_server(ErrorCode::kParseError, "answers no status that is known");
    return from_server(
        code_of(answer.status),
        "refuses the request: " + (platform.message.empty() ? "it does not say why" : platform.message));
  }

  Result<RemotePlatform> connect() {
    const auto discovery = ask("GET", "/discovery/");
    if (!discovery) {
      // Whatever else is wrong with a server, it was reached, and must be looked at.
      if (discovery.error().code != ErrorCode::kIoError) return discovery.error();
      auto known = saved();
      if (!known) return discovery.error();
      known->message = discovery.error().to_string();
      return *std::move(known);
    }
    if (discovery->status >= 300) {
      return from_server(code_of(discovery->status),
                         "answers " + std::to_string(discovery->status) + " to /discovery/: " +
                             (message_of(discovery->body).empty() ? "is it a platform's web address?"
                                                                  : message_of(discovery->body)));
    }
    auto platform = discover(discovery->body);
    if (!platform) return platform.error();
    const auto key = files.key();
    if (!key) return key.error();
    platform->key_fingerprint = key->fingerprint();
    const auto request = CertificateRequest::create(platform->common_name, *key);
    if (!request) return request.error();
    const auto answer = ask("POST", "/csr/request_new", Json::Object{{"csr", request->pem()}});
    if (!answer) return answer.error();
    return decide(*std::move(platform), *answer);
  }
};

Result<CsrClient> CsrClient::create(std::string_view url, Options options) {
  auto address = WebAddress::parse(url);
  if (!address) return address.error();
  if (!address->is_tls) {
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + std::string(url) + "\" is not protected: certificates are asked for by https only",
                 ""};
  }
  const auto instance = CommonName::parse(options.instance_name);
  if (!instance) return instance.error().at("instance name");
  const auto identity = CommonName::parse(options.identity);
  if (!identity) return identity.error().at("identity");
  auto local = CommonName::parse(instance->text() + "." + identity->text());
  if (!local) return local.error();
  if (options.authorities.empty() == options.fingerprint.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "either a file of authorities or a fingerprint says which server is the right one", ""};
  }
  HttpClient::Options http;
  http.connect_timeout = options.connect_timeout;
  http.timeout = options.timeout;
  http.max_bytes = kMaxAnswerBytes;
  std::string authorities;
  if (options.fingerprint.empty()) {
    auto read = read_authorities(options.authorities);
    if (!read) return read.error();
    authorities = http.trust.authorities = *std::move(read);
  } else {
    auto fingerprint = parse_fingerprint(options.fingerprint);
    if (!fingerprint) return fingerprint.error();
    http.trust.fingerprint = *std::move(fingerprint);
  }
  RemoteCertificateFiles files(options.certificates, *std::move(local), options.strict_modes);
  return CsrClient(std::make_unique<Impl>(Impl{std::move(options), std::move(authorities),
                                               HttpClient(*std::move(address), std::move(http)),
                                               std::move(files), false}));
}

CsrClient::CsrClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CsrClient::CsrClient(CsrClient&&) noexcept = default;
CsrClient& CsrClient::operator=(CsrClient&&) noexcept = default;
CsrClient::~CsrClient() = default;

Result<RemotePlatform> CsrClient::connect_remote_platform() { return impl_->connect(); }

}  // namespace vipauth
