#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/policy.hpp>

#include "base/hash.hpp"
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

/// A member of the root by no more than digests: of the items of a list, the members of an object, or the
/// value.
struct MemberOutline {
  enum class Kind { kList, kObject, kValue };
  Kind kind = Kind::kValue;
  std::vector<TextDigest> parts;

  bool is_same_as(const MemberOutline& other) const {
    if (kind != other.kind || parts.size() != other.parts.size()) return false;
    if (kind != Kind::kObject) return parts == other.parts;
    const auto sorted = [](std::vector<TextDigest> digests) {
      std::sort(digests.begin(), digests.end());
      return digests;
    };
    return sorted(parts) == sorted(other.parts);
  }
};

using Kind = MemberOutline::Kind;
using Outline = std::map<std::string, MemberOutline>;

/// Whether an outline is to be compared with another, or only says what there is.
enum class Parts { kDigests, kCounted };

/// Makes an outline of a document.
class Outliner : public JsonItemHandler {
 public:
  explicit Outliner(Parts parts) : parts_(parts) {}

  bool on_list(std::string_view name) override { return open(name, Kind::kList); }
  bool on_object(std::string_view name) override { return open(name, Kind::kObject); }
  bool on_item(Json item) override {
    return add([&] { return canonical_text(item); });
  }
  bool on_member(std::string_view member, Json value) override {
    if (name_ == kVersion && member == "major") major_ = whole_number(&value);
    if (name_ == kVersion && member == "minor") minor_ = whole_number(&value);
    return add([&] { return Json(member).dump() + canonical_text(value); });
  }
  bool on_value(std::string_view name, Json value) override {
    return open(name, Kind::kValue) && add([&] { return canonical_text(value); });
  }

  /// Adds what an auth.json is written with in any case. \return false  it is none of the present version
  bool complete() {
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

  Outline take() { return std::move(outline_); }

 private:
  bool open(std::string_view name, Kind kind) {
    name_ = name;
    open_ = &outline_[name_];
    open_->kind = kind;
    return true;
  }

  template <typename Text>
  bool add(Text text) {
    open_->parts.push_back(parts_ == Parts::kDigests ? keyed_digest(text()) : TextDigest{});
    return true;
  }

  const Parts parts_;
  Outline outline_;
  MemberOutline* open_ = nullptr;
  std::string name_;
  std::optional<int> major_;
  std::optional<int> minor_;
};

std::optional<Outline> outline_of(const OpenDocument& document, DocumentForm form,
                                  Parts parts = Parts::kDigests) {
  if (!document) return Outline();
  Outliner outliner(parts);
  if (!read_json_items(document(), outliner)) return std::nullopt;
  if (form == DocumentForm::kAuthFile && !outliner.complete()) return std::nullopt;
  return outliner.take();
}

/// What of a member goes into the reduced document of its side.
struct Selection {
  Kind kind = Kind::kValue;
  std::vector<bool> is_taken;     // of the parts
  std::optional<Json> stands_in;  // for all of it, where that differs but is not shown

  bool is_empty() const { return std::find(is_taken.begin(), is_taken.end(), true) == is_taken.end(); }
};

using Selections = std::map<std::string, Selection>;

/// Marks the parts that the other list does not have. Of equal ones the first have their like on the other
/// side.
void mark_apart(const std::vector<TextDigest>& before, const std::vector<TextDigest>& after,
                std::vector<bool>& before_apart, std::vector<bool>& after_apart) {
  const auto sorted = [](const std::vector<TextDigest>& digests) {
    std::vector<std::uint32_t> order(digests.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return digests[a] == digests[b] ? a < b : digests[a] < digests[b];
    });
    return order;
  };
  before_apart.assign(before.size(), false);
  after_apart.assign(after.size(), false);
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
}

/// Chooses what two members, of which one may not be there, do not have in common.
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
    mark_apart((before == nullptr ? kNothing : *before).parts, (after == nullptr ? kNothing : *after).parts,
               from.is_taken, to.is_taken);
    if (are_lists && are_both_there && from.is_empty() && to.is_empty()) {  // another order
      from.stands_in = Json::Array{0, 1};
      to.stands_in = Json::Array{1, 0};
    }
  } else {
    if (before != nullptr) from.is_taken.assign(before->parts.size(), true);
    if (after != nullptr) to.is_taken.assign(after->parts.size(), true);
  }
  if (before != nullptr) of_before.emplace(name, std::move(from));
  if (after != nullptr) of_after.emplace(name, std::move(to));
}

/// Reads what is selected of a document, and no further.
class Picker : public JsonItemHandler {
 public:
  explicit Picker(const Selections& selections) : selections_(selections) {
    for (const auto& [name, selection] : selections) {
      if (selection.stands_in) continue;
      left_ +=
          static_cast<std::size_t>(std::count(selection.is_taken.begin(), selection.is_taken.end(), true));
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
    next_ = 0;
    if (selection_ == nullptr) return true;
    if (selection_->kind != kind) return false;
    picked_.push_back({std::string(name), std::move(value)});
    if (kind == Kind::kValue) --left_;
    return true;
  }

  bool is_next_taken() {
    if (selection_ == nullptr) return false;
    is_as_outlined_ = is_as_outlined_ && next_ < selection_->is_taken.size();
    const bool is_taken = is_as_outlined_ && selection_->is_taken[next_++];
    if (is_taken) --left_;
    return is_taken;
  }

  const Selections& selections_;
  std::size_t left_ = 0;                  // parts that are still to be taken
  const Selection* selection_ = nullptr;  // of the member that is open
  std::size_t next_ = 0;                  // of its parts
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
  ShownText(const Outline& outline, Form form) : outline_(outline), form_(form), next_(outline.begin()) {
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
    const Json shown = shown_entry(name_, item);
    add(text_of(shown));
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
      add(text_of(value));
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

  std::string sha256() { return hash_.hex(); }
  std::size_t bytes() const { return bytes_; }

  /// What an audit line holds of it as a change, if it is too large.
  Json cut() {
    Json out = cut_change(bytes_, sha256());
    for (const auto& [name, names] : {std::pair{kAllow, &allow_}, std::pair{kDeny, &deny_}}) {
      const auto list = outline_.find(std::string(name));
      const bool is_shown = list != outline_.end() && list->second.kind == Kind::kList;
      if (is_shown && !list->second.parts.empty()) out.set(name, names->take());
    }
    return out;
  }

 private:
  enum class Mode { kSkip, kTake, kList, kObject };

  void add(std::string_view text) {
    hash_.add(text);
    bytes_ += text.size();
  }

  std::string text_of(const Json& value) const {
    return form_ == Form::kCanonical ? canonical_text(value) : value.dump();
  }

  /// Empty members, which the document itself may not have. An empty list is no change.
  void add_empty() {
    while (next_ != outline_.end() && next_->second.parts.empty() && is_known_member(next_->first)) {
      const bool is_object = next_->second.kind == Kind::kObject;
      if (!is_object && form_ == Form::kChange) {
        ++next_;
        continue;
      }
      const bool is_shown = !is_object || !is_record_list(next_->first);
      add_name();
      add(is_shown ? std::string(is_object ? "{}" : "[]") : Json(kNotShown).dump());
    }
  }

  void add_name() {
    if (!std::exchange(is_first_name_, false)) add(",");
    add(Json(next_->first).dump());
    add(":");
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
    add(Json(kNotShown).dump());
    mode_ = Mode::kSkip;
  }

  void close() {
    if (mode_ == Mode::kList) add("]");
    if (mode_ == Mode::kObject) add(text_of(Json(std::exchange(members_, {}))));
    mode_ = Mode::kSkip;
  }

  const Outline& outline_;
  const Form form_;
  Outline::const_iterator next_;  // member to be added
  bool is_first_name_ = true;
  Mode mode_ = Mode::kSkip;
  std::string name_;  // of the member that is open
  bool is_first_ = true;
  Json::Object members_;  // of an object, which may have to be sorted
  RecordNames allow_;
  RecordNames deny_;
  RecordNames* names_ = nullptr;  // of the list that is open
  Sha256 hash_;
  std::size_t bytes_ = 0;
};

std::optional<std::string> digest_of(const OpenDocument& document, const Outline& outline) {
  ShownText text(outline, ShownText::Form::kCanonical);
  if (!text.read(document)) return std::nullopt;
  return text.sha256();
}

/// Of a document that is all new. \return nothing  it cannot be read so, or it is small
std::optional<AuditedChange> large_beginning(const OpenDocument& document, DocumentForm form) {
  const auto outline = outline_of(document, form, Parts::kCounted);
  if (!outline) return std::nullopt;
  ShownText text(*outline, ShownText::Form::kChange);
  if (!text.read(document) || text.bytes() <= AuditEvent::kMaxChangeBytes) return std::nullopt;
  auto digest = digest_of(document, *outline);
  if (!digest) return std::nullopt;
  return AuditedChange{Json(), text.cut(), *std::move(digest)};
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
    const auto left = outline_of(before, form);
    const auto right = left ? outline_of(after, form) : std::nullopt;
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
