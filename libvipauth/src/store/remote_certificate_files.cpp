#include <vipauth/remote_certificate_files.hpp>

#include <system_error>
#include <vector>

#include <vipauth/certificate_key_file.hpp>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kReadableByAll = 0644;
constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kMostFiles = 10'000;

/// The names of the platforms that something was saved of.
Result<std::vector<CommonName>> saved_names(const fs::path& folder) {
  std::vector<CommonName> out;
  std::error_code error;
  fs::directory_iterator entry = iterate(folder, error);
  if (error == std::errc::no_such_file_or_directory) return out;
  std::size_t files = 0;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (++files > kMostFiles) {
      return Error{ErrorCode::kLimitExceeded, "\"" + folder.string() + "\" holds too many files", ""};
    }
    if (entry->path().extension() != ".json") continue;
    if (auto name = CommonName::parse(entry->path().stem().string())) out.push_back(*std::move(name));
  }
  if (error) return file_error("read", folder, error.value());
  return out;
}

bool is_text(const Json& object, std::string_view member, std::string_view wanted) {
  const Json* value = object.find(member);
  return value != nullptr && value->is_string() && value->as_string() == wanted;
}

/// The address that something was saved from, where it is told and not this one.
std::optional<std::string> other_address(const Json& origin, std::string_view address) {
  const Json* saved = origin.find("address");
  if (saved == nullptr || !saved->is_string() || saved->as_string() == address) return std::nullopt;
  return saved->as_string();
}

}  // namespace

Result<CommonName> RemoteCertificateFiles::name_for(std::string_view remote) const {
  auto instance = CommonName::parse(remote);
  if (!instance) return instance.error();
  auto name = CommonName::parse(instance->text() + "." + local_.text());
  if (!name) return name;
  if (local_.within(remote)) {
    return Error{ErrorCode::kConflict,
                 "both instances are named \"" + instance->text() +
                     "\": certificates could not tell them apart; give one another instance-name",
                 ""};
  }
  return name;
}

std::string RemoteCertificateFiles::remote_of(const CommonName& name) const {
  return name.text().substr(0, name.text().size() - local_.text().size() - 1);
}

CertificateFiles RemoteCertificateFiles::files_for(const CommonName& name) const {
  return CertificateFiles{remote_folder() / (name.text() + ".crt"),
                          folder_ / "private" / (local_.text() + ".pem"),
                          remote_folder() / (remote_of(name) + "_ca.crt")};
}

Result<void> RemoteCertificateFiles::make_folders() const {
  auto made = make_public_folder(folder_);
  if (made) made = make_public_folder(remote_folder());
  if (made) made = make_private_folder(folder_ / "private");
  return made;
}

Result<CertificateKey> RemoteCertificateFiles::key() const {
  if (auto made = make_folders(); !made) return made.error();
  return CertificateKeyFile(folder_ / "private" / (local_.text() + ".pem"), strict_modes_).load_or_create();
}

Result<void> RemoteCertificateFiles::check_origin(const CommonName& name, std::string_view address) const {
  const fs::path file = remote_folder() / (name.text() + ".json");
  const auto origin = read_json_file(file, strict_modes_);
  if (!origin && origin.error().code == ErrorCode::kNotFound) return {};
  if (!origin) return origin.error();
  const auto other = other_address(origin->document, address);
  if (!other) return {};
  return Error{ErrorCode::kConflict,
               "\"" + std::string(address) + "\" and \"" + *other + "\" both say that they are \"" +
                   remote_of(name) +
                   "\", and what is saved is of the latter: if the platform moved, remove \"" +
                   file.string() + "\" and \"" + files_for(name).certificate.string() +
                   "\", else one of both must get another instance-name",
               ""};
}

Result<void> RemoteCertificateFiles::check_authority(const CommonName& name, std::string_view authority,
                                                     std::string_view address) const {
  const CertificateFiles files = files_for(name);
  const auto saved = read_file(files.authority, strict_modes_);
  if (!saved && saved.error().code == ErrorCode::kNotFound) return {};
  if (!saved) return saved.error();
  if (*saved == authority) return {};
  const auto names = saved_names(remote_folder());
  if (!names) return names.error();
  for (const CommonName& user : *names) {
    const fs::path file = remote_folder() / (user.text() + ".json");
    const auto origin = read_json_file(file, strict_modes_);
    if (!origin) return origin.error();
    if (!is_text(origin->document, "remote_ca_name", remote_of(name) + "_ca")) continue;
    const auto other = other_address(origin->document, address);
    if (!other) continue;
    return Error{ErrorCode::kConflict,
                 "\"" + std::string(address) + "\" and \"" + *other + "\" both say that they are \"" +
                     remote_of(name) + "\", with different authorities, and \"" + files.authority.string() +
                     "\" is of the latter: if the platform moved, remove \"" + file.string() +
                     "\", else one of both must get another instance-name",
                 ""};
  }
  return {};
}

Result<void> RemoteCertificateFiles::save(const CommonName& name, const Certificate& certificate,
                                          std::string_view authority, std::string_view address,
                                          const Json& discovery) const {
  if (auto made = make_folders(); !made) return made;
  const auto lock = FileLock::acquire(remote_folder(), kPatience);
  if (!lock) return lock.error();
  if (auto checked = check_origin(name, address); !checked) return checked;
  if (auto checked = check_authority(name, authority, address); !checked) return checked;
  const CertificateFiles files = files_for(name);
  const Json origin(Json::Object{{"remote_ca_name", remote_of(name) + "_ca"},
                                 {"local_keyname", local_.text()},
                                 {"address", address},
                                 {"discovery", discovery}});
  auto saved = replace_file(files.authority, authority, {}, kReadableByAll);
  if (saved) saved = replace_file(files.certificate, certificate.pem, {}, kReadableByAll);
  if (!saved) return saved;
  return replace_file(remote_folder() / (name.text() + ".json"), origin.dump_pretty() + "\n", {},
                      kReadableByAll);
}

Result<void> RemoteCertificateFiles::forget(const CommonName& name, std::string_view address) const {
  if (!may_be_there(remote_folder())) return {};
  const auto lock = FileLock::acquire(remote_folder(), kPatience);
  if (!lock) return lock.error();
  if (auto checked = check_origin(name, address); !checked) return checked;
  if (auto removed = remove_file(remote_folder() / (name.text() + ".json")); !removed) return removed;
  return remove_file(files_for(name).certificate);
}

Result<std::optional<RemoteCertificateFiles::Saved>> RemoteCertificateFiles::find(
    std::string_view address) const {
  const auto names = saved_names(remote_folder());
  if (!names) return names.error();
  for (const CommonName& name : *names) {
    if (!name.text().ends_with("." + local_.text())) continue;
    const auto origin = read_json_file(remote_folder() / (name.text() + ".json"), strict_modes_);
    if (!origin) return origin.error();
    const bool is_from_there = is_text(origin->document, "address", address) &&
                               is_text(origin->document, "local_keyname", local_.text());
    if (!is_from_there) continue;
    CertificateFiles files = files_for(name);
    const auto text = read_file(files.certificate, strict_modes_);
    if (!text) return text.error();
    auto certificate = Certificate::parse(*text);
    if (!certificate) return in_file(certificate.error(), files.certificate);
    const Json* discovery = origin->document.find("discovery");
    return std::optional<Saved>(
        Saved{name, *std::move(certificate), std::move(files), discovery == nullptr ? Json() : *discovery});
  }
  return std::optional<Saved>();
}

}  // namespace vipauth
