#include <vipauth/pattern.hpp>

#include <re2/re2.h>

#include <vipauth/json.hpp>
#include <vipauth/python_repr.hpp>

#include "text/regex_syntax.hpp"

namespace vipauth {

struct Pattern::Regex {
  explicit Regex(std::string_view expression)
      : re2(re2::StringPiece(expression.data(), expression.size()), options()) {}

  static RE2::Options options() {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(static_cast<std::int64_t>(kMaxCompiledBytes));
    options.set_never_capture(true);
    return options;
  }

  RE2 re2;
};

Pattern::Pattern(std::string text, std::shared_ptr<const Regex> regex)
    : text_(std::move(text)), regex_(std::move(regex)) {}

bool Pattern::looks_like_regex(std::string_view text) noexcept {
  return text.size() >= 2 && text.front() == '/' && text.back() == '/';
}

Result<Pattern> Pattern::parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return Error{ErrorCode::kLimitExceeded,
                 "a pattern of " + std::to_string(text.size()) + " bytes: at most " +
                     std::to_string(kMaxBytes) + " are allowed",
                 ""};
  }
  if (!is_valid_utf8(text)) return Error{ErrorCode::kParseError, "a pattern that is not valid UTF-8", ""};
  if (!looks_like_regex(text)) return Pattern(std::string(text), nullptr);

  const std::string_view body = text.substr(1, text.size() - 2);
  const auto described = [&](ErrorCode code, const std::string& why) {
    return Error{code, "bad pattern \"" + python_str(Json(text)) + "\": " + python_str(Json(why)), ""};
  };
  auto translated = translate_regex(body);
  if (!translated) return described(translated.error().code, translated.error().message);
  auto regex = std::make_shared<const Regex>(*translated);
  if (!regex->re2.ok()) {
    const bool too_large = regex->re2.error_code() == RE2::ErrorPatternTooLarge;
    return described(too_large ? ErrorCode::kLimitExceeded : ErrorCode::kParseError, regex->re2.error());
  }
  return Pattern(std::string(text), std::move(regex));
}

std::optional<std::string> Pattern::likely_intent(std::string_view text) {
  const bool is_half_slashed = !text.empty() && text.starts_with('/') != text.ends_with('/');
  if (!is_half_slashed || text.find_first_of(R"(.*+?[]()|^$\)") == std::string_view::npos)
    return std::nullopt;
  std::string intent(text);
  if (text.starts_with('/')) {
    intent += '/';
  } else {
    intent.insert(0, 1, '/');
  }
  return intent;
}

std::string Pattern::quote(std::string_view value) {
  return RE2::QuoteMeta(re2::StringPiece(value.data(), value.size()));
}

bool Pattern::matches(std::string_view value) const {
  if (regex_ == nullptr) return value == text_;
  return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), regex_->re2);
}

}  // namespace vipauth
