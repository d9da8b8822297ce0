#pragma once

// What agents say in the subsystem `pubsub`, and who subscribed to what.

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vip_router {

constexpr std::size_t kMaxTopicBytes = 1024;

/// Who subscribed to which prefixes of topics. Finding the subscribers of a topic takes as many steps as
/// there are lengths of prefixes, however many peers there are.
class Subscriptions {
 public:
  static constexpr std::size_t kMaxOfOne = 1000;

  /// False where that peer has as many as it may.
  bool add(const std::string& peer, const std::string& prefix);
  void remove(const std::string& peer, const std::string& prefix);
  void remove_all(const std::string& peer);

  /// Adds those who get a message of this topic.
  void find(std::string_view topic, std::set<std::string, std::less<>>& peers) const;

  /// Tells the prefixes that begin with a text or (reverse) that the text begins with, until `tell` says no.
  void list(
      std::string_view text, bool reverse,
      const std::function<bool(const std::string& prefix, const std::set<std::string>& peers)>& tell) const;

 private:
  std::map<std::string, std::set<std::string>, std::less<>> by_prefix_;
  std::map<std::string, std::set<std::string>, std::less<>> by_peer_;
  std::map<std::size_t, std::size_t> lengths_;  // of prefixes, and how many have each
};

/// Which of an agent's subscriptions are meant: VOLTTRON keeps those apart that hold for several platforms.
enum class Reach { kInternal, kAll };
constexpr std::size_t kReaches = 2;

/// The arguments of subscribe and unsubscribe.
struct Selection {
  Reach reach = Reach::kInternal;
  std::optional<std::vector<std::string>> prefixes;  ///< none: all that there are
};

/// \return kInvalidArgument, kLimitExceeded, kParseError
vipauth::Result<Selection> read_subscribe(std::string_view json);
vipauth::Result<Selection> read_unsubscribe(std::string_view json);

/// The arguments of synchronize: what takes the place of an agent's subscriptions.
vipauth::Result<std::vector<Selection>> read_synchronize(std::string_view json);

/// The arguments of list.
struct Listing {
  Reach reach = Reach::kInternal;
  std::string prefix;
  bool only_own = true;
  bool reverse = false;
};
vipauth::Result<Listing> read_list(std::string_view json);

/// What subscribers get of a message that `sender` published.
vipauth::Result<std::string> delivered_body(std::string_view published, const std::string& sender);

}  // namespace vip_router
