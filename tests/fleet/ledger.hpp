#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <vipauth/auth_file.hpp>
#include <vipauth/policy.hpp>

#include "model/reference_model.hpp"
#include "soak/world.hpp"

namespace vipauth::fleet_drill {

/// Whose capabilities tell which version of the policy is in force: this user has the role that each edit
/// leaves its mark in.
inline constexpr std::string_view kMarkUser = "drill";

/// The version of which a policy is, by its mark: 0, 1, 2... Nothing: it has none.
struct Mark {
  std::uint64_t version = 0;
  std::string editor;  ///< which edit has made it: no two have the same
  friend bool operator==(const Mark&, const Mark&) = default;
};
Mark mark_of(const Policy& policy);
/// The same of the names of a user's capabilities.
Mark mark_of(const std::vector<std::string>& capabilities);

/// One answer of a bus.
struct Heard {
  std::string bus;
  soak::Ask ask;  ///< or "connect"
  test::model::StandingSession session;
  bool allowed = false;
  std::uint64_t first = 0;  ///< the version in force there before it was asked
  std::uint64_t last = 0;   ///< and after it was answered
};

/// Knows each version that the fleet's policy has had, and what each bus has answered.
///
/// Each edit takes the number N in the policy that it is made on, and leaves N + 1, with an id of its own. So
/// the versions are a chain, if edits are linearizable, and each is known for certain: either its edit was
/// acknowledged, or an acknowledged one was made on it (for an edit in doubt, that tells that it was made).
/// Two acknowledged edits of one number, or an edit made on something else than what was acknowledged under
/// that number, are a lost update. What a bus has in force, it tells by the capabilities of kMarkUser, before
/// a question and after it; between the two it may have moved on, but not back: each bus is watched for that.
/// So an answer is right if it is the model's of one of these versions.
class Ledger {
 public:
  /// An edit that leaves its mark. Call acknowledged() for what was.
  class Edit {
   public:
    AuthFile::Change change;

   private:
    friend class Ledger;
    struct Made {
      Mark on;
      Json before;
      Mark mark;
      Json after;
    };
    std::shared_ptr<Made> made;
  };
  Edit edit(const AuthFile::Change& change);
  /// \return its version
  std::uint64_t acknowledged(const Edit& edit);
  /// What the store says at the end of all edits. \return its version
  std::uint64_t ended_with(const Policy& policy);

  void hear(std::vector<Heard> heard);
  /// Compares what was heard with the model, and forgets it.
  void judge();
  void wrong(const std::string& what);
  void lost(const std::string& what);

  struct Sum {
    std::size_t acknowledged = 0;
    std::size_t lost = 0;
    std::size_t answers = 0;
    std::size_t allowed = 0;
    std::size_t exact = 0;  ///< under one certain version
    std::size_t wrong = 0;
  };
  Sum sum() const;

 private:
  void know(const Mark& mark, Json policy);
  bool allows(std::uint64_t version, const Heard& heard);

  mutable std::mutex mutex_;
  std::uint64_t edits_ = 0;
  std::map<std::uint64_t, std::string> editors_;
  std::map<std::uint64_t, Json> versions_;
  std::set<std::uint64_t> acknowledged_;
  std::vector<Heard> heard_;
  std::map<std::string, bool> answers_;  // of the model, of one version
  Sum sum_;
};

}  // namespace vipauth::fleet_drill
