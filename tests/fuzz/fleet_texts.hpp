#pragma once

#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <vipauth/json.hpp>

#include "fuzz.hpp"

/// What the targets of a fleet's store share.
namespace vipauth::fuzz {

/// What inputs have where a password may stand, or what is not understood: nobody is shown it.
inline constexpr std::string_view kSecret = "hunter2-battery";

inline void require_quiet(const Error& error, std::size_t size,
                          const std::source_location& place = std::source_location::current()) {
  require_good(error, size, place);
  require(!has_control_character(error.to_string()) && is_valid_utf8(error.to_string()), error.to_string(),
          place);
  require(error.to_string().find(kSecret) == std::string::npos, error.to_string(), place);
}

// What an input cannot be expected to hit upon: two agents' requests for certificates, the certificate of
// the first, and one of its name for another key. In inputs "$CSR", "$OTHER", "$CERTIFICATE" and "$FOREIGN"
// stand for them, as they do in JSON.
inline constexpr std::string_view kCsrName = "here.there.agent";
inline constexpr std::string_view kCsr =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIHUMH0CAQAwGzEZMBcGA1UEAwwQaGVyZS50aGVyZS5hZ2VudDBZMBMGByqGSM49\n"
    "AgEGCCqGSM49AwEHA0IABKS3kJVCY/3dQwh8K3DiXMykpxZz2xrr1+SUNPPk/hy/\n"
    "zSQAMc1fHtAFw6zykxtITqHMtLCmqL3gea3R+xE26r+gADAKBggqhkjOPQQDAgNH\n"
    "ADBEAiAwKXrWRCo7jlrWpGyoFUeeXA7sVv7XyGPxTX9V6zn02gIgAXtWPT6jRFZY\n"
    "gHy82Qg9C3y60Mp788SwSi841EyccKw=\n"
    "-----END CERTIFICATE REQUEST-----\n";
inline constexpr std::string_view kOtherCsr =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIHWMH0CAQAwGzEZMBcGA1UEAwwQaGVyZS50aGVyZS5vdGhlcjBZMBMGByqGSM49\n"
    "AgEGCCqGSM49AwEHA0IABJdcFeqJnlbOvM8kxlMVB4FiIcdkEt2POv2VEc8LI2u+\n"
    "TKmOpFt7EZLXwFamAun+0sjHA3iPu/+VZJysEXaaxj6gADAKBggqhkjOPQQDAgNJ\n"
    "ADBGAiEAgyPppb5WQD+5xQQRZZM2YHGBndfWZiICDEOHvcP4J5cCIQDZ3HJlW1hM\n"
    "mt1mFnJ8xJiWnS7kavf+cuTlJ1AfVp69gw==\n"
    "-----END CERTIFICATE REQUEST-----\n";
inline constexpr std::string_view kCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBJDCBywIUR3WUinMMqcuDCYUZdpn9eZ/dQpgwCgYIKoZIzj0EAwIwDzENMAsG\n"
    "A1UEAwwEaGVyZTAeFw0yNjExMjMwMzI0MjRaFw0zNjExMjAwMzI0MjRaMBsxGTAX\n"
    "BgNVBAMMEGhlcmUudGhlcmUuYWdlbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
    "AASkt5CVQmP93UMIfCtw4lzMpKcWc9sa69fklDTz5P4cv80kADHNXx7QBcOs8pMb\n"
    "SE6hzLSwpqi94Hmt0fsRNuq/MAoGCCqGSM49BAMCA0gAMEUCIQDLRo3aeqBmYdOE\n"
    "fw+n8cZ6oV1WQuQ/Rz3ht+bqbJDCLQIgA+WQJcQU0nwQd5EwN6PJiVS6zAoNaCpH\n"
    "dSA2MUWHuLQ=\n"
    "-----END CERTIFICATE-----\n";
inline constexpr std::string_view kForeignCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBIzCBywIUdICae8hdFjqPtJwNiQt6/62V1fowCgYIKoZIzj0EAwIwDzENMAsG\n"
    "A1UEAwwEaGVyZTAeFw0yNjExMjMwMzUxMDBaFw0zNjExMjAwMzUxMDBaMBsxGTAX\n"
    "BgNVBAMMEGhlcmUudGhlcmUuYWdlbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
    "AASXXBXqiZ5WzrzPJMZTFQeBYiHHZBLdjzr9lRHPCyNrvkypjqRbexGS18BWpgLp\n"
    "/tLIxwN4j7v/lWScrBF2msY+MAoGCCqGSM49BAMCA0cAMEQCIC2bZtqLOMfdW15y\n"
    "0SB7g7rAcci0UUWKdoszjBvAiVOKAiBpZ2EatV7XF+eeGWvvQ05LMWtOxf5TsNs2\n"
    "z4n61Lc/og==\n"
    "-----END CERTIFICATE-----\n";

inline std::string with_certificates(std::string_view input) {
  std::string out(input);
  int most = 8;
  for (const auto& [mark, pem] :
       {std::pair{std::string_view("$CSR"), kCsr}, std::pair{std::string_view("$OTHER"), kOtherCsr},
        std::pair{std::string_view("$CERTIFICATE"), kCertificate},
        std::pair{std::string_view("$FOREIGN"), kForeignCertificate}}) {
    const std::string quoted = Json(pem).dump();
    const std::string text = quoted.substr(1, quoted.size() - 2);
    for (std::size_t at = out.find(mark); at != std::string::npos && most-- > 0;
         at = out.find(mark, at + text.size())) {
      out.replace(at, mark.size(), text);
    }
  }
  return out;
}

}  // namespace vipauth::fuzz
