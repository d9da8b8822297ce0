#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace vipauth::web {

/// Which connections there may be at once, and which one makes room for the next.
///
/// Where a source has too many, one of its own goes; where there are too many in all, one of the source that
/// has most, whatever those of others do. First goes who has not finished TLS's handshake, then who is
/// between or within requests that it sends, the one that has been so longest; never who is being answered.
/// So whoever keeps connections open and says nothing shuts out nobody, itself included. May be used from any
/// thread.
class ConnectionGate {
 public:
  enum class Phase { kHandshake, kReading, kAnswering };
  struct Limits {
    std::size_t connections = 256;
    std::size_t per_source = 64;
  };
  using Id = std::uint64_t;
  /// Ends a connection from another thread, quickly, without closing what its own thread still uses.
  using End = std::function<void()>;

  explicit ConnectionGate(Limits limits) : limits_(limits) {}

  /// \return nothing  it is refused: there is no room, and nobody to make it
  std::optional<Id> admit(const std::string& source, End end);
  void enter(Id id, Phase phase);
  /// When it returns, its End is called no more.
  void leave(Id id);

  /// Ends the one that would make room. \return false  there is none
  bool make_room();
  void end_all();
  std::size_t size() const;

 private:
  struct Connection {
    std::string source;
    End end;
    Phase phase = Phase::kHandshake;
    std::uint64_t since = 0;  ///< counts changes of phase
    bool has_ended = false;   ///< its thread has yet to notice
  };
  using Connections = std::map<Id, Connection>;

  std::map<std::string, std::size_t> count_by_source() const;
  Connections::iterator find_victim(const std::string* source);
  static void end(Connection& connection);

  const Limits limits_;
  mutable std::mutex mutex_;
  Connections connections_;
  Id next_id_ = 1;
  std::uint64_t changes_ = 0;
};

}  // namespace vipauth::web
