#include <algorithm>
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

#include "model/document_change.hpp"
#include "model/document_change_parts.hpp"
#include "model/document_outline.hpp"
#include "model/policy_parts.hpp"
#include "model/shown_document.hpp"

namespace vipauth {
namespace {

using Kind = MemberOutline::Kind;
using Part = MemberOutline::Part;

bool is_named(std::string_view name) { return name == kGroups || name == kRoles; }

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
    const auto left = outline_of(before, form, OutlineDetail::kDigests);
    const auto right = left ? outline_of(after, form, OutlineDetail::kDigests) : std::nullopt;
    if (!right) return std::nullopt;
    std::set<std::string> names;
    for (const DocumentOutline* outline : {&*left, &*right}) {
      for (const auto& [name, member] : *outline) names.insert(name);
    }
    const auto find = [](const DocumentOutline& outline, const std::string& name) {
      const auto found = outline.find(name);
      return found == outline.end() ? nullptr : &found->second;
    };
    for (const std::string& name : names) {
      select(name, find(*left, name), find(*right, name), of_before, of_after);
    }
    digest = shown_digest(after, *right);
  }
  if (!digest) return std::nullopt;
  const auto from = reduced(before, of_before);
  const auto to = from ? reduced(after, of_after) : std::nullopt;
  if (!to) return std::nullopt;
  DocumentChange change = change_between(*from, *to);
  return AuditedChange{std::move(change.before), std::move(change.after), *std::move(digest)};
}

}  // namespace vipauth
