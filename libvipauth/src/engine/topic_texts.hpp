#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace vipauth {

/// Finds which of many texts a topic holds, in one pass, in time that is linear in the topic whatever the
/// texts are. Immutable. Source: Aho and Corasick, Efficient string matching (1975).
class TopicTexts {
 public:
  TopicTexts() : states_(2) {}
  /// Texts, sorted, each once, none empty.
  explicit TopicTexts(const std::vector<std::string>& texts);

  /// A pass over a topic.
  class Pass {
   public:
    explicit Pass(const TopicTexts& texts) : texts_(texts) {}

    /// Takes the next byte, and calls `visit` with the index of each text that ends there, the longest first,
    /// until it returns false.
    template <typename Visit>
    void take(unsigned char byte, Visit visit) {
      state_ = texts_.next(state_, byte);
      const State& state = texts_.states_[state_];
      for (std::uint32_t at = state.text != 0 ? state_ : state.shorter; at != 0;
           at = texts_.states_[at].shorter) {
        if (!visit(texts_.states_[at].text - 1)) return;
      }
    }

   private:
    const TopicTexts& texts_;
    std::uint32_t state_ = 0;
  };

 private:
  /// What has been read last is the beginning of some texts.
  struct State {
    std::uint32_t first_edge = 0;  // those of the state end where those of the next begin
    std::uint32_t fallback = 0;    // for the longest shorter such beginning
    std::uint32_t text = 0;        // the index, plus one, of the text that is read here
    std::uint32_t shorter = 0;     // the next shorter state that reads a text; 0: none
  };

  std::uint32_t next(std::uint32_t state, unsigned char byte) const {
    for (; state != 0; state = states_[state].fallback) {
      const std::uint32_t first = states_[state].first_edge;
      const std::uint32_t count = states_[state + 1].first_edge - first;
      if (count == 0) continue;
      const void* found = std::memchr(edge_bytes_.data() + first, byte, count);
      if (found != nullptr) {
        return edge_targets_[static_cast<std::size_t>(static_cast<const unsigned char*>(found) -
                                                      edge_bytes_.data())];
      }
    }
    return from_start_[byte];
  }

  std::vector<State> states_;  // one more at the end
  std::vector<unsigned char> edge_bytes_;
  std::vector<std::uint32_t> edge_targets_;
  std::array<std::uint32_t, 256> from_start_{};
};

}  // namespace vipauth
