// What everybody may ask.

#include <vipauth/certificate_request.hpp>

#include "web/assets.hpp"
#include "web/site.hpp"

namespace vipauth::web {
namespace {

constexpr std::string_view kPemType = "application/x-pem-file";

Json state_of(const CsrEntry& entry) {
  Json out = Json::Object{{"status", to_string(entry.status)}};
  switch (entry.status) {
    // As VOLTTRON spells it; clients look at `status`.
    case CsrStatus::kPending: out.set("message", "The request is pending admininstrator approval."); break;
    case CsrStatus::kDenied: out.set("message", "The request has been denied by the administrator."); break;
    case CsrStatus::kApproved: out.set("message", "The request has been approved."); break;
  }
  if (entry.status == CsrStatus::kApproved && entry.certificate) out.set("cert", entry.certificate->pem);
  return out;
}

HttpReply retry_later(int status, std::string_view message) {
  HttpReply reply = error_reply(status, message);
  reply.headers.emplace_back("Retry-After", "60");
  return reply;
}

HttpReply pem_reply(std::string pem) {
  HttpReply reply;
  reply.content_type = kPemType;
  reply.body = std::move(pem);
  return reply;
}

}  // namespace

HttpReply answer_csr(Site& site, const Call& call) {
  const Json* csr = call.body.find("csr");
  if (csr == nullptr || !csr->is_string()) return error_reply(400, "the body must be {\"csr\": \"<PEM>\"}");
  if (csr->as_string().size() > CertificateRequest::kMaxBytes) {
    return error_reply(413, "a certificate signing request has at most 16384 bytes");
  }
  // Here, so that what is wrong with it is not taken for trouble of the store.
  const auto request = CertificateRequest::parse(csr->as_string());
  if (!request) return error_reply(400, request.error().to_string());
  const auto entry = site.store().request(*request, call.request.address);
  if (entry) {
    if (entry->status == CsrStatus::kApproved && !entry->certificate) {
      return site.refuse({ErrorCode::kIoError, "an approved request is without its certificate", ""},
                         "request " + entry->common_name.text());
    }
    return json_reply(200, state_of(*entry));
  }
  // No name holds a slash: that is the path of a file, which is no business of a stranger.
  const bool is_ours = entry.error().to_string().find('/') != std::string::npos;
  switch (is_ours ? ErrorCode::kIoError : entry.error().code) {
    case ErrorCode::kBusy: return retry_later(429, entry.error().to_string());
    case ErrorCode::kLimitExceeded: return retry_later(503, entry.error().to_string());
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kConflict:
    case ErrorCode::kPermissionDenied: return error_reply(entry.error());
    default: break;
  }
  return site.refuse({ErrorCode::kIoError, entry.error().to_string(), ""}, "a certificate signing request");
}

HttpReply answer_discovery(Site& site, const Call&) { return json_reply(200, site.discovery().to_json()); }

HttpReply answer_revocation_list(Site& site, const Call&) {
  CertificateAuthority authority = site.store().authority();
  auto list = authority.revocation_list();
  if (!list) return site.refuse({ErrorCode::kIoError, list.error().to_string(), ""}, "the revocation list");
  return pem_reply(*std::move(list));
}

HttpReply answer_root(Site& site, const Call&) { return pem_reply(site.store().authority().root().pem); }

HttpReply answer_asset(Site&, const Call& call) {
  const Asset* asset = find_asset(call.request.path);
  if (asset == nullptr) return error_reply(404, "there is nothing under this path");
  HttpReply reply;
  reply.content_type = asset->content_type;
  reply.body = asset->text;
  return reply;
}

}  // namespace vipauth::web
