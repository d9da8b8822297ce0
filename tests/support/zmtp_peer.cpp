#include "support/zmtp_peer.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

namespace vipauth::test {
namespace {

using namespace std::string_literals;

constexpr std::chrono::milliseconds kPatience{60'000};

sockaddr_in address_of(const std::string& host, const std::string& port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  if (::inet_pton(AF_INET, host.c_str(), &out.sin_addr) != 1) throw std::runtime_error("no address: " + host);
  return out;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

std::string big_endian(std::uint64_t value, std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[size - 1 - i] = static_cast<char>(value >> (8 * i));
  return out;
}

std::string frame_of(std::string_view body, char flags) {
  constexpr char kLong = 2;
  std::string out(1, flags);
  if (body.size() <= 255) {
    out += big_endian(body.size(), 1);
  } else {
    out[0] = static_cast<char>(flags | kLong);
    out += big_endian(body.size(), 8);
  }
  return out.append(body);
}

std::string text_of(const CurveKey& key) { return {key.bytes().begin(), key.bytes().end()}; }

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  ::randombytes_buf(out.data(), out.size());
  return out;
}

std::string box(std::string_view plain, const std::string& nonce, const CurveKey& to,
                const CurveKeyPair& from) {
  std::string out(plain.size() + crypto_box_MACBYTES, '\0');
  if (nonce.size() != crypto_box_NONCEBYTES ||
      ::crypto_box_easy(reinterpret_cast<unsigned char*>(out.data()), bytes_of(plain), plain.size(),
                        bytes_of(nonce), to.bytes().data(), from.secret_key.bytes().data()) != 0) {
    throw std::runtime_error("cannot make a box");
  }
  return out;
}

std::string open_box(std::string_view boxed, const std::string& nonce, const CurveKey& from,
                     const CurveKeyPair& to) {
  std::string out(boxed.size() - crypto_box_MACBYTES, '\0');
  if (::crypto_box_open_easy(reinterpret_cast<unsigned char*>(out.data()), bytes_of(boxed), boxed.size(),
                             bytes_of(nonce), from.bytes().data(), to.secret_key.bytes().data()) != 0) {
    throw std::runtime_error("cannot open a box");
  }
  return out;
}

CurveKey key_of(std::string_view text) {
  CurveKey::Bytes bytes{};
  std::copy_n(text.begin(), bytes.size(), bytes.begin());
  return CurveKey(bytes);
}

}  // namespace

// ---- TCP ----

RawPeer::RawPeer(const std::string& endpoint, const std::string& source)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const std::string prefix = "tcp://";
  const std::size_t colon = endpoint.rfind(':');
  const sockaddr_in from = address_of(source, "0");
  const sockaddr_in to =
      address_of(endpoint.substr(prefix.size(), colon - prefix.size()), endpoint.substr(colon + 1));
  if (fd_ < 0 || ::bind(fd_, generic(from), sizeof from) != 0 ||
      ::connect(fd_, generic(to), sizeof to) != 0) {
    ::close(fd_);
    throw std::runtime_error("cannot connect to " + endpoint);
  }
}

RawPeer::~RawPeer() {
  if (fd_ >= 0) ::close(fd_);
}

void RawPeer::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// False where it hung up, or said nothing.
bool RawPeer::read_more(std::chrono::milliseconds patience) {
  pollfd item{fd_, POLLIN, 0};
  if (is_over_ || ::poll(&item, 1, static_cast<int>(patience.count())) != 1) return false;
  std::array<char, 4096> buffer{};
  const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    is_over_ = true;
    return false;
  }
  read_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::string RawPeer::read(std::size_t size) {
  while (read_.size() < size) {
    if (!read_more(kPatience)) throw std::runtime_error(is_over_ ? "the other side hung up" : "silence");
  }
  std::string out = read_.substr(0, size);
  read_.erase(0, size);
  return out;
}

std::string RawPeer::read_frame() {
  constexpr unsigned kLong = 2;
  const std::string flags = read(1);
  std::size_t size = 0;
  for (const char byte : read((static_cast<unsigned>(flags[0]) & kLong) != 0 ? 8 : 1)) {
    size = size << 8U | static_cast<unsigned char>(byte);
  }
  return read(size);
}

bool RawPeer::is_hung_up_on(std::chrono::milliseconds patience) {
  while (read_more(patience)) {
  }
  return is_over_;
}

// ---- ZMTP ----

std::string zmtp_greeting(std::string_view mechanism, char minor, bool as_server) {
  std::string out = "\xff\0\0\0\0\0\0\0\x01\x7f\x03"s;
  out.append(1, minor).append(mechanism).resize(32, '\0');
  out.append(1, as_server ? '\1' : '\0').resize(64, '\0');
  return out;
}

std::string zmtp_command(std::string_view body) { return frame_of(body, 4); }
std::string zmtp_message(std::string_view body) { return frame_of(body, 0); }

std::string zmtp_metadata(const Properties& properties) {
  std::string out;
  for (const auto& [name, value] : properties) {
    out.append(big_endian(name.size(), 1)).append(name).append(big_endian(value.size(), 4)).append(value);
  }
  return out;
}

// ---- CURVE ----

CurveHandshake::CurveHandshake(const CurveKey& server_key, const CurveKeyPair& own)
    : server_(server_key), own_(own), server_short_term_(server_key) {}

std::string CurveHandshake::hello() const {
  const std::string nonce = big_endian(1, 8);
  return "\x05HELLO\x01\0"s + std::string(72, '\0') + text_of(short_term_.public_key) + nonce +
         box(std::string(64, '\0'), "CurveZMQHELLO---" + nonce, server_, short_term_);
}

void CurveHandshake::take_welcome(std::string_view body) {
  if (body.size() != 168 || !body.starts_with("\x07WELCOME")) throw std::runtime_error("no WELCOME");
  const std::string nonce = "WELCOME-" + std::string(body.substr(8, 16));
  const std::string plain = open_box(body.substr(24), nonce, server_, short_term_);
  server_short_term_ = key_of(plain);
  cookie_ = plain.substr(32);
}

std::string CurveHandshake::initiate(const Initiate& how) const {
  const CurveKeyPair other = CurveKeyPair::generate();
  const std::string vouched =
      text_of((how.vouches_for_another ? other : short_term_).public_key) + text_of(server_);
  const std::string vouch_nonce = random_bytes(16);
  const std::string vouch = box(vouched, "VOUCH---" + vouch_nonce, server_short_term_,
                                how.vouched_by != nullptr ? *how.vouched_by : own_);
  const std::string nonce = big_endian(2, 8);
  const std::string plain = text_of(own_.public_key) + vouch_nonce + vouch + how.metadata;
  return "\x08INITIATE" + cookie_ + nonce +
         box(plain, "CurveZMQINITIATE" + nonce, server_short_term_, short_term_);
}

std::string CurveHandshake::message(std::string_view text) {
  const std::string nonce = big_endian(++nonce_, 8);
  const std::string plain = "\0"s.append(text);
  return "\x07MESSAGE" + nonce + box(plain, "CurveZMQMESSAGEC" + nonce, server_short_term_, short_term_);
}

}  // namespace vipauth::test
