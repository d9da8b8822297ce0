#include "engine/topic_texts.hpp"

#include <algorithm>
#include <string_view>

namespace vipauth {

TopicTexts::TopicTexts(const std::vector<std::string>& texts) {
  struct Edge {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    unsigned char byte = 0;
  };
  std::vector<Edge> edges;  // by the state that they lead to: the first to state 1
  states_.emplace_back();
  std::vector<std::uint32_t> path{0};  // the states of the text before, by what is read of it
  std::string_view before;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string_view text = texts[i];
    const auto common = static_cast<std::size_t>(
        std::mismatch(text.begin(), text.end(), before.begin(), before.end()).first - text.begin());
    path.resize(common + 1);
    for (const char c : text.substr(common)) {
      const auto state = static_cast<std::uint32_t>(states_.size());
      states_.emplace_back();
      edges.push_back({path.back(), state, static_cast<unsigned char>(c)});
      path.push_back(state);
    }
    states_[path.back()].text = static_cast<std::uint32_t>(i + 1);
    before = text;
  }

  // By depth, so that all shorter beginnings are known.
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.from < b.from; });
  states_.emplace_back();
  for (const Edge& edge : edges) ++states_[edge.from + 1].first_edge;
  for (std::size_t i = 1; i < states_.size(); ++i) states_[i].first_edge += states_[i - 1].first_edge;
  for (const Edge& edge : edges) {
    edge_bytes_.push_back(edge.byte);
    edge_targets_.push_back(edge.to);
    if (edge.from == 0) from_start_[edge.byte] = edge.to;
  }
  std::vector<std::uint32_t> queue{0};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const std::uint32_t from = queue[i];
    for (std::uint32_t j = states_[from].first_edge; j < states_[from + 1].first_edge; ++j) {
      State& state = states_[edge_targets_[j]];
      if (from != 0) state.fallback = next(states_[from].fallback, edge_bytes_[j]);
      const State& fallback = states_[state.fallback];
      state.shorter = fallback.text != 0 ? state.fallback : fallback.shorter;
      queue.push_back(edge_targets_[j]);
    }
  }
}

}  // namespace vipauth
