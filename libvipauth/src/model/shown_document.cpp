#include "model/shown_document.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sha256.hpp"
#include "model/bounded_change.hpp"
#include "model/document_change_parts.hpp"
#include "model/policy_parts.hpp"
#include "text/json_canonical.hpp"

namespace vipauth {
namespace {

/// What is shown of a document as one text, of which the members of the root come in the order of their
/// names. In the document they come in that order, or in a few runs of it, for each of which it is read
/// again.
class ShownText : public JsonItemHandler {
 public:
  enum class Form {
    kCanonical,  ///< of which content_digest() is the hash
    kChange,     ///< what Json::dump writes of change_between() nothing and the document
  };

  /// \param outline  of the document, with what is to be added to it
  ShownText(const DocumentOutline& outline, std::initializer_list<Form> forms)
      : outline_(outline), next_(outline.begin()) {
    for (const Form form : forms) texts_.push_back(std::make_unique<Text>(form));
    add("{");
  }

  bool on_list(std::string_view name) override {
    begin(name);
    if (mode_ != Mode::kTake) return true;
    mode_ = Mode::kList;
    names_ = name == kAllow ? &allow_ : name == kDeny ? &deny_ : nullptr;
    add("[");
    return true;
  }
  bool on_object(std::string_view name) override {
    begin(name);
    if (mode_ == Mode::kTake && is_record_list(name)) {
      hide();
    } else if (mode_ == Mode::kTake) {
      mode_ = Mode::kObject;
    }
    return true;
  }
  bool on_item(Json item) override {
    if (mode_ != Mode::kList) return true;
    if (!std::exchange(is_first_, false)) add(",");
    const Json shown = shown_entry(name_, std::move(item));
    add_value(shown);
    if (names_ != nullptr) names_->add(shown);
    return true;
  }
  bool on_member(std::string_view member, Json value) override {
    if (mode_ == Mode::kObject) members_.push_back({std::string(member), std::move(value)});
    return true;
  }
  bool on_value(std::string_view name, Json value) override {
    begin(name);
    if (mode_ != Mode::kTake) return true;
    if (is_record_list(name)) {
      hide();
    } else {
      add_value(value);
      mode_ = Mode::kSkip;
    }
    return true;
  }

  /// Reads the document. \return false  it cannot be read so
  bool read(const OpenDocument& document) {
    constexpr int kMostPasses = 8;
    for (int pass = 0; pass < kMostPasses && next_ != outline_.end(); ++pass) {
      if (!read_json_items(document(), *this)) return false;
      close();
      add_empty();
    }
    add("}");
    return next_ == outline_.end();
  }

  /// Of each form that was asked for. To be called once.
  std::string sha256(Form form) { return text(form).hash.hex(); }
  std::size_t bytes(Form form) { return text(form).bytes; }

  /// What an audit line holds of it as a change, if it is too large. In the place of sha256().
  Json cut() {
    Json out = cut_change(bytes(Form::kChange), sha256(Form::kChange));
    for (const auto& [name, names] : {std::pair{kAllow, &allow_}, std::pair{kDeny, &deny_}}) {
      const auto list = outline_.find(std::string(name));
      const bool is_shown = list != outline_.end() && list->second.kind == MemberOutline::Kind::kList;
      if (is_shown && !list->second.parts.empty()) out.set(name, names->take());
    }
    return out;
  }

 private:
  enum class Mode { kSkip, kTake, kList, kObject };

  struct Text {
    explicit Text(Form a_form) : form(a_form) {}
    const Form form;
    bool is_first_name = true;
    Sha256 hash;
    std::size_t bytes = 0;

    void add(std::string_view text) {
      hash.add(text);
      bytes += text.size();
    }
    void add_value(const Json& value) {
      add(form == Form::kCanonical ? canonical_text(value) : value.dump());
    }
    void add_name(const std::string& name) {
      if (!std::exchange(is_first_name, false)) add(",");
      add(Json(name).dump());
      add(":");
    }
  };

  Text& text(Form form) {
    return **std::find_if(texts_.begin(), texts_.end(), [&](const auto& text) { return text->form == form; });
  }

  void add(std::string_view text) {
    for (const auto& each : texts_) each->add(text);
  }
  void add_value(const Json& value) {
    for (const auto& each : texts_) each->add_value(value);
  }

  /// Empty members, which the document itself may not have. An empty list is no change.
  void add_empty() {
    for (; next_ != outline_.end(); ++next_) {
      const auto& [name, member] = *next_;
      if (!member.parts.empty() || !is_known_member(name)) return;
      const bool is_object = member.kind == MemberOutline::Kind::kObject;
      const bool is_shown = !is_object || !is_record_list(name);
      for (const auto& text : texts_) {
        if (!is_object && text->form == Form::kChange) continue;
        text->add_name(name);
        const Json empty = is_object ? Json(Json::Object()) : Json(Json::Array());
        text->add_value(is_shown ? empty : Json(kNotShown));
      }
    }
  }

  void add_name() {
    for (const auto& text : texts_) text->add_name(next_->first);
    ++next_;
  }

  void begin(std::string_view name) {
    close();
    add_empty();
    if (next_ == outline_.end() || next_->first != name) return;
    add_name();
    name_ = name;
    is_first_ = true;
    mode_ = Mode::kTake;
    if (!is_known_member(name)) hide();
  }

  void hide() {
    add_value(kNotShown);
    mode_ = Mode::kSkip;
  }

  void close() {
    if (mode_ == Mode::kList) add("]");
    if (mode_ == Mode::kObject) add_value(std::exchange(members_, {}));
    mode_ = Mode::kSkip;
  }

  const DocumentOutline& outline_;
  std::vector<std::unique_ptr<Text>> texts_;
  DocumentOutline::const_iterator next_;  // member to be added
  Mode mode_ = Mode::kSkip;
  std::string name_;  // of the member that is open
  bool is_first_ = true;
  Json::Object members_;  // of an object, which may have to be sorted
  RecordNames allow_;
  RecordNames deny_;
  RecordNames* names_ = nullptr;  // of the list that is open
};

}  // namespace

std::optional<std::string> shown_digest(const OpenDocument& document, const DocumentOutline& outline) {
  ShownText text(outline, {ShownText::Form::kCanonical});
  if (!text.read(document)) return std::nullopt;
  return text.sha256(ShownText::Form::kCanonical);
}

std::optional<AuditedChange> large_beginning(const OpenDocument& document, DocumentForm form) {
  using Form = ShownText::Form;
  const auto outline = outline_of(document, form, OutlineDetail::kPresence);
  if (!outline) return std::nullopt;
  ShownText text(*outline, {Form::kChange, Form::kCanonical});
  if (!text.read(document) || text.bytes(Form::kChange) <= AuditEvent::kMaxChangeBytes) return std::nullopt;
  return AuditedChange{Json(), text.cut(), text.sha256(Form::kCanonical)};
}

}  // namespace vipauth
