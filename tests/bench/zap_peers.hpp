#pragma once

// Who answers ZAP requests: ours, the least that could, and what others ship. Each lives in a process of its
// own, which is asked for one number at a time, so that all take turns.

#include <cstddef>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "support.hpp"

namespace bench {

/// Who answers, and how many it knows.
struct PeerKind {
  std::string name;
  std::size_t records;  ///< 0: it lets everybody in
};

std::vector<PeerKind> peer_kinds(const Arguments& arguments);

/// A process in which a ZAP handler waits to be measured.
class Peer {
 public:
  /// \param measure  "zap" or "handshake"
  Peer(PeerKind kind, const std::string& measure);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer();

  const PeerKind& kind() const { return kind_; }
  std::string label() const;  ///< WHO/SIZE
  bool is_ready();            ///< false: it cannot be had here
  double measure();

  std::vector<double> numbers;

 private:
  bool read_line(std::string& line);

  PeerKind kind_;
  pid_t pid_ = 0;
  int to_ = -1;
  int from_ = -1;
};

/// What the process of a Peer does: `--peer MEASURE NAME RECORDS`.
int run_peer(const std::vector<std::string>& words);

/// Asks all peers in turn, round by round.
/// \param yardstick  its name
/// \param is_rate    more is better
int compare_peers(const Arguments& arguments, const std::string& measure, const std::string& yardstick,
                  const std::string& unit, bool is_rate);

/// Runs `measure` in a context of CZMQ, whose zauth lets in everybody, or the certificates of a folder. False
/// where this was built without CZMQ.
bool serve_by_czmq(const std::string& folder, const std::function<void(void* context)>& measure);

}  // namespace bench
