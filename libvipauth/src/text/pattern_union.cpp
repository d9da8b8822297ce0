#include "text/pattern_union.hpp"

#include <string>

#include <re2/re2.h>

#include "text/regex_syntax.hpp"

namespace vipauth {

struct PatternUnion::Regex {
  Regex(const std::string& expression, const RE2::Options& options) : re2(expression, options) {}
  RE2 re2;
};

PatternUnion::PatternUnion(std::span<const Pattern* const> patterns) {
  std::string all;
  for (const Pattern* pattern : patterns) {
    const std::string_view text = pattern->text();
    const auto expression = translate_regex(text.substr(1, text.size() - 2));
    if (!expression) return;
    all += (all.empty() ? "(?:" : "|(?:") + *expression + ")";
  }
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(static_cast<std::int64_t>(Pattern::kMaxCompiledBytes));
  options.set_never_capture(true);
  auto regex = std::make_unique<const Regex>(all, options);
  if (regex->re2.ok()) regex_ = std::move(regex);
}

PatternUnion::~PatternUnion() = default;
PatternUnion::PatternUnion(PatternUnion&&) noexcept = default;

bool PatternUnion::matches(std::string_view value) const {
  return regex_ == nullptr || RE2::FullMatch(re2::StringPiece(value.data(), value.size()), regex_->re2);
}

}  // namespace vipauth
