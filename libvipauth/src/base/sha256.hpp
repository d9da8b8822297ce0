#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace vipauth {

/// SHA-256 as 64 small hexadecimal digits, which sha256sum prints too. Not for secrets: short ones are
/// guessed.
std::string sha256_hex(std::string_view bytes);

/// The same of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  void add(std::string_view bytes);
  /// To be called once, after all.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vipauth
