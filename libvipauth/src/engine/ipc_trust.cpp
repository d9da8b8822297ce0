#include <vipauth/ipc_trust.hpp>

#include <charconv>
#include <utility>
#include <vector>

namespace vipauth {
namespace {

/// The fields that location_user_id() joined.
std::vector<std::string> split_user_id(std::string_view user_id) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < user_id.size(); ++i) {
    if (user_id[i] == ',') {
      fields.emplace_back();
    } else {
      if (user_id[i] == '\\' && i + 1 < user_id.size()) ++i;
      fields.back() += user_id[i];
    }
  }
  return fields;
}

}  // namespace

bool IpcTrust::accepts_address(std::string_view address) const noexcept {
  constexpr std::string_view kPrefix = "localhost:";
  if (!same_user || !address.starts_with(kPrefix)) return false;
  address.remove_prefix(kPrefix.size());
  std::uint32_t uid = 0;
  const auto [end, error] = std::from_chars(address.data(), address.data() + address.size(), uid);
  return error == std::errc() && uid == own_uid && end != address.data() + address.size() && *end == ':';
}

bool IpcTrust::accepts_user(std::string_view user_id) const {
  if (!user_id.ends_with(",NULL")) return false;
  const std::vector<std::string> fields = split_user_id(user_id);
  return fields.size() == 3 && accepts_address(fields[1]);
}

std::string location_user_id(std::string_view domain, std::string_view address, Mechanism mechanism) {
  std::string out;
  bool first = true;
  for (const std::string_view field : {domain, address, to_string(mechanism)}) {
    if (!std::exchange(first, false)) out += ',';
    for (const char c : field) {
      if (c == ',' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace vipauth
