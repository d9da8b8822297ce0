#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// One of a list, as it is stored: the fleet's come first, in each scope those without a rank.
struct Slot {
  Scope scope = Scope::kFleet;
  std::uint64_t rank = 0;
  const std::string* text = nullptr;       ///< the value, or what stands for it where there is no rank
  const std::string* malformed = nullptr;  ///< what stands for the rank, where there is none
};

/// A key of a list, and what becomes its value; nothing: it goes.
struct SlotChange {
  Scope scope = Scope::kFleet;
  std::uint64_t rank = 0;
  const std::string* malformed = nullptr;
  std::optional<std::string> text;
};

struct ListDifference {
  std::vector<SlotChange> changes;
  /// The first place of `before` that is the fleet's, and is changed or goes.
  std::optional<std::size_t> first_of_fleet;
};

/// By what an item is found again, when neither its text nor its meaning is.
struct ListIdentity {
  std::vector<std::string_view> members;  ///< texts that say which one it is, the surest first
  /// Also what is of the scope that is not edited. Not where items deny or protect: what one site has there
  /// could be made to look like what is meant for all, and keep it from them.
  bool is_of_both_scopes = false;
};

/// Few changes that make `after` of `before`. What is found again keeps its key: by its text, its meaning,
/// its identity, or, of `edits`, its place, in that order. What is not found again of the other scope goes.
/// What is new is put in `edits`: where it stands among what is there, at the end with `step` between ranks.
/// \return what text_of returns
Result<ListDifference> list_difference(const std::vector<Slot>& before, const std::vector<const Json*>& after,
                                       const ListIdentity& identity, Scope edits, std::uint64_t step);

}  // namespace vipauth::fleet
