#include <vipauth/clock.hpp>

#include <charconv>
#include <cstdio>

namespace vipauth {
namespace {

/// Takes exactly `digits` decimal digits from the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  const char* end = text.data() + digits;
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc() || stop != end || text.front() == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

/// The decimals behind the seconds, in milliseconds; none is zero.
bool take_milliseconds(std::string_view& text, int& out) {
  out = 0;
  if (!take(text, '.')) return true;
  int weight = 100;
  for (; weight > 0 && !text.empty() && text.front() >= '0' && text.front() <= '9'; weight /= 10) {
    out += (text.front() - '0') * weight;
    text.remove_prefix(1);
  }
  return weight < 100;
}

}  // namespace

Timestamp system_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Result<Timestamp> parse_timestamp(std::string_view text) {
  namespace ch = std::chrono;
  std::string_view rest = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0;
  const bool formed = take_number(rest, 4, year) && take(rest, '-') && take_number(rest, 2, month) &&
                      take(rest, '-') && take_number(rest, 2, day) && take(rest, 'T') &&
                      take_number(rest, 2, hour) && take(rest, ':') && take_number(rest, 2, minute) &&
                      take(rest, ':') && take_number(rest, 2, second) &&
                      take_milliseconds(rest, millisecond) && take(rest, 'Z') && rest.empty();
  const ch::year_month_day date{ch::year(year), ch::month(static_cast<unsigned>(month)),
                                ch::day(static_cast<unsigned>(day))};
  if (!formed || !date.ok() || hour > 23 || minute > 59 || second > 59) {
    return Error{ErrorCode::kParseError, "not a time in UTC of the form 2026-11-21T21:30:00Z", ""};
  }
  return Timestamp(ch::sys_days(date)) + ch::hours(hour) + ch::minutes(minute) + ch::seconds(second) +
         ch::milliseconds(millisecond);
}

std::string format_timestamp(Timestamp time) {
  namespace ch = std::chrono;
  const auto midnight = ch::floor<ch::days>(time);
  const ch::year_month_day date{midnight};
  const ch::hh_mm_ss clock{time - midnight};
  char text[64];
  int length =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  std::string out(text, static_cast<std::size_t>(length));
  if (const auto decimals = clock.subseconds().count(); decimals != 0) {
    length = std::snprintf(text, sizeof text, ".%03d", static_cast<int>(decimals));
    out.append(text, static_cast<std::size_t>(length));
  }
  return out + 'Z';
}

}  // namespace vipauth
