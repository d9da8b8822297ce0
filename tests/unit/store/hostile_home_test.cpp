// A home into which somebody has put something else in the place of a file.

#include <functional>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include <vipauth/auth_file.hpp>
#include <vipauth/certificate_key_file.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/known_hosts.hpp>
#include <vipauth/pending_store.hpp>
#include <vipauth/platform_config.hpp>
#include <vipauth/secret_file.hpp>
#include <vipauth/topics_file.hpp>
#include <vipauth/web_users.hpp>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

namespace {

namespace fs = std::filesystem;

/// What is put there.
enum class Thing { kLink, kDanglingLink, kLoop, kHardLink, kFifo, kFolder, kSocket, kDevice };

const char* name_of(Thing thing) {
  switch (thing) {
    case Thing::kLink: return "a link";
    case Thing::kDanglingLink: return "a dangling link";
    case Thing::kLoop: return "a loop";
    case Thing::kHardLink: return "a hard link";
    case Thing::kFifo: return "a FIFO";
    case Thing::kFolder: return "a folder";
    case Thing::kSocket: return "a socket";
    case Thing::kDevice: return "a device";
  }
  return "";
}

constexpr Thing kThings[] = {Thing::kLink, Thing::kDanglingLink, Thing::kLoop,   Thing::kHardLink,
                             Thing::kFifo, Thing::kFolder,       Thing::kSocket, Thing::kDevice};

/// Two folders of one file system: a home, and what belongs to somebody else.
class HostileHome {
 public:
  HostileHome() {
    folder_.make_folder("home");
    folder_.make_folder("outside");
    folder_.write("outside/precious", kPrecious);
  }

  fs::path home() const { return folder_ / "home"; }
  fs::path outside() const { return folder_ / "outside"; }

  /// \return false  the system does not let us
  bool put(Thing thing, const std::string& name) const {
    const fs::path path = home() / name;
    fs::remove_all(path);
    switch (thing) {
      case Thing::kLink: fs::create_symlink(outside() / "precious", path); return true;
      case Thing::kDanglingLink: fs::create_symlink(outside() / "new", path); return true;
      case Thing::kLoop: fs::create_symlink(path, path); return true;
      case Thing::kHardLink: fs::create_hard_link(outside() / "precious", path); return true;
      case Thing::kFifo: return ::mkfifo(path.c_str(), 0600) == 0;
      case Thing::kFolder: fs::create_directory(path); return true;
      case Thing::kSocket: return bind_socket(path);
      case Thing::kDevice: return ::mknod(path.c_str(), S_IFCHR | 0600, makedev(1, 5)) == 0;  // /dev/zero
    }
    return false;
  }

  bool has_changed_what_is_outside() const {
    struct stat status{};
    return folder_.read("outside/precious") != kPrecious || folder_.has("outside/new") ||
           ::stat((outside() / "precious").c_str(), &status) != 0 || (status.st_mode & 07777) != 0600;
  }

 private:
  static constexpr const char* kPrecious = "somebody else's";

  static bool bind_socket(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.string();
    if (text.size() >= sizeof address.sun_path) return false;
    text.copy(address.sun_path, text.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return is_bound;
  }

  TempHome folder_;
};

template <typename T>
Result<void> without_value(const Result<T>& result) {
  return result ? Result<void>() : result.error();
}

/// A file of a home, who reads it and who writes it.
struct Kind {
  std::string name;
  std::function<Result<void>(const fs::path& file)> read;
  std::function<Result<void>(const fs::path& file)> write;  ///< empty: nobody
};

std::vector<Kind> kinds() {
  return {
      {"auth.json", [](const fs::path& file) { return without_value(AuthFile(file).load()); },
       [](const fs::path& file) {
         return without_value(AuthFile(file).edit([](Policy& policy) -> Result<void> {
           return without_value(policy.add_allow(Json::Object{{"user_id", "u"}, {"credentials", kKeyA}}));
         }));
       }},
      {"protected_topics.json", [](const fs::path& file) { return without_value(TopicsFile(file).load()); },
       [](const fs::path& file) {
         return without_value(TopicsFile(file).edit(
             [](TopicDocument& topics) { return topics.add(TopicList::kWriteProtect, "t", {"c"}); }));
       }},
      {"known_hosts", [](const fs::path& file) { return without_value(KnownHosts(file).load()); },
       [](const fs::path& file) { return without_value(KnownHosts(file).add("tcp://h:1", key(kKeyA))); }},
      {"keystore", [](const fs::path& file) { return without_value(KeyStore(file).load()); },
       [](const fs::path& file) { return without_value(KeyStore(file).load_or_create()); }},
      {"pending.json", [](const fs::path& file) { return without_value(PendingStore(file, {}).load()); },
       [](const fs::path& file) {
         PendingStore store(file, {});
         store.note(Mechanism::kCurve, kKeyA, "vip", "10.0.0.1", kNow);
         return store.flush();
       }},
      {"web-users.json", [](const fs::path& file) { return without_value(WebUsers(file).list()); },
       [](const fs::path& file) { return without_value(WebUsers(file).remove("nobody")); }},
      {"key.pem", [](const fs::path& file) { return without_value(CertificateKeyFile(file).load()); },
       [](const fs::path& file) { return without_value(CertificateKeyFile(file).load_or_create()); }},
      {"config", [](const fs::path& file) { return without_value(PlatformConfig::load(file)); }, {}},
      {"password", [](const fs::path& file) { return without_value(read_secret_file(file)); }, {}},
  };
}

}  // namespace

TEST_CASE("a hostile home: what is no file is neither read, nor written over, nor waited for") {
  for (const Kind& kind : kinds()) {
    for (const Thing thing : kThings) {
      const HostileHome home;
      if (!home.put(thing, kind.name)) continue;
      INFO(kind.name << " is " << name_of(thing));
      const fs::path file = home.home() / kind.name;
      if (thing != Thing::kHardLink) {
        CHECK_FALSE(kind.read(file));
        if (kind.write) CHECK_FALSE(kind.write(file));
        CHECK(fs::symlink_status(file).type() != fs::file_type::regular);
      } else if (kind.write) {
        static_cast<void>(kind.write(file));
      }
      CHECK_FALSE(home.has_changed_what_is_outside());
      fs::remove_all(file);
      if (kind.write && kind.name != "web-users.json") CHECK(kind.write(file));
    }
  }
}

TEST_CASE("a hostile home: nothing beside a file leads a writer elsewhere") {
  for (const Kind& kind : kinds()) {
    if (!kind.write) continue;
    for (const char* suffix : {".tmp", ".lock", ".bak"}) {
      for (const Thing thing : kThings) {
        const HostileHome home;
        if (!home.put(thing, kind.name + suffix)) continue;
        INFO(kind.name << suffix << " is " << name_of(thing));
        const auto written = kind.write(home.home() / kind.name);
        CHECK_FALSE(home.has_changed_what_is_outside());
        // A writer without a lock of its own would not keep others out.
        if (suffix == std::string(".lock")) CHECK_FALSE(written);
      }
    }
  }
}

TEST_CASE("a hostile home: folders that lead elsewhere are not entered") {
  for (const char* folder : {"history", "audit"}) {
    const HostileHome home;
    fs::create_directory_symlink(home.outside(), home.home() / folder);
    const fs::path file = home.home() / "auth.json";
    const auto edited = AuthFile(file).edit([](Policy& policy) -> Result<void> {
      return without_value(policy.add_allow(Json::Object{{"user_id", "u"}, {"credentials", kKeyA}}));
    });
    REQUIRE(edited);
    CHECK_FALSE(edited->warnings.empty());
    CHECK_FALSE(home.has_changed_what_is_outside());
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(home.outside())) ++files;
    CHECK(files == 1);
  }
}

TEST_CASE("a home: files and folders have their modes whatever the umask") {
  const auto mode_of = [](const fs::path& file) {
    struct stat status{};
    REQUIRE(::lstat(file.c_str(), &status) == 0);
    return status.st_mode & 07777;
  };
  for (const mode_t mask : {0000U, 0022U, 0077U, 0177U}) {
    INFO("umask " << mask);
    const TempHome home;
    home.make_folder("audit");
    const mode_t before = ::umask(mask);
    for (const Kind& kind : kinds()) {
      if (kind.write) static_cast<void>(kind.write(home / kind.name));
    }
    auto authority = CertificateAuthority::open_or_create(home / "certificates", "v", {});
    const auto files = authority ? authority->client_certificate(name_of("v.agent"))
                                 : Result<CertificateFiles>(authority.error());
    ::umask(before);
    REQUIRE(files);
    for (const auto& entry : fs::recursive_directory_iterator(home.path())) {
      const std::string name = entry.path().lexically_relative(home.path());
      INFO(name);
      const bool is_certificates = name.starts_with("certificates");
      const bool is_private = name.find("private") != std::string::npos ||
                              name.find("pending_csr") != std::string::npos ||
                              name.find("ca_db") != std::string::npos || !is_certificates;
      const bool is_public =
          name == "known_hosts" || entry.path().extension() == ".crt" || name.ends_with(".crl.pem");
      if (entry.is_symlink()) continue;
      if (entry.is_directory()) CHECK(mode_of(entry.path()) == (is_private ? 0700U : 0755U));
      if (entry.is_regular_file()) CHECK(mode_of(entry.path()) == (is_public ? 0644U : 0600U));
    }
  }
}

}  // namespace vipauth::test
