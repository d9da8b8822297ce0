#include <vipauth/platform_config.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <ini.h>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

constexpr std::string_view kSection = "volttron";
constexpr std::string_view kVipAddress = "vip-address";

/// Settings that have one value: two would mean that the reader and the writer think of different ones.
constexpr std::string_view kSingle[] = {"instance-name",     "message-bus", "bind-web-address",
                                        "web-ssl-cert",      "web-ssl-key", "web-secret-key",
                                        "secure-agent-users"};

Error at_line(ErrorCode code, std::string message, std::size_t line) {
  return Error{code, std::move(message), std::to_string(line)};
}

std::string normal_name(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return out;
}

/// What inih is given, and what it gives, while it reads.
struct Reading {
  std::string_view rest;
  std::size_t line = 0;
  std::vector<PlatformConfig::Setting> settings;
};

/// inih's fgets(): the next line with its end. No line is longer than inih's buffer.
char* next_line(char* buffer, int size, void* stream) {
  auto& reading = *static_cast<Reading*>(stream);
  if (reading.rest.empty()) return nullptr;
  std::size_t length = std::min(reading.rest.find('\n'), reading.rest.size() - 1) + 1;
  length = std::min(length, static_cast<std::size_t>(size) - 1);
  std::memcpy(buffer, reading.rest.data(), length);
  buffer[length] = '\0';
  reading.rest.remove_prefix(length);
  ++reading.line;
  return buffer;
}

int take_setting(void* user, const char* section, const char* name, const char* value) {
  auto& reading = *static_cast<Reading*>(user);
  if (section != kSection) return 1;
  reading.settings.push_back({normal_name(name), value, reading.line});
  return 1;
}

/// inih is told of its limits by variables of its own, which everybody in the process shares: they are set
/// once.
void allow_long_lines() {
  static const bool done = [] {
    ini_max_line = static_cast<int>(PlatformConfig::kMaxLineBytes) + 3;  // "\r\n" and the end
    return true;
  }();
  static_cast<void>(done);
}

Result<void> check_lines(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return Error{ErrorCode::kParseError, "holds a NUL character: this is no text", ""};
  }
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    if (length > PlatformConfig::kMaxLineBytes) {
      return at_line(ErrorCode::kLimitExceeded,
                     "the line is longer than " + std::to_string(PlatformConfig::kMaxLineBytes) + " bytes",
                     line);
    }
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return {};
}

Result<void> check_single(const std::vector<PlatformConfig::Setting>& settings) {
  for (const std::string_view name : kSingle) {
    const PlatformConfig::Setting* first = nullptr;
    for (const PlatformConfig::Setting& setting : settings) {
      if (setting.name != name) continue;
      if (first != nullptr) {
        return at_line(ErrorCode::kParseError,
                       std::string(name) + " is given twice: first in line " + std::to_string(first->line),
                       setting.line);
      }
      first = &setting;
    }
  }
  return {};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Result<PlatformConfig> PlatformConfig::parse(std::string_view text) {
  allow_long_lines();
  if (auto checked = check_lines(text); !checked) return checked.error();
  Reading reading{text, 0, {}};
  const int bad_line = ini_parse_stream(next_line, &reading, take_setting, &reading);
  if (bad_line != 0) {
    return at_line(ErrorCode::kParseError, "expected \"name = value\", \"[section]\" or a comment",
                   static_cast<std::size_t>(std::max(bad_line, 0)));
  }
  if (auto single = check_single(reading.settings); !single) return single.error();
  PlatformConfig out;
  out.settings_ = std::move(reading.settings);
  return out;
}

Result<PlatformConfig> PlatformConfig::load(const std::filesystem::path& path, StrictModes strict_modes) {
  const auto text = read_file(path, strict_modes);
  if (!text && text.error().code == ErrorCode::kNotFound) return PlatformConfig();
  if (!text) return text.error();
  auto parsed = parse(*text);
  if (!parsed) return in_file(parsed.error(), path);
  return parsed;
}

std::optional<std::string> PlatformConfig::get(std::string_view name) const {
  const std::string wanted = normal_name(name);
  const auto found = std::find_if(settings_.rbegin(), settings_.rend(),
                                  [&](const Setting& setting) { return setting.name == wanted; });
  if (found == settings_.rend()) return std::nullopt;
  return found->value;
}

std::vector<std::string> PlatformConfig::get_all(std::string_view name) const {
  const std::string wanted = normal_name(name);
  std::vector<std::string> out;
  for (const Setting& setting : settings_) {
    if (setting.name == wanted) out.push_back(setting.value);
  }
  return out;
}

Result<std::vector<VipAddress>> PlatformConfig::vip_addresses() const {
  std::vector<VipAddress> out;
  for (const Setting& setting : settings_) {
    if (setting.name != kVipAddress) continue;
    std::string_view rest = setting.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view text = trimmed(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      if (text.empty()) continue;
      auto address = VipAddress::parse(text);
      if (!address) return address.error().at(kVipAddress).at(std::to_string(setting.line));
      out.push_back(*std::move(address));
    }
  }
  return out;
}

}  // namespace vipauth
