#include "web/tls_support.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <vipauth/certificate.hpp>

#include "web/socket.hpp"

namespace vipauth::web {
namespace {

TlsBio reader_of(std::string_view text) {
  return TlsBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

constexpr std::size_t kMaxKeyBytes = 65'536;

/// Wipes a text that holds a key.
struct Wiped {
  std::string& text;
  ~Wiped() { OPENSSL_cleanse(text.data(), text.size()); }
};

TlsCertificate next_certificate(BIO* input) {
  return TlsCertificate(PEM_read_bio_X509(input, nullptr, no_passphrase, nullptr));
}

}  // namespace

int no_passphrase(char* /*buffer*/, int /*size*/, int /*is_writing*/, void* /*user*/) { return -1; }

TlsCertificate read_certificate(std::string_view pem) {
  const TlsBio input = reader_of(pem);
  TlsCertificate out = input ? next_certificate(input.get()) : nullptr;
  ERR_clear_error();
  return out;
}

bool add_authorities(X509_STORE* store, std::string_view pem) {
  const TlsBio input = reader_of(pem);
  bool any = false;
  while (input) {
    const TlsCertificate certificate = next_certificate(input.get());
    if (!certificate) break;
    any = X509_STORE_add_cert(store, certificate.get()) == 1 || any;
  }
  ERR_clear_error();
  return any;
}

ssize_t read_to_end(int fd, std::string& out) {
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = ::read(fd, out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return got;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(size);
}

Result<std::string> read_authorities(const std::filesystem::path& path) {
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  const auto failed = [&](ErrorCode code, const std::string& why) {
    return Error{code, "cannot read \"" + path.string() + "\": " + why, ""};
  };
  // It may be reached by a symbolic link, and so may be anything: a FIFO would keep a reader waiting.
  const Socket fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) return failed(ErrorCode::kNotFound, std::generic_category().message(errno));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0)
    return failed(ErrorCode::kIoError, std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode)) return failed(ErrorCode::kIoError, "it is not a regular file");
  std::string out(kMost + 1, '\0');
  const ssize_t size = read_to_end(fd.get(), out);
  if (size < 0) return failed(ErrorCode::kIoError, std::generic_category().message(errno));
  out.resize(static_cast<std::size_t>(size));
  if (out.size() > kMost) {
    return Error{ErrorCode::kLimitExceeded, "\"" + path.string() + "\" is too long", ""};
  }
  if (auto first = Certificate::parse(out); !first) return first.error().at(path.string());
  return out;
}

// By no stream, whose buffer would keep a copy of the key.
Result<TlsKey> read_private_key(const std::filesystem::path& path, std::string_view owner) {
  const std::string what = "the key of " + std::string(owner);
  const auto failed = [&](int error) {
    const ErrorCode code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kPermissionDenied;
    return Error{code, "cannot read " + what + ": " + std::generic_category().message(error), path.string()};
  };
  const Socket fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0) return failed(errno);
  if (!S_ISREG(status.st_mode))
    return Error{ErrorCode::kPermissionDenied, "is no regular file", path.string()};
  if ((status.st_mode & 0007U) != 0) {
    return Error{ErrorCode::kPermissionDenied,
                 "everybody can use " + what + ": chmod o= \"" + path.string() + "\"", path.string()};
  }
  std::string text(kMaxKeyBytes, '\0');
  const Wiped wiped{text};
  const ssize_t size = read_to_end(fd.get(), text);
  if (size < 0) return failed(errno);
  const TlsBio input = reader_of(std::string_view(text).substr(0, static_cast<std::size_t>(size)));
  return TlsKey(input ? PEM_read_bio_PrivateKey(input.get(), nullptr, no_passphrase, nullptr) : nullptr);
}

std::string fingerprint_of(X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    if (i > 0) out += ':';
    out += kDigits[digest.at(i) >> 4U];
    out += kDigits[digest.at(i) & 0xFU];
  }
  return out;
}

}  // namespace vipauth::web
