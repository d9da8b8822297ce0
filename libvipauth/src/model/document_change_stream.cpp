#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/policy.hpp>

#include "base/hash.hpp"
#include "base/sha256.hpp"
#include "model/bounded_change.hpp"
#include "model/document_change.hpp"
#include "model/document_change_parts.hpp"
#include "model/policy_parts.hpp"
#include "model/whole_number.hpp"
#include "text/json_canonical.hpp"

namespace vipauth {
namespace {

constexpr std::array<std::string_view, 2> kRecordLists{kAllow, kDeny};
constexpr std::array<std::string_view, 2> kNamed{kGroups, kRoles};
constexpr std::string_view kVersion = "version";

bool is_named(std::string_view name) { return name == kGroups || name == kRoles; }

/// Some of a member, by no more than a digest: the value, a member of an object, or neighbours in a list.
struct Part {
  TextDigest digest{};
  std::uint32_t items = 1;

  friend bool operator==(const Part&, const Part&) = default;
  friend auto operator<=>(const Part&, const Part&) = default;
};

/// A member of the root by its parts.
struct MemberOutline {
  enum class Kind { kList, kObject, kValue };
  Kind kind = Kind::kValue;
  std::vector<Part> parts;

  bool is_same_as(const MemberOutline& other) const {
    if (kind != other.kind || parts.size() != other.parts.size()) return false;
    if (kind != Kind::kObject) return parts == other.parts;
    const auto sorted = [](std::vector<Part> unsorted) {
      std::sort(unsorted.begin(), unsorted.end());
      return unsorted;
    };
    return sorted(parts) == sorted(other.parts);
  }
};

using Kind = MemberOutline::Kind;
using Outline = std::map<std::string, MemberOutline>;

/// Takes neighbours in a list together, by some of their digests: where a list changes, only the neighbours
/// of what changed are others than before.
class Neighbours {
 public:
  void add(std::string_view item, std::vector<Part>& parts) {
    const TextDigest digest = keyed_digest(item);
    digests_.append(digest.begin(), digest.end());
    const bool is_last = (digest.front() & kMask) == 0;
    if (++items_ == kMost || is_last) close(parts);
  }
  void close(std::vector<Part>& parts) {
    if (items_ == 0) return;
    parts.push_back({keyed_digest(digests_), std::exchange(items_, 0)});
    digests_.clear();
  }

 private:
  static constexpr unsigned kMask = 0x0f;  // one of 16 is the last of its part
  static constexpr std::uint32_t kMost = 256;

  std::string digests_;
  std::uint32_t items_ = 0;
};

/// Hears what is in an item, and keeps nothing of it.
class Unheard : public JsonEvents {
 public:
  void on_null() override {}
  void on_bool(bool) override {}
  void on_number(std::string_view) override {}
  void on_string(std::string_view) override {}
  void on_object() override {}
  void on_key(std::string_view) override {}
  void on_object_end() override {}
  void on_list() override {}
  void on_list_end() override {}
};

/// Whether an outline is to be compared with another, or only says what has any parts.
enum class Detail { kDigests, kPresence };

/// Makes an outline of a document.
class Outliner : public JsonItemHandler {
 public:
  explicit Outliner(Detail detail) : detail_(detail) {}

  bool on_list(std::string_view name) override { return open(name, Kind::kList); }
  bool on_object(std::string_view name) override { return open(name, Kind::kObject); }
  bool on_item(Json item) override {
    if (detail_ == Detail::kPresence) return note();
    neighbours_.add(canonical_text(item), open_->parts);
    return true;
  }
  JsonEvents* item_events() override { return detail_ == Detail::kPresence ? &unheard_ : nullptr; }
  bool on_item_end(std::string_view) override { return note(); }
  bool on_member(std::string_view member, Json value) override {
    if (name_ == kVersion && member == "major") major_ = whole_number(&value);
    if (name_ == kVersion && member == "minor") minor_ = whole_number(&value);
    if (detail_ == Detail::kPresence) return note();
    open_->parts.push_back({keyed_digest(Json(member).dump() + canonical_text(value))});
    return true;
  }
  bool on_value(std::string_view name, Json value) override {
    open(name, Kind::kValue);
    open_->parts.push_back({keyed_digest(canonical_text(value))});
    return true;
  }

  /// Adds what an auth.json is written with in any case. \return false  it is none of the present version
  bool complete() {
    close();
    for (const std::string_view name : kRecordLists) {
      if (outline_.try_emplace(std::string(name), MemberOutline{Kind::kList, {}}).first->second.kind !=
          Kind::kList)
        return false;
    }
    for (const std::string_view name : kNamed) {
      if (outline_.try_emplace(std::string(name), MemberOutline{Kind::kObject, {}}).first->second.kind !=
          Kind::kObject)
        return false;
    }
    return major_ == Policy::kVersion.major && minor_ == Policy::kVersion.minor;
  }

  Outline take() {
    close();
    return std::move(outline_);
  }

 private:
  bool open(std::string_view name, Kind kind) {
    close();
    name_ = name;
    open_ = &outline_[name_];
    open_->kind = kind;
    return true;
  }
  void close() {
    if (open_ != nullptr) neighbours_.close(open_->parts);
  }
  bool note() {
    if (open_->parts.empty()) open_->parts.emplace_back();
    return true;
  }

  const Detail detail_;
  Unheard unheard_;
  Outline outline_;
  MemberOutline* open_ = nullptr;
  Neighbours neighbours_;  // in the list that is open
  std::string name_;
  std::optional<int> major_;
  std::optional<int> minor_;
};

std::optional<Outline> outline_of(const OpenDocument& document, DocumentForm form, Detail detail) {
  if (!document) return Outline();
  Outliner outliner(detail);
  if (!read_json_items(document(), outliner)) return std::nullopt;
  if (form == DocumentForm::kAuthFile && !outliner.complete()) return std::nullopt;
  return outliner.take();
}

/// What of a member goes into the reduced document of its side.
struct Selection {
  struct Run {
    std::size_t items = 0;
    bool is_taken = false;
  };

  Kind kind = Kind::kValue;
  std::vector<Run> runs;
  std::size_t taken = 0;          // items
  std::optional<Json> stands_in;  // for all of it, where that differs but is not shown

  void add(const Part& part, bool is_taken) {
    if (runs.empty() || runs.back().is_taken != is_taken) runs.push_back({0, is_taken});
    runs.back().items += part.items;
    if (is_taken) taken += part.items;
  }
};

using Selections = std::map<std::string, Selection>;

/// Of both: the parts that the other does not have. Of equal ones the first have their like on the other
/// side.
void select_apart(const std::vector<Part>& before, const std::vector<Part>& after, Selection& from,
                  Selection& to) {
  const auto sorted = [](const std::vector<Part>& parts) {
    std::vector<std::uint32_t> order(parts.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return parts[a] == parts[b] ? a < b : parts[a] < parts[b];
    });
    return order;
  };
  std::vector<bool> before_apart(before.size());
  std::vector<bool> after_apart(after.size());
  const auto left = sorted(before);
  const auto right = sorted(after);
  auto i = left.begin();
  auto j = right.begin();
  while (i != left.end() || j != right.end()) {
    if (j == right.end() || (i != left.end() && before[*i] < after[*j])) {
      before_apart[*i++] = true;
    } else if (i == left.end() || after[*j] < before[*i]) {
      after_apart[*j++] = true;
    } else {
      ++i;
      ++j;
    }
  }
  for (std::size_t k = 0; k < before.size(); ++k) from.add(before[k], before_apart[k]);
  for (std::size_t k = 0; k < after.size(); ++k) to.add(after[k], after_apart[k]);
}

void select_all(const MemberOutline& member, Selection& selection) {
  for (const Part& part : member.parts) selection.add(part, true);
}

/// Chooses what two members, of which one may not be there, do not have in common, with neighbours of it.
void select(const std::string& name, const MemberOutline* before, const MemberOutline* after,
            Selections& of_before, Selections& of_after) {
  if (before != nullptr && after != nullptr && before->is_same_as(*after)) return;
  static const MemberOutline kNothing{Kind::kList, {}};
  Selection from;
  Selection to;
  from.kind = before == nullptr ? Kind::kList : before->kind;
  to.kind = after == nullptr ? Kind::kList : after->kind;
  const bool are_lists = from.kind == Kind::kList && to.kind == Kind::kList;
  const bool are_both_there = before != nullptr && after != nullptr;
  const bool are_objects = are_both_there && from.kind == Kind::kObject && to.kind == Kind::kObject;
  if (!is_known_member(name)) {
    from.stands_in = Json(0);
    to.stands_in = Json(1);
  } else if (are_lists || (are_objects && is_named(name))) {
    select_apart((before == nullptr ? kNothing : *before).parts, (after == nullptr ? kNothing : *after).parts,
                 from, to);
    if (are_lists && are_both_there && from.taken == 0 && to.taken == 0) {  // another order
      from.stands_in = Json::Array{0, 1};
      to.stands_in = Json::Array{1, 0};
    }
  } else {
    if (before != nullptr) select_all(*before, from);
    if (after != nullptr) select_all(*after, to);
  }
  if (before != nullptr) of_before.emplace(name, std::move(from));
  if (after != nullptr) of_after.emplace(name, std::move(to));
}

/// Reads what is selected of a document, and no further.
class Picker : public JsonItemHandler {
 public:
  explicit Picker(const Selections& selections) : selections_(selections) {
    for (const auto& [name, selection] : selections) {
      if (!selection.stands_in) left_ += selection.taken;
    }
  }

  bool on_list(std::string_view name) override { return open(name, Kind::kList, Json(Json::Array())); }
  bool on_object(std::string_view name) override { return open(name, Kind::kObject, Json(Json::Object())); }
  bool on_item(Json item) override {
    if (is_next_taken()) picked_.back().value.as_array().push_back(std::move(item));
    return is_as_outlined_ && !is_complete();
  }
  bool on_member(std::string_view member, Json value) override {
    if (is_next_taken()) picked_.back().value.as_object().push_back({std::string(member), std::move(value)});
    return is_as_outlined_ && !is_complete();
  }
  bool on_value(std::string_view name, Json value) override {
    return open(name, Kind::kValue, std::move(value)) && !is_complete();
  }

  bool is_complete() const { return left_ == 0; }
  Json::Object take() { return std::move(picked_); }

 private:
  bool open(std::string_view name, Kind kind, Json value) {
    const auto found = selections_.find(std::string(name));
    selection_ = found == selections_.end() || found->second.stands_in ? nullptr : &found->second;
    run_ = 0;
    item_ = 0;
    if (selection_ == nullptr) return true;
    if (selection_->kind != kind) return false;
    picked_.push_back({std::string(name), std::move(value)});
    if (kind == Kind::kValue) --left_;
    return true;
  }

  bool is_next_taken() {
    if (selection_ == nullptr) return false;
    is_as_outlined_ = is_as_outlined_ && run_ < selection_->runs.size();
    if (!is_as_outlined_) return false;
    const Selection::Run& run = selection_->runs[run_];
    if (++item_ == run.items) {
      ++run_;
      item_ = 0;
    }
    if (run.is_taken) --left_;
    return run.is_taken;
  }

  const Selections& selections_;
  std::size_t left_ = 0;                  // items that are still to be taken
  const Selection* selection_ = nullptr;  // of the member that is open
  std::size_t run_ = 0;                   // where in it
  std::size_t item_ = 0;                  // of the run
  bool is_as_outlined_ = true;            // else somebody writes into the document
  Json::Object picked_;
};

/// A document of nothing but what is selected.
std::optional<Json> reduced(const OpenDocument& document, const Selections& selections) {
  Picker picker(selections);
  if (!picker.is_complete() && !read_json_items(document(), picker) && !picker.is_complete()) {
    return std::nullopt;
  }
  Json out(picker.take());
  for (const auto& [name, selection] : selections) {
    if (out.find(name) != nullptr) continue;
    out.set(name, selection.stands_in               ? *selection.stands_in
                  : selection.kind == Kind::kObject ? Json(Json::Object())
                                                    : Json(Json::Array()));
  }
  return out;
}

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
  ShownText(const Outline& outline, std::initializer_list<Form> forms)
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
      const bool is_shown = list != outline_.end() && list->second.kind == Kind::kList;
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
      const bool is_object = member.kind == Kind::kObject;
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

  const Outline& outline_;
  std::vector<std::unique_ptr<Text>> texts_;
  Outline::const_iterator next_;  // member to be added
  Mode mode_ = Mode::kSkip;
  std::string name_;  // of the member that is open
  bool is_first_ = true;
  Json::Object members_;  // of an object, which may have to be sorted
  RecordNames allow_;
  RecordNames deny_;
  RecordNames* names_ = nullptr;  // of the list that is open
};

std::optional<std::string> digest_of(const OpenDocument& document, const Outline& outline) {
  ShownText text(outline, {ShownText::Form::kCanonical});
  if (!text.read(document)) return std::nullopt;
  return text.sha256(ShownText::Form::kCanonical);
}

/// Of a document that is all new. \return nothing  it cannot be read so, or it is small
std::optional<AuditedChange> large_beginning(const OpenDocument& document, DocumentForm form) {
  using Form = ShownText::Form;
  const auto outline = outline_of(document, form, Detail::kPresence);
  if (!outline) return std::nullopt;
  ShownText text(*outline, {Form::kChange, Form::kCanonical});
  if (!text.read(document) || text.bytes(Form::kChange) <= AuditEvent::kMaxChangeBytes) return std::nullopt;
  return AuditedChange{Json(), text.cut(), text.sha256(Form::kCanonical)};
}

}  // namespace

std::optional<AuditedChange> audited_change(const OpenDocument& before, const OpenDocument& after,
                                            DocumentForm form) {
  if (!before) {
    if (auto change = large_beginning(after, form)) return change;
  }
  Selections of_before;
  Selections of_after;
  std::optional<std::string> digest;
  {
    const auto left = outline_of(before, form, Detail::kDigests);
    const auto right = left ? outline_of(after, form, Detail::kDigests) : std::nullopt;
    if (!right) return std::nullopt;
    std::set<std::string> names;
    for (const Outline* outline : {&*left, &*right}) {
      for (const auto& [name, member] : *outline) names.insert(name);
    }
    const auto find = [](const Outline& outline, const std::string& name) {
      const auto found = outline.find(name);
      return found == outline.end() ? nullptr : &found->second;
    };
    for (const std::string& name : names) {
      select(name, find(*left, name), find(*right, name), of_before, of_after);
    }
    digest = digest_of(after, *right);
  }
  if (!digest) return std::nullopt;
  const auto from = reduced(before, of_before);
  const auto to = from ? reduced(after, of_after) : std::nullopt;
  if (!to) return std::nullopt;
  DocumentChange change = change_between(*from, *to);
  return AuditedChange{std::move(change.before), std::move(change.after), *std::move(digest)};
}

}  // namespace vipauth
