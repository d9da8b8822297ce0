// What is left of a secret in this process's memory when who held it is gone.

#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/certificate_key_file.hpp>
#include <vipauth/certificate_request.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/secret_file.hpp>
#include <vipauth/web_users.hpp>

#include "support/catch.hpp"
#include "support/temp_home.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VIPAUTH_UNDER_SANITIZER 1
#endif

namespace vipauth::test {

namespace {

/// A secret that this test knows, but holds in a form that a search does not find.
class Needle {
 public:
  static constexpr std::size_t kPiece = 10;

  /// Takes `secret`, and wipes it.
  explicit Needle(std::string& secret, std::size_t piece = kPiece) : piece_(piece) {
    for (const char c : secret) masked_ += static_cast<char>(c ^ kMask);
    ::explicit_bzero(secret.data(), secret.size());
  }

  /// Whether any piece of it is in memory that can be written: freeing overwrites the beginning of what was
  /// there, and what follows is as good to who finds it.
  bool is_in_memory() const {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      std::uintptr_t begin = 0;
      std::uintptr_t end = 0;
      char flags[5] = {};
      if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, flags) != 3) continue;
      if (flags[0] != 'r' || flags[1] != 'w') continue;
      if (is_in(reinterpret_cast<const char*>(begin), reinterpret_cast<const char*>(end))) return true;
    }
    return false;
  }

 private:
  static constexpr char kMask = 0x5a;

  /// Compares where it stands: a copy would be found the next time.
  bool is_in(const char* begin, const char* end) const {
    for (std::size_t from = 0; from + piece_ <= masked_.size(); from += piece_) {
      const char first = static_cast<char>(masked_[from] ^ kMask);
      const char* at = begin;
      while (at + piece_ <= end) {
        at =
            static_cast<const char*>(std::memchr(at, first, static_cast<std::size_t>(end - at) - piece_ + 1));
        if (at == nullptr) break;
        std::size_t same = 1;
        while (same < piece_ && static_cast<char>(at[same] ^ kMask) == masked_[from + same]) ++same;
        if (same == piece_) return true;
        ++at;
      }
    }
    return false;
  }

  std::size_t piece_;
  std::string masked_;
};

/// A part of a file, read without leaving it anywhere else.
std::string part_of(const std::filesystem::path& file, std::size_t from, std::size_t size) {
  std::string out(size, '\0');
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::pread(fd, out.data(), size, static_cast<off_t>(from)) == static_cast<ssize_t>(size));
  ::close(fd);
  return out;
}

/// Of a key store: 43 characters behind `"secret": "`.
Needle secret_in_key_store(const TempHome& home, std::string_view name) {
  constexpr std::size_t kFrom = 14 + 43 + 16;
  std::string secret = part_of(home / name, kFrom, 43);
  return Needle(secret);
}

/// Of a P-256 key in PKCS #8: its 32 bytes begin at the 36th, the 48th character behind the first line.
Needle secret_in_pem(const std::filesystem::path& file) {
  constexpr std::size_t kFrom = sizeof "-----BEGIN PRIVATE KEY-----";
  std::string secret = part_of(file, kFrom + 48, 16);
  return Needle(secret, 8);
}

/// Writes into a file that is there, and leaves no copy of what it writes.
void overwrite(const std::filesystem::path& file, off_t place, std::string_view text) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(::pwrite(fd, text.data(), text.size(), place) == static_cast<ssize_t>(text.size()));
  ::close(fd);
}

/// Another one in each process, put together without leaving parts of it.
std::string typed_secret() {
  std::string out;
  out.reserve(64);
  for (int i = 0; i < 30; ++i) out += static_cast<char>('A' + (i * 7 + ::getpid()) % 26);
  return out;
}

/// Text from the terminal, or a socket: its reader wipes it.
class Typed {
 public:
  explicit Typed(std::string_view text) : text_(text) {}
  ~Typed() { ::explicit_bzero(text_.data(), text_.size()); }
  Typed(const Typed&) = delete;
  Typed& operator=(const Typed&) = delete;
  std::string_view text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

#ifndef VIPAUTH_UNDER_SANITIZER

TEST_CASE("secrets: the search finds one that is alive, and one that was not wiped") {
  std::string secret = "a secret of the control, 0123456789";
  auto alive = std::make_unique<std::string>(secret);
  const Needle needle(secret);
  CHECK(needle.is_in_memory());
  alive.reset();  // freed, and there still
  CHECK(needle.is_in_memory());
  alive = std::make_unique<std::string>(std::string(35, 'x'));
  ::explicit_bzero(secret.data(), secret.size());
}

TEST_CASE("secrets: a secret key is wiped when it goes") {
  auto pair = std::make_unique<CurveKeyPair>(CurveKeyPair::generate());
  const auto bytes = pair->secret_key.bytes();
  std::string raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string text = reveal_base64url(pair->secret_key);
  const Needle needle(raw, 8);
  const Needle shown(text);
  CHECK(needle.is_in_memory());
  CHECK_FALSE(shown.is_in_memory());
  CurveKeyPair moved = std::move(*pair);
  CHECK(needle.is_in_memory());
  {
    const CurveKeyPair last = std::move(moved);
  }
  pair.reset();
  CHECK_FALSE(needle.is_in_memory());
}

TEST_CASE("secrets: of a key store nothing stays") {
  const TempHome home;
  const KeyStore store(home / "keystore");
  REQUIRE(store.load_or_create());
  const Needle needle = secret_in_key_store(home, "keystore");
  CHECK_FALSE(needle.is_in_memory());
  REQUIRE(store.load());
  CHECK_FALSE(needle.is_in_memory());

  // One that is refused, at each place where it can be.
  constexpr std::pair<off_t, char> kDamages[] = {{14, '!'}, {4, 'x'}, {14 + 43 + 16 + 43 + 2, '!'}};
  for (const auto& [place, character] : kDamages) {
    overwrite(home / "keystore", place, {&character, 1});
    CHECK(store.load().error().code == ErrorCode::kParseError);
    CHECK_FALSE(needle.is_in_memory());
  }
}

TEST_CASE("secrets: the private key of a certificate is wiped") {
  const TempHome home;
  const CertificateKeyFile file(home / "key.pem");
  REQUIRE(file.load_or_create());
  const Needle needle = secret_in_pem(home / "key.pem");
  CHECK_FALSE(needle.is_in_memory());
  REQUIRE(file.load());
  CHECK_FALSE(needle.is_in_memory());
  {
    const auto key = file.load();
    REQUIRE(CertificateRequest::create(*CommonName::parse("v.agent"), *key));
  }
  CHECK_FALSE(needle.is_in_memory());
}

TEST_CASE("secrets: an authority leaves no key that it made for others") {
  const TempHome home;
  auto authority = CertificateAuthority::open_or_create(home / "certificates", "v", {});
  REQUIRE(authority);
  const auto files = authority->client_certificate(*CommonName::parse("v.agent"));
  REQUIRE(files);
  const Needle needle = secret_in_pem(files->key);
  CHECK_FALSE(needle.is_in_memory());
}

TEST_CASE("secrets: a password that was checked is forgotten") {
  const TempHome home;
  const WebUsers users(home / "web-users.json");
  std::string text = typed_secret();
  auto typed = std::make_unique<Typed>(text);
  const Needle needle(text);
  REQUIRE(users.add("alice", typed->text(), {}, WebUsers::Existing::kRefuse));
  CHECK(users.verify("alice", typed->text()));
  CHECK_FALSE(users.verify("bob", typed->text()));
  CHECK(needle.is_in_memory());
  typed.reset();
  CHECK_FALSE(needle.is_in_memory());
}

TEST_CASE("secrets: of a file with a secret only what is returned stays") {
  const TempHome home;
  home.write("secret", std::string(100, ' '));
  std::filesystem::resize_file(home / "secret", 0);
  std::string text = typed_secret();
  overwrite(home / "secret", 0, text);
  const Needle needle(text);
  auto read = read_secret_file(home / "secret");
  REQUIRE(read);
  CHECK(needle.is_in_memory());
  ::explicit_bzero(read->data(), read->size());
  CHECK_FALSE(needle.is_in_memory());
}

#endif

}  // namespace vipauth::test
