#include "text/json_items.hpp"

#include <memory>
#include <string>
#include <unordered_set>

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

/// A stream for RapidJSON, by blocks that are checked to be UTF-8: faster than having it look at each
/// character.
class BlockStream {
 public:
  using Ch = char;

  explicit BlockStream(const ReadBytes& read)
      : read_(read), block_(std::make_unique_for_overwrite<char[]>(kBlockBytes + 1)) {
    fill();
  }

  Ch Peek() const { return *at_; }
  Ch Take() {
    if (at_ == end_) return '\0';
    const char taken = *at_;
    if (++at_ == end_) fill();
    return taken;
  }
  std::size_t Tell() const { return before_ + static_cast<std::size_t>(at_ - block_.get()); }

  // Only for writing, which no parser does.
  Ch* PutBegin() { return nullptr; }
  void Put(Ch) {}
  std::size_t PutEnd(Ch*) { return 0; }

  /// True when everything was read, and was UTF-8.
  bool is_at_end() const { return is_over_ && !has_failed_ && at_ == end_; }

 private:
  /// At the end, and where something fails, a NUL follows, which ends any parsing.
  void fill() {
    before_ += static_cast<std::size_t>(end_ - block_.get());
    std::size_t size = carried_;
    std::copy(end_, end_ + carried_, block_.get());
    carried_ = 0;
    while (!is_over_ && size < kBlockBytes) {
      const std::ptrdiff_t got = read_(block_.get() + size, kBlockBytes - size);
      has_failed_ = has_failed_ || got < 0;
      is_over_ = got <= 0;
      if (got > 0) size += static_cast<std::size_t>(got);
    }
    carried_ = is_over_ ? 0 : cut_bytes({block_.get(), size});
    if (!is_valid_utf8({block_.get(), size - carried_})) {
      has_failed_ = is_over_ = true;
      size = carried_ = 0;
    }
    at_ = block_.get();
    end_ = at_ + (size - carried_);
    if (carried_ == 0) *end_ = '\0';
  }

  const ReadBytes& read_;
  std::unique_ptr<char[]> block_;
  char* at_ = block_.get();
  char* end_ = block_.get();
  std::size_t carried_ = 0;  // bytes behind the end that the next block begins with
  std::size_t before_ = 0;   // bytes of the blocks before
  bool is_over_ = false;
  bool has_failed_ = false;
};

/// Hands the pieces of a document to a JsonItemHandler.
class Splitter : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Splitter> {
 public:
  explicit Splitter(JsonItemHandler& handler) : handler_(handler) {}

  bool Null() {
    return pass([](JsonBuilder& b) { return b.Null(); });
  }
  bool Bool(bool value) {
    return pass([&](JsonBuilder& b) { return b.Bool(value); });
  }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool copy) {
    return pass([&](JsonBuilder& b) { return b.RawNumber(text, length, copy); });
  }
  bool String(const char* text, rapidjson::SizeType length, bool copy) {
    return pass([&](JsonBuilder& b) { return b.String(text, length, copy); });
  }
  bool StartObject() {
    if (open_ > 0) return begin([](JsonBuilder& b) { return b.StartObject(); });
    if (place_ == Place::kOutside) return go(Place::kRoot);
    if (place_ == Place::kRoot) return go(Place::kObject) && handler_.on_object(name_);
    return begin([](JsonBuilder& b) { return b.StartObject(); });
  }
  bool StartArray() {
    if (open_ > 0) return begin([](JsonBuilder& b) { return b.StartArray(); });
    if (place_ == Place::kOutside) return false;
    if (place_ == Place::kRoot) return go(Place::kList) && handler_.on_list(name_);
    return begin([](JsonBuilder& b) { return b.StartArray(); });
  }
  bool Key(const char* text, rapidjson::SizeType length, bool copy) {
    if (open_ > 0) return builder_.Key(text, length, copy);
    std::string& name = place_ == Place::kRoot ? name_ : member_;
    name.assign(text, length);
    auto& names = place_ == Place::kRoot ? root_names_ : member_names_;
    return is_valid_utf8(name) && names.insert(name).second;
  }
  bool EndObject(rapidjson::SizeType count) {
    if (open_ > 0) return end([&](JsonBuilder& b) { return b.EndObject(count); });
    return go(place_ == Place::kRoot ? Place::kOutside : Place::kRoot);
  }
  bool EndArray(rapidjson::SizeType count) {
    if (open_ > 0) return end([&](JsonBuilder& b) { return b.EndArray(count); });
    return go(Place::kRoot);
  }

 private:
  enum class Place { kOutside, kRoot, kList, kObject };
  static constexpr std::size_t kLevelsAbove = 2;

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
  Splitter splitter(handler);
  rapidjson::Reader reader;
  return !reader.Parse<kFlags>(stream, splitter).IsError() && stream.is_at_end();
}

}  // namespace vipauth
