#include "text/json_check.hpp"

#include <algorithm>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <sodium.h>

namespace vipauth {
namespace {

/// Feeds a digest in pieces large enough to be hashed fast.
class Digester {
 public:
  Digester() {
    crypto_generichash_init(&state_, nullptr, 0, std::tuple_size_v<JsonDigest>);
    buffer_.reserve(kBufferBytes);
  }

  /// Each item says of which kind and how long it is, so that no two values feed the same bytes.
  void add(const Json& json) {
    if (json.is_null()) return add_item('z', {});
    if (json.is_bool()) return add_item(json.as_bool() ? 't' : 'f', {});
    if (json.is_number()) return add_item('n', json.as_number().digits);
    if (json.is_string()) return add_item('s', json.as_string());
    if (json.is_array()) {
      begin_list(json.as_array().size());
      for (const Json& item : json.as_array()) add(item);
      return;
    }
    begin_object(json.as_object().size());
    for (const Json::Member& member : json.as_object()) {
      add_name(member.name);
      add(member.value);
    }
  }

  // A list, or an object, of which so many items, or names and values, are to be added.
  void begin_list(std::size_t items) { add_head('a', items); }
  void begin_object(std::size_t members) { add_head('o', members); }
  void add_name(std::string_view name) { add_item('m', name); }

  JsonDigest finish() {
    flush();
    JsonDigest digest{};
    crypto_generichash_final(&state_, digest.data(), digest.size());
    return digest;
  }

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 16;

  void add_head(char kind, std::uint64_t size) {
    buffer_.push_back(kind);
    buffer_.append(reinterpret_cast<const char*>(&size), sizeof size);
  }

  void add_item(char kind, std::string_view text) {
    add_head(kind, text.size());
    buffer_.append(text);
    if (buffer_.size() >= kBufferBytes) flush();
  }

  void flush() {
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(buffer_.data()),
                              buffer_.size());
    buffer_.clear();
  }

  crypto_generichash_state state_{};
  std::string buffer_;
};

bool is_number_text(const std::string& digits) {
  const auto parsed = Json::parse(digits);
  return parsed && parsed->is_number() && parsed->as_number().digits == digits;
}

/// In an object of few members looking is faster than hashing.
bool has_duplicates(const Json::Object& members) {
  constexpr std::size_t kFew = 16;
  if (members.size() > kFew) {
    std::unordered_set<std::string_view> names;
    return !std::all_of(members.begin(), members.end(),
                        [&](const Json::Member& member) { return names.insert(member.name).second; });
  }
  for (auto member = members.begin(); member != members.end(); ++member) {
    if (std::any_of(members.begin(), member, [&](const auto& other) { return other.name == member->name; }))
      return true;
  }
  return false;
}

bool survives(const Json& json, std::size_t levels_left) {
  if (json.is_string()) return is_valid_utf8(json.as_string());
  if (json.is_number()) return is_number_text(json.as_number().digits);
  if (!json.is_array() && !json.is_object()) return true;
  if (levels_left == 0) return false;
  if (json.is_array()) {
    return std::all_of(json.as_array().begin(), json.as_array().end(),
                       [&](const Json& item) { return survives(item, levels_left - 1); });
  }
  return !has_duplicates(json.as_object()) &&
         std::all_of(json.as_object().begin(), json.as_object().end(), [&](const Json::Member& member) {
           return is_valid_utf8(member.name) && survives(member.value, levels_left - 1);
         });
}

}  // namespace

JsonDigest digest_of(const Json& json) {
  // libsodium's state wants 64-byte alignment, which a stack that a sanitizer keeps does not give.
  const auto digester = std::make_unique<Digester>();
  digester->add(json);
  return digester->finish();
}

bool survives_writing(const Json& json) { return survives(json, Json::kMaxDepth); }

struct JsonPartCheck::Impl {
  Digester digester;
};

JsonPartCheck::JsonPartCheck() : impl_(std::make_unique<Impl>()) {}
JsonPartCheck::~JsonPartCheck() = default;

bool JsonPartCheck::is_new_name(std::unordered_set<std::string_view>& names, std::string_view name) {
  impl_->digester.add_name(name);
  return is_valid_utf8(name) && names.insert(name).second;
}

void JsonPartCheck::on_begin(std::size_t members) { impl_->digester.begin_object(members); }

void JsonPartCheck::on_list(std::string_view name, std::size_t items) {
  survives_ = is_new_name(root_names_, name) && survives_;
  impl_->digester.begin_list(items);
}

void JsonPartCheck::on_object(std::string_view name, std::size_t members) {
  survives_ = is_new_name(root_names_, name) && survives_;
  impl_->digester.begin_object(members);
  member_names_.clear();
}

void JsonPartCheck::on_item(const Json& item) {
  survives_ = survives_ && survives(item, Json::kMaxDepth - 2);
  impl_->digester.add(item);
}

void JsonPartCheck::on_member(std::string_view member, const Json& value) {
  survives_ = is_new_name(member_names_, member) && survives_ && survives(value, Json::kMaxDepth - 2);
  impl_->digester.add(value);
}

void JsonPartCheck::on_value(std::string_view name, const Json& value) {
  survives_ = is_new_name(root_names_, name) && survives_ && survives(value, Json::kMaxDepth - 1);
  impl_->digester.add(value);
}

JsonDigest JsonPartCheck::digest() { return impl_->digester.finish(); }

}  // namespace vipauth
