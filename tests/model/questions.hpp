#pragma once

#include <array>
#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <rapidcheck.h>

#include <vipauth/policy_snapshot.hpp>

#include "reference_model.hpp"

namespace vipauth::test::model {

/// One thing that can be asked of both, the engine and the model. That it was is one case.
struct Question {
  enum class Kind { kConnect, kCall, kCallAsItCame, kPublish, kReceive, kSpeakAs, kCapabilities };
  static constexpr std::array<std::string_view, 7> kNames{"connect", "call",     "call as it came", "publish",
                                                          "receive", "speak as", "capabilities"};

  Kind kind = Kind::kConnect;
  Peer peer = {};  ///< of kConnect
  std::string user_id = {};
  std::string of = {};    ///< the callee; the identity that the record gives
  std::string what = {};  ///< the method, the topic, the name that is claimed
  Json arguments = {};    ///< of calls
};

void showValue(const Question& question, std::ostream& out);  // NOLINT(readability-identifier-naming)
void showValue(const Peer& peer, std::ostream& out);          // NOLINT(readability-identifier-naming)

/// The uid that worlds may trust over IPC.
inline constexpr std::uint32_t kTrustedUid = 1000;

/// A peer with a key, or with nothing: each password takes a tenth of a second.
rc::Gen<Peer> any_peer();
rc::Gen<Peer> any_peer_with_password();
/// Anything but a peer with a password.
rc::Gen<Question> any_question();
/// Of topics of many shapes.
rc::Gen<Question> any_question_on_topics();

/// What agents declare: identity, method, declaration.
struct DeclaredFor {
  std::string identity;
  std::string method;
  Declaration declaration;
};
void showValue(const DeclaredFor& declared, std::ostream& out);  // NOLINT(readability-identifier-naming)
rc::Gen<DeclaredFor> any_declaration();

/// Has both know it, in the place of what that agent declared before.
void declare(const DeclaredFor& declared, PolicySnapshot& engine, ReferenceModel& model);

AuthenticationRequest request_of(const Peer& peer);
/// What the engine says, in the words of the model: with the one reason that it gives.
Answer ask(const PolicySnapshot& engine, const Question& question);
Answer ask(const ReferenceModel& model, const Question& question);

/// Says where the answers differ; empty: they agree. Counts a case.
std::string difference(const Question& question, const Answer& engine, const Answer& model);
std::string difference(std::string_view kind, const std::string& question, const Answer& engine,
                       const Answer& model);

/// How many cases there were of each kind, and how many of them allowed.
class Tally {
 public:
  static Tally& of_all();
  void add(std::string_view kind, bool allowed);
  /// Of each kind at least so much of a hundred is allowed, and as much refused, where there are enough to
  /// tell. Prints what there was.
  bool hits_both(int percent) const;

 private:
  struct Count {
    std::string kind;
    std::size_t allowed = 0;
    std::size_t refused = 0;
  };
  std::vector<Count> counts_;
};

}  // namespace vipauth::test::model
