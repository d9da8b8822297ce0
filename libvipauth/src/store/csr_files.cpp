#include "store/csr_files.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".json";

std::optional<CsrStatus> parse_status(const Json* json) {
  if (json == nullptr || !json->is_string()) return std::nullopt;
  for (const CsrStatus status : {CsrStatus::kPending, CsrStatus::kApproved, CsrStatus::kDenied}) {
    if (json->as_string() == to_string(status)) return status;
  }
  return std::nullopt;
}

Error damaged(std::string message, const fs::path& file, std::string_view place = {}) {
  return in_file(Error{ErrorCode::kParseError, std::move(message), std::string(place)}, file);
}

/// The same in another form of PEM.
bool is_same_request(std::string_view text, const CertificateRequest& request) {
  const auto other = CertificateRequest::parse(text);
  return other && other->pem() == request.pem();
}

}  // namespace

Result<CsrFile> CsrFolder::read(const CommonName& name, const CertificateRequest* asked) const {
  const fs::path json_file = json_path(name);
  auto json = read_json_file(json_file, strict_modes_);
  if (!json) return json.error();
  const auto status = parse_status(json->document.find("status"));
  if (!status) return damaged("must be PENDING, APPROVED or DENIED", json_file, "/status");
  const std::string text = json->document.text_at("csr");
  auto request = asked != nullptr && asked->pem() == text ? Result<CertificateRequest>(*asked)
                                                          : CertificateRequest::parse(text);
  if (!request) return damaged(request.error().message, json_file, "/csr");
  if (request->common_name() != name) {
    return damaged("is a request for another name, \"" + request->common_name().text() + "\"", json_file,
                   "/csr");
  }
  const fs::path csr_file = csr_path(name);
  const auto beside = read_file(csr_file, strict_modes_);
  if (!beside && beside.error().code == ErrorCode::kNotFound) return damaged("is missing", csr_file);
  if (!beside) return beside.error();
  if (*beside != request->pem() && !is_same_request(*beside, *request)) {
    return damaged("is not the request that \"" + json_file.filename().string() + "\" holds", csr_file);
  }
  std::optional<Timestamp> first_seen;
  if (const auto time = parse_timestamp(json->document.text_at("first_seen"))) first_seen = *time;
  return CsrFile{std::move(*request), *status, json->document.text_at("remote_ip_address"), first_seen};
}

bool CsrFolder::has(const CommonName& name) const { return may_be_there(json_path(name)); }

Result<std::vector<CommonName>> CsrFolder::names(std::vector<std::string>* warnings) const {
  std::error_code error;
  std::vector<CommonName> out;
  for (fs::directory_iterator entry = iterate(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string file = entry->path().filename().string();
    if (!file.ends_with(kExtension)) continue;
    auto name = CommonName::parse(file.substr(0, file.size() - kExtension.size()));
    if (name) {
      out.push_back(std::move(*name));
    } else if (warnings != nullptr) {
      warnings->push_back("\"" + entry->path().string() + "\" is named as no request can be: remove it");
    }
  }
  if (error == std::errc::no_such_file_or_directory) return std::vector<CommonName>();
  if (error) return file_error("list", folder_, error.value());
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::size_t> CsrFolder::count_pending(std::size_t enough) const {
  const auto all = names();
  if (!all) return all.error();
  if (all->size() < enough) return all->size();  // all of them may wait: it is not too many
  std::size_t count = 0;
  for (const CommonName& name : *all) {
    const auto json = read_json_file(json_path(name), strict_modes_);
    const auto status = json ? parse_status(json->document.find("status")) : std::nullopt;
    if (!status || *status == CsrStatus::kPending) ++count;
    if (count == enough) break;
  }
  return count;
}

Result<void> CsrFolder::add(const CsrFile& file) const {
  const CommonName& name = file.request.common_name();
  Json document(Json::Object{{"status", Json(to_string(file.status))},
                             {"remote_ip_address", Json(file.address)},
                             {"identity", Json(name.text())},
                             {"csr", Json(file.request.pem())}});
  if (file.first_seen) document.set("first_seen", Json(format_timestamp(*file.first_seen)));
  if (auto placed = place_file(csr_path(name), file.request.pem()); !placed) return placed;
  return replace_file(json_path(name), document.dump_pretty() + "\n");
}

Result<void> CsrFolder::set_status(const CommonName& name, CsrStatus status) const {
  const fs::path file = json_path(name);
  auto json = read_json_file(file, strict_modes_);
  if (!json) {
    const ErrorCode code = json.error().code;
    const bool is_nothing_to_change = code == ErrorCode::kNotFound || code == ErrorCode::kParseError;
    return is_nothing_to_change ? Result<void>() : json.error();
  }
  const Json wanted(to_string(status));
  const Json* present = json->document.find("status");
  if (!json->document.is_object()) return {};
  // It may be of an attempt that did not come to its last step.
  if (present != nullptr && *present == wanted) return sync_replaced(file);
  json->document.set("status", wanted);
  return replace_file(file, json->document.dump_pretty() + "\n");
}

Result<void> CsrFolder::check_removable(const CommonName& name) const {
  for (const fs::path& file : {json_path(name), csr_path(name)}) {
    std::error_code ignored;
    if (!fs::is_directory(fs::symlink_status(file, ignored))) continue;
    return Error{ErrorCode::kConflict, "\"" + file.string() + "\" is a folder: move it away", ""};
  }
  return {};
}

Result<void> CsrFolder::remove(const CommonName& name) const {
  if (auto removed = remove_file(json_path(name)); !removed) return removed;
  return remove_file(csr_path(name));
}

}  // namespace vipauth
