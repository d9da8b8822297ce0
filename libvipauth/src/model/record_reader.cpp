#include "model/record_reader.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "text/control_characters.hpp"

namespace vipauth {

RecordReader::Field RecordReader::field_of(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 14> kNames{
      "domain",   "address", "mechanism",  "credentials",  "user_id",
      "identity", "groups",  "roles",      "capabilities", "rpc_method_authorizations",
      "comments", "enabled", "not_before", "not_after"};
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return static_cast<Field>(found - kNames.begin());
}

void RecordReader::begin() {
  record_.domain.clear();
  record_.address.clear();
  record_.user_id.clear();
  record_.identity.clear();
  record_.capabilities.clear();
  record_.roles.clear();
  record_.groups.clear();
  record_.enabled = true;
  is_plain_ = true;
  has_key_ = false;
  seen_ = 0;
  level_ = 0;
}

const AuthRecord* RecordReader::record() {
  return is_plain_ && has_key_ && !record_.user_id.empty() ? &record_ : nullptr;
}

// ---- Events ----

void RecordReader::on_object() {
  ++level_;
  if (level_ == 2) {
    is_object_ = true;
    if (field_ != Field::kCapabilities && field_ != Field::kMethods) give_up();
  } else if (level_ == 3) {
    if (!is_object_ || field_ != Field::kCapabilities) give_up();
  } else if (level_ > 3) {
    give_up();
  }
}

void RecordReader::on_list() {
  ++level_;
  is_object_ = false;
  const bool may_be_list = field_ == Field::kGroupNames || field_ == Field::kRoleNames ||
                           field_ == Field::kCapabilities || field_ == Field::kDomain ||
                           field_ == Field::kAddress;
  if (level_ != 2 || !may_be_list) give_up();
}

void RecordReader::on_object_end() { --level_; }
void RecordReader::on_list_end() { --level_; }

void RecordReader::on_key(std::string_view name) {
  if (!is_plain_) return;
  if (level_ == 1) {
    field_ = field_of(name);
    const std::uint32_t bit = 1U << static_cast<unsigned>(field_);
    if (field_ == Field::kOther || (seen_ & bit) != 0) give_up();
    seen_ |= bit;
  } else if (level_ == 2) {
    if (field_ != Field::kCapabilities || !take_capability(name)) give_up();
  } else {
    auto& restrictions = record_.capabilities.back().restrictions;
    if (restrictions.size() >= kMostNames) return give_up();
    const bool is_new = std::none_of(restrictions.begin(), restrictions.end(),
                                     [&](const Restriction& other) { return other.parameter == name; });
    if (!is_new) return give_up();
    restrictions.push_back({std::string(name), Json()});
  }
}

void RecordReader::on_null() {
  if (!is_plain_ || level_ >= 3) return;
  if (level_ == 2) {
    if (!is_object_) give_up();
    return;  // a capability without a restriction
  }
  if (field_ == Field::kMechanism || field_ == Field::kCredentials || field_ == Field::kEnabled) give_up();
}

void RecordReader::on_bool(bool value) {
  if (!is_plain_) return;
  if (level_ == 3) return restrict_by(value);
  if (level_ == 1 && field_ == Field::kEnabled) {
    record_.enabled = value;
  } else if (level_ != 1 || field_ != Field::kComments) {
    give_up();
  }
}

void RecordReader::on_number(std::string_view digits) {
  if (!is_plain_) return;
  if (level_ == 3) return restrict_by(Json::Number{std::string(digits)});
  if (level_ != 1 || field_ != Field::kComments) give_up();
}

void RecordReader::on_string(std::string_view text) {
  if (!is_plain_) return;
  if (level_ == 3) return restrict_by(text);
  if (level_ == 2) {
    if (is_object_) return give_up();
    if (field_ == Field::kGroupNames) {
      record_.groups.emplace_back(text);
    } else if (field_ == Field::kRoleNames) {
      record_.roles.emplace_back(text);
    } else if (field_ == Field::kCapabilities) {
      record_.capabilities.push_back({std::string(text), {}});
    } else {
      give_up();
    }
    return;
  }
  switch (field_) {
    case Field::kMechanism:
      if (text != to_string(Mechanism::kCurve)) give_up();
      return;
    case Field::kCredentials: {
      if (Pattern::looks_like_regex(text)) return give_up();  // Z85 has all that a pattern may be of
      const auto key = CurveKey::parse(text);
      if (!key) return give_up();
      record_.credentials = *key;
      has_key_ = true;
      return;
    }
    case Field::kUserId: return set_name(text, record_.user_id);
    case Field::kIdentity: return set_name(text, record_.identity);
    case Field::kComments: return;
    case Field::kMethods:  // of a wrong type, which has a meaning
    case Field::kEnabled:
    case Field::kNotBefore:
    case Field::kNotAfter:
    case Field::kOther: return give_up();
    default:
      if (!text.empty()) give_up();
  }
}

// ---- Fields ----

bool RecordReader::take_capability(std::string_view text) {
  auto& capabilities = record_.capabilities;
  if (capabilities.size() >= kMostNames) return false;
  const bool is_new = std::none_of(capabilities.begin(), capabilities.end(),
                                   [&](const Capability& other) { return other.name == text; });
  if (is_new) capabilities.push_back({std::string(text), {}});
  return is_new;
}

void RecordReader::restrict_by(Json constraint) {
  record_.capabilities.back().restrictions.back().constraint = std::move(constraint);
}

void RecordReader::set_name(std::string_view text, std::string& out) {
  if (text.size() > AuthRecord::kMaxUserIdBytes || has_control_character(text)) return give_up();
  out = text;
}

}  // namespace vipauth
