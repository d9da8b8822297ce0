#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "web/byte_connection.hpp"

namespace vipauth::test {

/// A connection that holds all that the peer sends, and takes what it is sent.
class MemoryConnection final : public web::ByteConnection {
 public:
  /// \param sent   outlives it
  /// \param piece  most bytes that are read at once
  explicit MemoryConnection(std::string_view sent, std::size_t piece = SIZE_MAX)
      : sent_(sent), piece_(piece) {}

  void set_deadline(Time) noexcept override {}
  void set_budget(std::size_t bytes) noexcept override { budget_ = bytes; }
  ssize_t read(char* data, std::size_t size) override {
    const std::size_t count = std::min({size, piece_, sent_.size()});
    if (count > budget_) return -1;
    budget_ -= count;
    sent_.copy(data, count);
    sent_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* data, std::size_t size) override {
    received.append(data, size);
    return static_cast<ssize_t>(size);
  }
  std::string client_certificate() const override { return {}; }

  /// What has not been read.
  std::string_view rest() const { return sent_; }

  std::string received;

 private:
  std::string_view sent_;
  std::size_t piece_;
  std::size_t budget_ = 0;
};

}  // namespace vipauth::test
