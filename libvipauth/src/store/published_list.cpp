#include "store/published_list.hpp"

#include "store/atomic_file.hpp"

namespace vipauth {

Result<std::uint64_t> PublishedList::number(const CertificateIssuer& issuer) const {
  const std::lock_guard lock(mutex_);
  const auto before = FileVersion::of(path_);
  if (!before) return std::uint64_t{0};
  if (before == version_) return number_;
  version_.reset();
  const auto text = read_file(path_, StrictModes::kOff);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::uint64_t{0};
  if (!text) return text.error();
  const auto facts = read_revocation_list(*text);
  const std::uint64_t number = facts && issuer.has_signed_list(*text) ? facts->number : 0;
  if (before->is_settled() && before == FileVersion::of(path_)) {
    version_ = before;
    number_ = number;
  }
  return number;
}

}  // namespace vipauth
