// A JSON text: what all readers and writers of it make of it.
#include <optional>
#include <utility>

#include "fuzz.hpp"
#include "text/json_canonical.hpp"
#include "text/json_check.hpp"
#include "text/json_comments.hpp"
#include "text/json_items.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

/// Builds a value from events.
class Builder : public JsonEvents {
 public:
  void on_null() override { put(nullptr); }
  void on_bool(bool value) override { put(value); }
  void on_number(std::string_view digits) override { put(Json::Number{std::string(digits)}); }
  void on_string(std::string_view text) override { put(text); }
  void on_object() override { open_.emplace_back(Json::Object()); }
  void on_key(std::string_view name) override { names_.emplace_back(name); }
  void on_object_end() override { close(); }
  void on_list() override { open_.emplace_back(Json::Array()); }
  void on_list_end() override { close(); }

  Json take() { return std::exchange(whole_, Json()); }
  void begin() {
    open_.clear();
    names_.clear();
  }

 private:
  void put(Json value) {
    if (open_.empty()) {
      whole_ = std::move(value);
    } else if (open_.back().is_array()) {
      open_.back().as_array().push_back(std::move(value));
    } else {
      open_.back().as_object().push_back({std::move(names_.back()), std::move(value)});
      names_.pop_back();
    }
  }
  void close() {
    Json value = std::move(open_.back());
    open_.pop_back();
    put(std::move(value));
  }

  std::vector<Json> open_;
  std::vector<std::string> names_;
  Json whole_;
};

/// Puts a document together again from its items.
class Collector : public JsonItemHandler {
 public:
  explicit Collector(bool with_events) : with_events_(with_events) {}

  bool on_list(std::string_view name) override { return add(name, Json::Array()); }
  bool on_object(std::string_view name) override { return add(name, Json::Object()); }
  bool on_item(Json item) override {
    last().as_array().push_back(std::move(item));
    return true;
  }
  JsonEvents* item_events() override {
    if (!with_events_) return nullptr;
    builder_.begin();
    return &builder_;
  }
  bool on_item_end(std::string_view text) override {
    auto parsed = Json::parse(text);
    if (!parsed) return false;  // a member that is there twice
    require_same(builder_.take().dump(), parsed->dump());
    return on_item(*std::move(parsed));
  }
  bool on_member(std::string_view member, Json value) override {
    last().as_object().push_back({std::string(member), std::move(value)});
    return true;
  }
  bool on_value(std::string_view name, Json value) override { return add(name, std::move(value)); }

  Json document{Json::Object()};

 private:
  Json& last() { return document.as_object().back().value; }
  bool add(std::string_view name, Json value) {
    document.as_object().push_back({std::string(name), std::move(value)});
    return true;
  }

  bool with_events_;
  Builder builder_;
};

std::optional<Json> by_items(std::string_view text, bool with_events, std::size_t piece) {
  Collector collector(with_events);
  if (!read_json_items(reader_of(text, piece), collector)) return std::nullopt;
  return std::move(collector.document);
}

void check_value(const Json& value) {
  const std::string text = value.dump();
  require(std::none_of(text.begin(), text.end(), [](char c) { return c < 0x20 || c == 0x7f; }), text);
  const auto again = Json::parse(text);
  require(again.has_value(), text);
  require_same(again->dump(), text);
  require(*again == value && survives_writing(value) && digest_of(*again) == digest_of(value), text);
  const auto pretty = Json::parse(value.dump_pretty());
  require(pretty && pretty->dump() == text && pretty->dump_pretty() == value.dump_pretty(), text);

  const Json canonical = value.canonical();
  require(canonical == value && value == canonical, text);
  require_same(canonical.dump(), canonical_text(value));
  require_same(canonical.canonical().dump(), canonical.dump());
  require(Json::parse(canonical.dump()).has_value(), canonical.dump());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  const auto strict = Json::parse(text);
  const auto loose = Json::parse_with_comments(text);
  if (!strict) require_good(strict.error(), size);
  if (!loose) require_good(loose.error(), size);
  if (strict) {
    require(is_valid_utf8(text));
    check_value(*strict);
    require(loose && !loose->had_comments && loose->value.dump() == strict->dump());
  }
  if (loose) {
    check_value(loose->value);
    require(strict.has_value() != loose->had_comments);
    const auto accepted = Json::parse(text, Json::Comments::kAccept);
    require(accepted && accepted->dump() == loose->value.dump());
  }
  if (const auto blanked = blank_comments(text)) {
    require(blanked->text.size() == size);
    for (std::size_t i = 0; i < size; ++i) {
      require(blanked->text[i] == text[i] || (blanked->text[i] == ' ' && text[i] != '\n'));
    }
    const auto twice = blank_comments(blanked->text);
    require(twice && !twice->found && twice->text == blanked->text);
  }

  const std::optional<std::string> expected =
      strict && strict->is_object() ? std::optional(strict->dump()) : std::nullopt;
  for (const bool with_events : {false, true}) {
    for (const std::size_t piece : {SIZE_MAX, std::size_t{3}}) {
      const auto items = by_items(text, with_events, piece);
      require(items.has_value() == expected.has_value(), items ? "only by items" : "not by items");
      if (items) require_same(items->dump(), *expected);
    }
  }
  return 0;
}
