#include "fleet/list_difference.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "fleet/stored_value.hpp"

namespace vipauth::fleet {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
constexpr std::uint64_t kMostRank = std::numeric_limits<std::uint64_t>::max();

// ---- What is found again ----

/// By what two items are taken for the same, the surest first.
struct By {
  enum class What { kText, kMeaning, kMember, kPlace };
  What what = What::kText;
  std::size_t member = 0;  // of the identity
};

/// Pairs items of two lists, in the order of both.
class Alignment {
 public:
  Alignment(const std::vector<Slot>& before, const std::vector<const Json*>& after,
            const ListIdentity& identity, Scope edits)
      : before_(before),
        after_(after),
        identity_(identity),
        edits_(edits),
        // Of the fleet's record and the site's with the same text, the one of `edits` goes: the fleet's come
        // first.
        keeps_last_(edits == Scope::kFleet),
        slot_of_(after.size(), kNone) {
    align({0, before.size(), 0, after.size()}, By{});
  }

  /// Of each item of `after` its place in `before`, or kNone.
  const std::vector<std::size_t>& slot_of() const { return slot_of_; }

  bool is_same(std::size_t slot, std::size_t item) const {
    return stands_for(*before_[slot].text, after_[item]->dump());
  }

 private:
  struct Range {
    std::size_t first_slot, end_slot, first_item, end_item;
    bool is_empty() const { return first_slot == end_slot || first_item == end_item; }
  };
  struct Pair {
    std::size_t slot, item;
  };
  /// A hash and whose it is. Two that are equal by chance make a change larger, never wrong.
  using Hashed = std::pair<std::size_t, std::size_t>;

  void trim_front(Range& range) {
    for (; !range.is_empty() && is_same(range.first_slot, range.first_item);
         ++range.first_slot, ++range.first_item) {
      slot_of_[range.first_item] = range.first_slot;
    }
  }

  void trim_back(Range& range) {
    for (; !range.is_empty() && is_same(range.end_slot - 1, range.end_item - 1);
         --range.end_slot, --range.end_item) {
      slot_of_[range.end_item - 1] = range.end_slot - 1;
    }
  }

  void align(Range range, By by) {
    if (keeps_last_) trim_back(range);
    trim_front(range);
    if (!keeps_last_) trim_back(range);
    if (range.is_empty()) return;
    if (by.what == By::What::kPlace) {
      pair_by_place(range);
      return;
    }
    for (const Pair& pair : in_both_orders(matches(range, by))) {
      slot_of_[pair.item] = pair.slot;
      align({range.first_slot, pair.slot, range.first_item, pair.item}, next_after(by));
      range.first_slot = pair.slot + 1;
      range.first_item = pair.item + 1;
    }
    align(range, next_after(by));
  }

  By next_after(By by) const {
    if (by.what == By::What::kText) return {By::What::kMeaning};
    const std::size_t member = by.what == By::What::kMember ? by.member + 1 : 0;
    return member < identity_.members.size() ? By{By::What::kMember, member} : By{By::What::kPlace};
  }

  /// What is new may not take the place of what another scope has: it would be that scope's, too.
  void pair_by_place(const Range& range) {
    std::size_t item = range.first_item;
    for (std::size_t slot = range.first_slot; slot < range.end_slot && item < range.end_item; ++slot) {
      if (before_[slot].malformed == nullptr && before_[slot].scope == edits_) slot_of_[item++] = slot;
    }
  }

  std::vector<Pair> matches(const Range& range, By by) const {
    std::vector<Hashed> slots;
    std::vector<Hashed> items;
    for (std::size_t i = range.first_slot; i < range.end_slot; ++i) {
      if (const auto hash = hash_of_slot(before_[i], by)) slots.emplace_back(*hash, i);
    }
    for (std::size_t i = range.first_item; i < range.end_item; ++i) {
      if (const auto hash = hash_of_item(*after_[i], by)) items.emplace_back(*hash, i);
    }
    // Sorted, not in a hash table: who writes values could fill one bucket of it.
    std::sort(slots.begin(), slots.end());
    std::sort(items.begin(), items.end());
    std::vector<Pair> out;
    auto slot = slots.begin();
    for (const Hashed& item : items) {
      while (slot != slots.end() && slot->first < item.first) ++slot;
      if (slot == slots.end()) break;
      if (slot->first == item.first) out.push_back({(slot++)->second, item.second});
    }
    std::sort(out.begin(), out.end(), [](const Pair& a, const Pair& b) { return a.item < b.item; });
    return out;
  }

  std::optional<std::size_t> hash_of_slot(const Slot& slot, By by) const {
    if (by.what == By::What::kText) return hash(*slot.text);
    if (by.what == By::What::kMember && slot.scope != edits_ && !identity_.is_of_both_scopes)
      return std::nullopt;
    return hash_of_item(value_of(*slot.text), by);
  }

  std::optional<std::size_t> hash_of_item(const Json& item, By by) const {
    if (by.what != By::What::kMember) return hash(item.dump());
    const std::string id = item.text_at(identity_.members[by.member]);
    return id.empty() ? std::nullopt : std::optional(hash(id));
  }

  static std::size_t hash(const std::string& text) { return std::hash<std::string>()(text); }

  /// The longest part of the pairs, which are in the order of items, that is in the order of slots, too.
  static std::vector<Pair> in_both_orders(const std::vector<Pair>& pairs) {
    std::vector<std::size_t> ends;  // of the shortest chains: for each length the one with the least slot
    std::vector<std::size_t> previous(pairs.size(), kNone);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto end = std::lower_bound(ends.begin(), ends.end(), i, [&](std::size_t a, std::size_t b) {
        return pairs[a].slot < pairs[b].slot;
      });
      if (end != ends.begin()) previous[i] = *(end - 1);
      if (end == ends.end()) {
        ends.push_back(i);
      } else {
        *end = i;
      }
    }
    std::vector<Pair> out;
    for (std::size_t i = ends.empty() ? kNone : ends.back(); i != kNone; i = previous[i])
      out.push_back(pairs[i]);
    std::reverse(out.begin(), out.end());
    return out;
  }

  const std::vector<Slot>& before_;
  const std::vector<const Json*>& after_;
  const ListIdentity& identity_;
  Scope edits_;
  bool keeps_last_;  // of equal neighbours, the last ones are what is left of more
  std::vector<std::size_t> slot_of_;
};

// ---- Ranks for what is new ----

/// An item of one scope, in the order in which it is to be.
struct Placed {
  std::size_t item = 0;
  std::optional<std::uint64_t> rank;
};

/// Gives ranks to a run of items that have none. Where there is no room between its neighbours, these move.
class Ranking {
 public:
  Ranking(std::vector<Placed>& items, std::uint64_t step) : items_(items), step_(step) {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!items_[i].rank) i = rank_run(i) - 1;
    }
  }

 private:
  /// \return  the end of the run
  std::size_t rank_run(std::size_t first) {
    std::size_t end = first;
    const auto extend = [&] {
      while (end < items_.size() && !items_[end].rank) ++end;
    };
    extend();
    bool is_right = true;
    while (!has_room(first, end)) {
      const bool can_right = end < items_.size();
      if (can_right && (is_right || first == 0)) {
        ++end;
        extend();
      } else {
        --first;
      }
      is_right = !is_right;
    }
    const std::uint64_t low = low_of(first);
    const std::uint64_t step = step_between(first, end);
    for (std::size_t i = first; i < end; ++i) items_[i].rank = low + step * (i - first + 1);
    return end;
  }

  // Ranks go between these two.
  std::uint64_t low_of(std::size_t first) const { return first == 0 ? 0 : *items_[first - 1].rank; }
  std::uint64_t high_of(std::size_t end) const {
    return end == items_.size() ? kMostRank : *items_[end].rank;
  }

  bool has_room(std::size_t first, std::size_t end) const {
    const std::uint64_t low = low_of(first);
    const std::uint64_t high = high_of(end);
    return high > low && high - low - 1 >= end - first;
  }

  std::uint64_t step_between(std::size_t first, std::size_t end) const {
    const std::uint64_t even = (high_of(end) - low_of(first)) / (end - first + 1);
    return end == items_.size() ? std::min(even, step_) : even;
  }

  std::vector<Placed>& items_;
  std::uint64_t step_;
};

// ---- The changes ----

/// What becomes of the ranks of one scope.
using RankChanges = std::map<std::uint64_t, std::optional<std::string>>;

class Difference {
 public:
  Difference(const std::vector<Slot>& before, const std::vector<const Json*>& after,
             const ListIdentity& identity, Scope edits, std::uint64_t step)
      : alignment_(before, after, identity, edits),
        before_(before),
        after_(after),
        edits_(edits),
        step_(step) {}

  Result<ListDifference> make() {
    take_away();
    if (auto done = change_in_place(); !done) return done.error();
    if (auto done = add_new(); !done) return done.error();
    for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
      for (auto& [rank, text] : of(scope)) out_.changes.push_back({scope, rank, nullptr, std::move(text)});
    }
    return std::move(out_);
  }

 private:
  RankChanges& of(Scope scope) { return scope == Scope::kFleet ? fleet_ : site_; }

  void touch(std::size_t slot) {
    if (before_[slot].scope == Scope::kFleet) {
      out_.first_of_fleet = std::min(out_.first_of_fleet.value_or(slot), slot);
    }
  }

  void take_away() {
    std::vector<bool> stays(before_.size(), false);
    for (const std::size_t slot : alignment_.slot_of()) {
      if (slot != kNone) stays[slot] = true;
    }
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (stays[i]) continue;
      touch(i);
      const Slot& slot = before_[i];
      if (slot.malformed != nullptr) {
        out_.changes.push_back({slot.scope, 0, slot.malformed, std::nullopt});
      } else {
        of(slot.scope)[slot.rank] = std::nullopt;
      }
    }
  }

  Result<void> change_in_place() {
    for (std::size_t item = 0; item < after_.size(); ++item) {
      const std::size_t slot = alignment_.slot_of()[item];
      if (slot == kNone || alignment_.is_same(slot, item)) continue;
      touch(slot);
      auto text = text_of(*after_[item]);
      if (!text) return text.error();
      of(before_[slot].scope)[before_[slot].rank] = *std::move(text);
    }
    return {};
  }

  Result<void> add_new() {
    const auto& slot_of = alignment_.slot_of();
    if (std::find(slot_of.begin(), slot_of.end(), kNone) == slot_of.end()) return {};
    std::vector<Placed> placed;
    for (std::size_t item = 0; item < after_.size(); ++item) {
      const std::size_t slot = slot_of[item];
      if (slot == kNone) {
        placed.push_back({item, std::nullopt});
      } else if (before_[slot].scope == edits_ && before_[slot].malformed == nullptr) {
        placed.push_back({item, before_[slot].rank});
      }
    }
    const Ranking ranking(placed, step_);

    RankChanges& changes = of(edits_);
    std::vector<const Placed*> moved;
    for (const Placed& p : placed) {
      const std::size_t slot = slot_of[p.item];
      if (slot != kNone && before_[slot].rank == *p.rank) continue;
      moved.push_back(&p);
      if (slot != kNone) changes[before_[slot].rank] = std::nullopt;
    }
    for (const Placed* p : moved) {
      auto text = text_of(*after_[p->item]);
      if (!text) return text.error();
      changes[*p->rank] = *std::move(text);
    }
    return {};
  }

  Alignment alignment_;
  const std::vector<Slot>& before_;
  const std::vector<const Json*>& after_;
  Scope edits_;
  std::uint64_t step_;
  RankChanges fleet_;
  RankChanges site_;
  ListDifference out_;
};

}  // namespace

Result<ListDifference> list_difference(const std::vector<Slot>& before, const std::vector<const Json*>& after,
                                       const ListIdentity& identity, Scope edits, std::uint64_t step) {
  return Difference(before, after, identity, edits, step).make();
}

}  // namespace vipauth::fleet
