#include "text/pattern_literals.hpp"

#include <algorithm>

#include <re2/filtered_re2.h>

#include "text/regex_syntax.hpp"

namespace vipauth {
namespace {

std::string_view body_of(const Pattern& pattern) {
  return std::string_view(pattern.text()).substr(1, pattern.text().size() - 2);
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

void remove_last_character(std::string& text) {
  while (!text.empty() && continues_character(text.back())) text.pop_back();
  if (!text.empty()) text.pop_back();
}

/// The texts of which RE2 wants to know whether a value holds them, and what follows from that.
class Filter {
 public:
  explicit Filter(const std::string& expression) : filter_(static_cast<int>(kMinLiteralBytes)) {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(static_cast<std::int64_t>(Pattern::kMaxCompiledBytes));
    options.set_never_capture(true);
    int id = 0;
    if (filter_.Add(expression, options, &id) == RE2::NoError) filter_.Compile(&texts_);
  }

  /// None for an expression of which RE2 knows nothing.
  const std::vector<std::string>& texts() const { return texts_; }

  /// Whether a value can match that holds every text but those of which the flag is set.
  bool can_match_without(const std::vector<bool>& lacking) {
    held_.clear();
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (!lacking[i]) held_.push_back(static_cast<int>(i));
    }
    filter_.AllPotentials(held_, &passing_);
    return !passing_.empty();
  }

 private:
  re2::FilteredRE2 filter_;
  std::vector<std::string> texts_;
  std::vector<int> held_;
  std::vector<int> passing_;
};

std::string folded(std::string_view text) {
  std::string out;
  for_each_folded(text, [&](unsigned char byte) { out += static_cast<char>(byte); });
  return out;
}

LiteralGroup folded(const std::vector<std::string>& texts, const std::vector<bool>& chosen) {
  LiteralGroup out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (chosen[i]) out.push_back(folded(texts[i]));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

std::string literal_prefix(const Pattern& pattern) {
  if (!pattern.is_regex()) return pattern.text();
  std::string_view rest = body_of(pattern);
  if (rest.find('|') != std::string_view::npos) return "";
  if (rest.starts_with('^')) rest.remove_prefix(1);
  constexpr std::string_view kSpecial = R"(\.[]()*+?{}^$)";
  std::string out;
  while (!rest.empty()) {
    if (kSpecial.find(rest.front()) == std::string_view::npos) {
      out += rest.front();
      rest.remove_prefix(1);
    } else if (rest.size() >= 2 && rest.front() == '\\' &&
               (rest[1] == '/' || rest[1] == '-' || kSpecial.find(rest[1]) != std::string_view::npos)) {
      out += rest[1];
      rest.remove_prefix(2);
    } else {
      break;
    }
  }
  // What comes next may say that the last character can be missing.
  if (!rest.empty() && std::string_view("*?{").find(rest.front()) != std::string_view::npos) {
    remove_last_character(out);
  }
  return out;
}

// What is asked below is asked for each text, and looks at all of them.
constexpr std::size_t kMostTexts = 2 * kMaxLiteralGroup;

std::vector<LiteralGroup> literal_groups(const Pattern& pattern) {
  if (!pattern.is_regex()) {
    if (pattern.text().size() < kMinLiteralBytes) return {};
    return {{folded(pattern.text())}};
  }
  const auto expression = translate_regex(body_of(pattern));
  if (!expression) return {};
  Filter filter(*expression);
  const std::size_t count = filter.texts().size();
  std::vector<bool> lacking(count, true);
  if (count == 0 || count > kMostTexts || filter.can_match_without(lacking)) return {};

  std::vector<LiteralGroup> out;
  std::vector<bool> one(count, false);
  for (std::size_t i = 0; i < count && out.size() < kMaxLiteralGroup; ++i) {
    one[i] = true;
    if (!filter.can_match_without(one)) out.push_back(folded(filter.texts(), one));
    one[i] = false;
  }
  if (!out.empty()) return out;
  // No text is in each value. Of all texts together at least one is: leave out, shortest first, what can be.
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return filter.texts()[a].size() < filter.texts()[b].size();
  });
  for (const std::size_t i : order) {
    lacking[i] = false;
    if (filter.can_match_without(lacking)) lacking[i] = true;
  }
  LiteralGroup group = folded(filter.texts(), lacking);
  if (group.size() > kMaxLiteralGroup) return {};
  return {std::move(group)};
}

}  // namespace vipauth
