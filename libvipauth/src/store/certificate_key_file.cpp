#include <vipauth/certificate_key_file.hpp>

#include "pki/private_key_text.hpp"
#include "store/atomic_file.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

constexpr std::chrono::seconds kPatience{60};

}  // namespace

Result<CertificateKey> CertificateKeyFile::load() const {
  auto read = read_file(path_, strict_modes_, Sensitivity::kSecret);
  if (!read) return read.error();
  const SecretText text(std::move(*read));
  auto key = CertificateKey::parse(text.text());
  if (!key) return in_file(key.error(), path_);
  return key;
}

Result<CertificateKey> CertificateKeyFile::load_or_create() const {
  auto present = load();
  if (present || present.error().code != ErrorCode::kNotFound) return present;
  const auto lock = FileLock::acquire(path_, kPatience);
  if (!lock) return lock.error();
  present = load();  // somebody else may have made it meanwhile
  if (present || present.error().code != ErrorCode::kNotFound) return present;
  auto key = CertificateKey::generate();
  if (!key) return key;
  const auto text = private_key_text(*key);
  if (!text) return text.error();
  const auto made = create_file(path_, text->text());
  if (made) return key;
  return made.error().code == ErrorCode::kAlreadyExists ? load() : made.error();
}

Result<void> CertificateKeyFile::replace(const CertificateKey& key) const {
  const auto text = private_key_text(key);
  if (!text) return text.error();
  return replace_file(path_, text->text());
}

}  // namespace vipauth
