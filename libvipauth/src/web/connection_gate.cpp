#include "web/connection_gate.hpp"

#include <tuple>
#include <utility>

namespace vipauth::web {

std::map<std::string, std::size_t> ConnectionGate::count_by_source() const {
  std::map<std::string, std::size_t> out;
  for (const auto& [id, connection] : connections_) {
    if (!connection.has_ended) ++out[connection.source];
  }
  return out;
}

ConnectionGate::Connections::iterator ConnectionGate::find_victim(const std::string* source) {
  const auto counts = count_by_source();
  auto best = connections_.end();
  // Less is sooner: how many its source has, then the phase, then how long it has been so.
  const auto order = [&](const Connection& connection) {
    return std::tuple(-static_cast<std::int64_t>(counts.at(connection.source)),
                      connection.phase != Phase::kHandshake, connection.since);
  };
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    const Connection& connection = it->second;
    if (connection.has_ended || connection.phase == Phase::kAnswering) continue;
    if (source != nullptr && connection.source != *source) continue;
    if (best == connections_.end() || order(connection) < order(best->second)) best = it;
  }
  return best;
}

void ConnectionGate::end(Connection& connection) {
  connection.has_ended = true;
  connection.end();
}

std::optional<ConnectionGate::Id> ConnectionGate::admit(const std::string& source, End end_it) {
  const std::lock_guard lock(mutex_);
  // Those that have ended are gone in a moment; if they are not, there is no end of threads.
  if (connections_.size() >= 2 * limits_.connections) return std::nullopt;
  const auto counts = count_by_source();
  std::size_t total = 0;
  for (const auto& [name, count] : counts) total += count;
  const auto own = counts.find(source);
  const bool is_source_full = own != counts.end() && own->second >= limits_.per_source;
  if (is_source_full || total >= limits_.connections) {
    const auto victim = find_victim(is_source_full ? &source : nullptr);
    if (victim == connections_.end()) return std::nullopt;
    end(victim->second);
  }
  const Id id = next_id_++;
  connections_.emplace(id, Connection{source, std::move(end_it), Phase::kHandshake, ++changes_, false});
  return id;
}

void ConnectionGate::enter(Id id, Phase phase) {
  const std::lock_guard lock(mutex_);
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  found->second.phase = phase;
  found->second.since = ++changes_;
}

void ConnectionGate::leave(Id id) {
  const std::lock_guard lock(mutex_);
  connections_.erase(id);
}

bool ConnectionGate::make_room() {
  const std::lock_guard lock(mutex_);
  const auto victim = find_victim(nullptr);
  if (victim == connections_.end()) return false;
  end(victim->second);
  return true;
}

void ConnectionGate::end_all() {
  const std::lock_guard lock(mutex_);
  for (auto& [id, connection] : connections_) {
    // Who is being answered is given the answer.
    if (!connection.has_ended && connection.phase != Phase::kAnswering) end(connection);
  }
}

std::size_t ConnectionGate::size() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

}  // namespace vipauth::web
