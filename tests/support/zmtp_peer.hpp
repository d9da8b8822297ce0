#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/curve_key.hpp>

namespace vipauth::test {

/// A TCP connection whose bytes a test chooses.
class RawPeer {
 public:
  /// \param endpoint  "tcp://ADDRESS:PORT"
  /// \param source    the address to come from
  explicit RawPeer(const std::string& endpoint, const std::string& source = "127.0.0.1");
  RawPeer(RawPeer&& other) noexcept : fd_(std::exchange(other.fd_, -1)), read_(std::move(other.read_)) {}
  RawPeer& operator=(RawPeer&&) = delete;
  ~RawPeer();

  /// Sends, or drops where the other side has hung up.
  void write(std::string_view bytes);
  /// So many bytes. \throws std::runtime_error  the other side hung up before, or said nothing for a minute
  std::string read(std::size_t size);
  /// The body of the next ZMTP frame.
  std::string read_frame();
  /// Reads until the other side hangs up, and says whether it did.
  bool is_hung_up_on(std::chrono::milliseconds patience = std::chrono::seconds(60));

 private:
  bool read_more(std::chrono::milliseconds patience);

  int fd_;
  std::string read_;
  bool is_over_ = false;
};

// ---- ZMTP 3. Source: ZeroMQ RFC 23, RFC 37 ----

using Properties = std::vector<std::pair<std::string, std::string>>;

std::string zmtp_greeting(std::string_view mechanism, char minor = 1, bool as_server = false);
std::string zmtp_command(std::string_view body);
std::string zmtp_message(std::string_view body);
std::string zmtp_metadata(const Properties& properties);

/// The client's half of a CURVE handshake, step by step, with whatever is wrong about it that a test wants.
/// Source: ZeroMQ RFC 26.
class CurveHandshake {
 public:
  struct Initiate {
    std::string metadata = zmtp_metadata({{"Socket-Type", "DEALER"}});
    const CurveKeyPair* vouched_by = nullptr;  ///< whose secret signs the vouch, in place of ours
    bool vouches_for_another = false;          ///< the vouch holds another short-term key
  };

  /// \param own  must outlive it
  CurveHandshake(const CurveKey& server_key, const CurveKeyPair& own);

  std::string hello() const;  ///< a body, as all of these
  void take_welcome(std::string_view body);
  std::string initiate(const Initiate& how) const;
  std::string initiate() const { return initiate(Initiate()); }
  std::string message(std::string_view text);

 private:
  CurveKey server_;
  const CurveKeyPair& own_;
  CurveKeyPair short_term_ = CurveKeyPair::generate();
  CurveKey server_short_term_;
  std::string cookie_;
  std::uint64_t nonce_ = 2;  // HELLO and INITIATE have the first two
};

}  // namespace vipauth::test
