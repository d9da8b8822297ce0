#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

// Not RAPIDJSON_SSE2, _SSE42 or _NEON: in the version that Debian 12 has they take 0x1a to 0x1f for
// characters that need no escape, when they read and when they write.
#include <rapidjson/reader.h>

#include <vipauth/json.hpp>
#include <vipauth/python_repr.hpp>

namespace vipauth {

/// Builds a Json from RapidJSON's events.
///
/// Members and items of what is open wait on two stacks, so that a closed object or list is made once, in its
/// full size.
class JsonBuilder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, JsonBuilder> {
 public:
  /// \param depth  how deep nested the value may be
  explicit JsonBuilder(std::size_t depth = Json::kMaxDepth) : most_levels_(depth) {}

  bool Null() { return add(Json()); }
  bool Bool(bool value) { return add(Json(value)); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    return add(Json(Json::Number{std::string(text, length)}));
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    return is_text({text, length}) && add(Json(std::string(text, length)));
  }
  bool StartObject() { return open(members_.size()); }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    return is_text({text, length}) && open_member({text, length});
  }
  bool EndObject(rapidjson::SizeType) { return close<Json::Object>(members_); }
  bool StartArray() {
    if (!open(items_.size())) return false;
    levels_.back().is_array = true;
    return true;
  }
  bool EndArray(rapidjson::SizeType) { return close<Json::Array>(items_); }

  const std::optional<Error>& error() const { return error_; }
  /// True when a value is whole: the last event ended it.
  bool is_done() const { return is_done_; }
  Json take() {
    is_done_ = false;
    return std::move(root_);
  }

 private:
  // Looking through a few members is faster than hashing them.
  static constexpr std::size_t kSmallObject = 16;

  struct Level {
    std::size_t begin = 0;  // of members_ or items_
    bool is_array = false;
    std::uint64_t marks = 0;                                 // of the names so far
    std::unique_ptr<std::unordered_set<std::string>> names;  // of an object that is no longer small
  };

  bool fail(ErrorCode code, std::string message) {
    error_ = Error{code, std::move(message), ""};
    return false;
  }

  /// The bytes of the document are valid by now, but RapidJSON makes invalid ones of a lone "\udc00".
  bool is_text(std::string_view text) {
    return is_valid_utf8(text) || fail(ErrorCode::kParseError, "not JSON: half of an escaped surrogate pair");
  }

  bool add(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      is_done_ = true;
    } else if (levels_.back().is_array) {
      items_.push_back(std::move(value));
    } else {
      members_.back().value = std::move(value);
    }
    return true;
  }

  bool open(std::size_t begin) {
    if (levels_.size() >= most_levels_) {
      return fail(ErrorCode::kLimitExceeded,
                  "nested deeper than " + std::to_string(Json::kMaxDepth) + " levels");
    }
    levels_.emplace_back().begin = begin;
    return true;
  }

  template <typename Container, typename Waiting>
  bool close(Waiting& waiting) {
    const auto begin = waiting.begin() + static_cast<std::ptrdiff_t>(levels_.back().begin);
    Container done(std::make_move_iterator(begin), std::make_move_iterator(waiting.end()));
    waiting.erase(begin, waiting.end());
    levels_.pop_back();
    return add(Json(std::move(done)));
  }

  /// One of 64 bits, by length and last letter: names with different ones differ.
  static std::uint64_t mark_of(std::string_view name) {
    const unsigned last = name.empty() ? 0 : static_cast<unsigned char>(name.back());
    return std::uint64_t{1} << ((name.size() * 7 + last) % 64);
  }

  bool is_new(std::string_view name) {
    Level& level = levels_.back();
    const auto begin = members_.begin() + static_cast<std::ptrdiff_t>(level.begin);
    if (members_.size() - level.begin >= kSmallObject) {
      if (!level.names) {
        level.names = std::make_unique<std::unordered_set<std::string>>();
        std::for_each(begin, members_.end(), [&](const Json::Member& m) { level.names->insert(m.name); });
      }
      return level.names->emplace(name).second;
    }
    const std::uint64_t mark = mark_of(name);
    const bool may_be_there = (level.marks & mark) != 0;
    level.marks |= mark;
    return !may_be_there ||
           std::none_of(begin, members_.end(), [&](const Json::Member& m) { return m.name == name; });
  }

  bool open_member(std::string_view name) {
    if (!is_new(name)) {
      return fail(ErrorCode::kParseError, "the member \"" + python_str(Json(name)) + "\" is there twice");
    }
    members_.push_back({std::string(name), Json()});
    return true;
  }

  std::size_t most_levels_;
  bool is_done_ = false;
  std::vector<Level> levels_;
  std::vector<Json::Member> members_;
  std::vector<Json> items_;
  Json root_;
  std::optional<Error> error_;
};

}  // namespace vipauth
