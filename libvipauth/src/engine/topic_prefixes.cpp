#include "engine/topic_prefixes.hpp"

#include <algorithm>

namespace vipauth {

TopicPrefixes::TopicPrefixes(std::vector<std::pair<std::string, std::uint32_t>> entries) {
  std::sort(entries.begin(), entries.end());
  values_.reserve(entries.size());
  for (const auto& [prefix, value] : entries) {
    if (texts_.empty() || text(static_cast<std::uint32_t>(texts_.size() - 1)) != prefix) {
      // Sorted, what this one starts with is the one before, or what that one starts with.
      std::uint32_t parent = texts_.empty() ? kNone : static_cast<std::uint32_t>(texts_.size() - 1);
      while (parent != kNone && !prefix.starts_with(text(parent))) parent = texts_[parent].parent;
      texts_.push_back({bytes_.size(), static_cast<std::uint32_t>(prefix.size()), parent,
                        static_cast<std::uint32_t>(values_.size())});
      bytes_ += prefix;
    }
    values_.push_back(value);
  }
  texts_.push_back({bytes_.size(), 0, kNone, static_cast<std::uint32_t>(values_.size())});
}

std::uint32_t TopicPrefixes::longest(std::string_view topic) const {
  // The last text that is not after the topic: every text that the topic starts with, this one starts with.
  std::uint32_t begin = 0;
  std::uint32_t end = texts_.empty() ? 0 : static_cast<std::uint32_t>(texts_.size() - 1);
  while (begin < end) {
    const std::uint32_t middle = begin + (end - begin) / 2;
    if (text(middle) <= topic) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  if (begin == 0) return kNone;
  std::uint32_t found = begin - 1;
  const std::string_view nearest = text(found);
  const auto common = static_cast<std::size_t>(
      std::mismatch(nearest.begin(), nearest.end(), topic.begin(), topic.end()).first - nearest.begin());
  while (found != kNone && texts_[found].size > common) found = texts_[found].parent;
  return found;
}

}  // namespace vipauth
