#include "text/json_items.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "text/json_builder.hpp"

namespace vipauth {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} * 1024;
constexpr std::size_t kMostCharacterBytes = 4;

/// How many bytes at the end of a text are the beginning of a UTF-8 character that goes on behind it.
std::size_t cut_bytes(std::string_view text) {
  for (std::size_t back = 1; back < kMostCharacterBytes && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0U) == 0x80U) continue;
    const std::size_t length = byte >= 0xf0U ? 4 : byte >= 0xe0U ? 3 : byte >= 0xc0U ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

// NOLINTBEGIN(readability-identifier-naming): RapidJSON's names
/// A stream for RapidJSON, by blocks that are checked to be UTF-8: faster than having it look at each
/// character.
class BlockStream {
 public:
  using Ch = char;

  explicit BlockStream(const ReadBytes& read) : read_(read), block_(kBlockBytes + 1) { fill(); }

  [[gnu::always_inline]] Ch Peek() const { return *at_; }
  [[gnu::always_inline]] Ch Take() {
    if (at_ == end_) return '\0';
    const char taken = *at_;
    if (++at_ == end_) fill();
    return taken;
  }
  std::size_t Tell() const { return before_ + offset_of(at_); }

  // Only for writing, which no parser does.
  Ch* PutBegin() { return nullptr; }
  void Put(Ch) {}
  std::size_t PutEnd(Ch*) { return 0; }

  /// True when everything was read, and was UTF-8.
  bool is_at_end() const { return is_over_ && !has_failed_ && at_ == end_; }

  /// Keeps the text from here on, for marked().
  void mark() { mark_ = at_; }
  /// The text from the mark to here, and the character here. The mark goes.
  std::string_view marked() { return {std::exchange(mark_, nullptr), at_ + 1}; }

 private:
  std::size_t offset_of(const char* place) const { return static_cast<std::size_t>(place - block_.data()); }

  /// At the end, and where something fails, a NUL follows, which ends any parsing.
  [[gnu::noinline]] void fill() {
    const char* keep = mark_ != nullptr ? mark_ : end_;
    const std::size_t kept = static_cast<std::size_t>(end_ - keep);
    before_ += offset_of(keep);
    std::size_t size = kept + carried_;
    std::copy(keep, keep + size, block_.data());
    if (size + kBlockBytes / 2 > block_.size()) block_.resize(2 * block_.size());
    if (mark_ != nullptr) mark_ = block_.data();
    const std::size_t most = block_.size() - 1;
    while (!is_over_ && size < most) {
      const std::ptrdiff_t got = read_(block_.data() + size, most - size);
      has_failed_ = has_failed_ || got < 0;
      is_over_ = got <= 0;
      if (got > 0) size += static_cast<std::size_t>(got);
    }
    carried_ = is_over_ ? 0 : cut_bytes({block_.data(), size});
    at_ = block_.data() + kept;
    end_ = block_.data() + (size - carried_);
    if (!is_valid_utf8({at_, end_})) {
      has_failed_ = is_over_ = true;
      carried_ = 0;
      end_ = at_;
    }
    if (carried_ == 0) *end_ = '\0';
  }

  const ReadBytes& read_;
  std::vector<char> block_;
  char* at_ = block_.data();
  char* end_ = block_.data();
  const char* mark_ = nullptr;
  std::size_t carried_ = 0;  // bytes behind the end that the next block begins with
  std::size_t before_ = 0;   // bytes before the block
  bool is_over_ = false;
  bool has_failed_ = false;
};

// NOLINTEND(readability-identifier-naming)

/// Hands the pieces of a document to a JsonItemHandler.
class Splitter : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Splitter> {
 public:
  Splitter(JsonItemHandler& handler, BlockStream& stream) : handler_(handler), stream_(stream) {}

  bool Null() {
    if (is_in_item()) return events_->on_null(), true;
    return pass([](JsonBuilder& b) { return b.Null(); });
  }
  bool Bool(bool value) {
    if (is_in_item()) return events_->on_bool(value), true;
    return pass([&](JsonBuilder& b) { return b.Bool(value); });
  }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool copy) {
    if (is_in_item()) return events_->on_number({text, length}), true;
    return pass([&](JsonBuilder& b) { return b.RawNumber(text, length, copy); });
  }
  bool String(const char* text, rapidjson::SizeType length, bool copy) {
    if (is_in_item()) return is_valid_utf8({text, length}) && (events_->on_string({text, length}), true);
    return pass([&](JsonBuilder& b) { return b.String(text, length, copy); });
  }
  bool StartObject() {
    if (is_in_item()) return deeper() && (events_->on_object(), true);
    if (open_ == 0 && place_ == Place::kList) events_ = handler_.item_events();
    if (is_in_item()) {
      stream_.mark();
      return deeper() && (events_->on_object(), true);
    }
    if (open_ > 0) return begin([](JsonBuilder& b) { return b.StartObject(); });
    if (place_ == Place::kOutside) return go(Place::kRoot);
    if (place_ == Place::kRoot) return go(Place::kObject) && handler_.on_object(name_);
    return begin([](JsonBuilder& b) { return b.StartObject(); });
  }
  bool StartArray() {
    if (is_in_item()) return deeper() && (events_->on_list(), true);
    if (open_ > 0) return begin([](JsonBuilder& b) { return b.StartArray(); });
    if (place_ == Place::kOutside) return false;
    if (place_ == Place::kRoot) return go(Place::kList) && handler_.on_list(name_);
    return begin([](JsonBuilder& b) { return b.StartArray(); });
  }
  bool Key(const char* text, rapidjson::SizeType length, bool copy) {
    if (is_in_item()) return is_valid_utf8({text, length}) && (events_->on_key({text, length}), true);
    if (open_ > 0) return builder_.Key(text, length, copy);
    std::string& name = place_ == Place::kRoot ? name_ : member_;
    name.assign(text, length);
    auto& names = place_ == Place::kRoot ? root_names_ : member_names_;
    return is_valid_utf8(name) && names.insert(name).second;
  }
  bool EndObject(rapidjson::SizeType count) {
    if (is_in_item()) return events_->on_object_end(), shallower();
    if (open_ > 0) return end([&](JsonBuilder& b) { return b.EndObject(count); });
    return go(place_ == Place::kRoot ? Place::kOutside : Place::kRoot);
  }
  bool EndArray(rapidjson::SizeType count) {
    if (is_in_item()) return events_->on_list_end(), shallower();
    if (open_ > 0) return end([&](JsonBuilder& b) { return b.EndArray(count); });
    return go(Place::kRoot);
  }

 private:
  enum class Place { kOutside, kRoot, kList, kObject };
  static constexpr std::size_t kLevelsAbove = 2;

  /// Within an item that is taken event by event.
  bool is_in_item() const { return events_ != nullptr; }
  bool deeper() { return ++open_ <= Json::kMaxDepth - kLevelsAbove; }
  bool shallower() {
    if (--open_ > 0) return true;
    events_ = nullptr;
    return handler_.on_item_end(stream_.marked());
  }

  bool go(Place place) {
    place_ = place;
    if (place == Place::kObject) member_names_.clear();
    return true;
  }

  template <typename Event>
  bool pass(Event event) {
    if (open_ == 0 && place_ == Place::kOutside) return false;
    return event(builder_) && (open_ > 0 || hand_over());
  }
  template <typename Event>
  bool begin(Event event) {
    ++open_;
    return event(builder_);
  }
  template <typename Event>
  bool end(Event event) {
    --open_;
    return event(builder_) && (open_ > 0 || hand_over());
  }

  bool hand_over() {
    switch (place_) {
      case Place::kList: return handler_.on_item(builder_.take());
      case Place::kObject: return handler_.on_member(member_, builder_.take());
      default: return handler_.on_value(name_, builder_.take());
    }
  }

  JsonItemHandler& handler_;
  BlockStream& stream_;
  JsonEvents* events_ = nullptr;
  JsonBuilder builder_{Json::kMaxDepth - kLevelsAbove};
  std::size_t open_ = 0;  // levels of the value that is being built
  Place place_ = Place::kOutside;
  std::string name_;    // of the member of the root
  std::string member_;  // of a member of that
  std::unordered_set<std::string> root_names_;
  std::unordered_set<std::string> member_names_;
};

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;

}  // namespace

bool read_json_items(const ReadBytes& read, JsonItemHandler& handler) {
  BlockStream stream(read);
  Splitter splitter(handler, stream);
  rapidjson::Reader reader;
  return !reader.Parse<kFlags>(stream, splitter).IsError() && stream.is_at_end();
}

}  // namespace vipauth
