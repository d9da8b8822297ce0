#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipauth {

/// Finds which of many texts a topic starts with, in time that grows with the topic and the logarithm of
/// their number, whatever their lengths. Immutable.
class TopicPrefixes {
 public:
  TopicPrefixes() = default;
  /// Texts, each with what is found by it.
  explicit TopicPrefixes(std::vector<std::pair<std::string, std::uint32_t>> entries);

  /// Calls `visit` with what is found by each text that the topic starts with, the longest first.
  template <typename Visit>
  void for_each(std::string_view topic, Visit visit) const {
    for (std::uint32_t i = longest(topic); i != kNone; i = texts_[i].parent) {
      for (std::uint32_t j = texts_[i].first_value; j < texts_[i + 1].first_value; ++j) visit(values_[j]);
    }
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Text {
    std::size_t begin = 0;  // in bytes_
    std::uint32_t size = 0;
    std::uint32_t parent = kNone;  // the longest other text that this one starts with
    std::uint32_t first_value = 0;
  };

  std::string_view text(std::uint32_t i) const {
    return std::string_view(bytes_).substr(texts_[i].begin, texts_[i].size);
  }
  std::uint32_t longest(std::string_view topic) const;

  std::string bytes_;
  std::vector<Text> texts_;  // sorted; one more at the end
  std::vector<std::uint32_t> values_;
};

}  // namespace vipauth
