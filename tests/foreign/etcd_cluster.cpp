#include "etcd_cluster.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <signal.h>

#include <vipauth/json.hpp>

#include "support/certificates.hpp"
#include "support/eventually.hpp"
#include "web/tls_support.hpp"

namespace vipauth::test {
namespace {

constexpr const char* kServer = "/usr/bin/etcd";
constexpr const char* kControl = "/usr/bin/etcdctl";
constexpr std::chrono::seconds kPatience{120};

/// A port that nobody else gets, but who listens with SO_REUSEADDR, as Go's programs do.
std::pair<web::Socket, int> reserve_port() {
  web::Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool is_bound = ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                        ::bind(socket.get(), generic, size) == 0 &&
                        ::getsockname(socket.get(), generic, &size) == 0;
  if (!is_bound) throw std::runtime_error("no free port");
  return {std::move(socket), ntohs(address.sin_port)};
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void must(const std::filesystem::path& folder, const std::string& arguments) {
  int exit_code = 0;
  const std::string out = openssl(folder, arguments, &exit_code);
  if (exit_code != 0) throw std::runtime_error("openssl " + arguments + ": " + out);
}

}  // namespace

// ---- Processes ----

GuardedProcess::GuardedProcess(const std::vector<std::string>& command, const std::filesystem::path& output) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  char path[] = "PATH=/usr/bin:/bin";
  char* environment[] = {path, nullptr};
  int life[2] = {-1, -1};
  int report[2] = {-1, -1};
  if (::pipe2(life, O_CLOEXEC) != 0 || ::pipe2(report, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  guard_ = ::fork();
  if (guard_ < 0) throw std::runtime_error("cannot fork");
  if (guard_ == 0) {
    // The guard: when nobody holds the other end of the pipe any more, it ends what it has started. It must
    // not hold those of its siblings.
    ::setsid();
    ::dup2(life[0], STDIN_FILENO);
    ::dup2(report[1], STDOUT_FILENO);
    ::close_range(3, ~0U, 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const int null = ::open("/dev/null", O_RDONLY);
      const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      if (null >= 0) ::dup2(null, STDIN_FILENO);
      if (file >= 0 && ::dup2(file, STDOUT_FILENO) >= 0) ::dup2(file, STDERR_FILENO);
      ::execve(words[0], words.data(), environment);
      ::_exit(127);
    }
    if (::write(STDOUT_FILENO, &child, sizeof child) < 0) ::_exit(1);
    ::close(STDOUT_FILENO);
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR) {
    }
    if (child > 0) ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    ::_exit(0);
  }
  ::close(life[0]);
  ::close(report[1]);
  lifeline_ = life[1];
  const ssize_t size = ::read(report[0], &pid_, sizeof pid_);
  ::close(report[0]);
  if (size != sizeof pid_ || pid_ <= 0) {
    kill();
    throw std::runtime_error("cannot start " + command.front());
  }
}

void GuardedProcess::kill() {
  if (guard_ < 0) return;
  ::close(std::exchange(lifeline_, -1));
  while (::waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
  }
  guard_ = pid_ = -1;
}

void GuardedProcess::swap(GuardedProcess& other) noexcept {
  std::swap(guard_, other.guard_);
  std::swap(pid_, other.pid_);
  std::swap(lifeline_, other.lifeline_);
}

// ---- Making ----

bool EtcdCluster::is_installed() { return ::access(kServer, X_OK) == 0 && ::access(kControl, X_OK) == 0; }

EtcdCluster::EtcdCluster(Options options) : options_(std::move(options)) {
  for (std::size_t i = 0; i < options_.members; ++i) {
    Member member;
    std::tie(member.client_reservation, member.client_port) = reserve_port();
    std::tie(member.peer_reservation, member.peer_port) = reserve_port();
    members_.push_back(std::move(member));
  }
  if (options_.tls) make_authorities();
  for (std::size_t i = 0; i < members_.size(); ++i) start(i);
  wait_until_healthy();
  if (!options_.users.empty()) make_users();
  has_auth_ = !options_.users.empty();
}

void EtcdCluster::make_authorities() const {
  for (const std::string name : {"ca", "other-ca"}) {
    must(folder_.path(), "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout " +
                             name + ".key -out " + name + ".pem -subj /CN=" + name);
  }
  folder_.write("names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  certificate("server", "/O=etcd");
  certificate("client", "/O=vipauth");
}

EtcdCluster::Certificate EtcdCluster::certificate(const std::string& name, const std::string& subject,
                                                  const std::string& authority) const {
  must(folder_.path(), "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + name +
                           ".key -out " + name + ".csr -subj " + subject);
  must(folder_.path(), "x509 -req -in " + name + ".csr -CA " + authority + ".pem -CAkey " + authority +
                           ".key -CAcreateserial -days 2 -extfile names -out " + name + ".pem");
  return {folder_ / (name + ".pem"), folder_ / (name + ".key")};
}

void EtcdCluster::make_users() const {
  etcdctl("user add root:" + quoted(std::string(kRootPassword)));
  etcdctl("user grant-role root root");
  for (const User& user : options_.users) {
    etcdctl("role add " + quoted(user.name));
    etcdctl("role grant-permission --prefix=true " + quoted(user.name) +
            (user.may_write ? " readwrite " : " read ") + quoted(user.prefix));
    etcdctl("user add " + quoted(user.name + ":" + user.password));
    etcdctl("user grant-role " + quoted(user.name) + " " + quoted(user.name));
  }
  etcdctl("auth enable");
}

void EtcdCluster::start(std::size_t at) {
  Member& member = members_[at];
  std::string peers;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    peers += (i > 0 ? ",m" : "m") + std::to_string(i) + "=" + peer_url(members_[i]);
  }
  const std::string name = "m" + std::to_string(at);
  const std::string folder = (folder_ / name).string();
  std::string listens = client_url(member);
  if (!options_.also_at.empty()) {
    listens += "," + scheme() + "://" + options_.also_at + ":" + std::to_string(member.client_port);
  }
  std::vector<std::string> command{kServer,
                                   "--name=" + name,
                                   "--data-dir=" + folder,
                                   "--listen-client-urls=" + listens,
                                   "--advertise-client-urls=" + client_url(member),
                                   "--listen-peer-urls=" + peer_url(member),
                                   "--initial-advertise-peer-urls=" + peer_url(member),
                                   "--initial-cluster=" + peers,
                                   "--initial-cluster-token=" + folder_.path().string(),
                                   "--bcrypt-cost=4",
                                   "--logger=zap",
                                   "--log-level=warn"};
  if (options_.tls) {
    command.push_back("--cert-file=" + (folder_ / "server.pem").string());
    command.push_back("--key-file=" + (folder_ / "server.key").string());
  }
  if (options_.wants_certificates) {
    command.emplace_back("--client-cert-auth");
    command.push_back("--trusted-ca-file=" + authority().string());
  }
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  member.process = GuardedProcess(command, folder + ".output");
}

// ---- Asking ----

std::string EtcdCluster::client_url(const Member& member) const {
  return scheme() + "://127.0.0.1:" + std::to_string(member.client_port);
}

std::string EtcdCluster::peer_url(const Member& member) {
  return "http://127.0.0.1:" + std::to_string(member.peer_port);
}

std::string EtcdCluster::address(std::string_view path) const {
  std::string out = options_.tls ? "etcds://" : "etcd://";
  for (std::size_t i = 0; i < members_.size(); ++i) {
    out += (i > 0 ? "," : "") + std::string("127.0.0.1:") + std::to_string(members_[i].client_port);
  }
  return out + std::string(path);
}

std::string EtcdCluster::other_address(std::string_view path) const {
  std::string out = options_.tls ? "etcds://" : "etcd://";
  for (std::size_t i = 0; i < members_.size(); ++i) {
    out += (i > 0 ? "," : "") + options_.also_at + ":" + std::to_string(members_[i].client_port);
  }
  out += path;
  if (!options_.tls)
    out += (out.find('?') == std::string::npos ? "?" : "&") + std::string("insecure-transport=true");
  return out;
}

std::string EtcdCluster::address_of(std::size_t member, std::string_view path) const {
  return (options_.tls ? "etcds://127.0.0.1:" : "etcd://127.0.0.1:") +
         std::to_string(members_[member].client_port) + std::string(path);
}

StoreAddress EtcdCluster::store_address(std::string_view path) const {
  auto out = StoreAddress::parse(address(path));
  if (!out) throw std::runtime_error(out.error().to_string());
  return *std::move(out);
}

EtcdOptions EtcdCluster::client_options(std::string_view user) const {
  EtcdOptions out;
  if (options_.tls) out.authorities = authority();
  if (options_.wants_certificates) {
    out.certificate = folder_ / "client.pem";
    out.key = folder_ / "client.key";
  }
  out.user = user;
  if (user == "root") out.password = kRootPassword;
  for (const User& one : options_.users) {
    if (one.name == user) out.password = one.password;
  }
  return out;
}

web::HttpClient EtcdCluster::http_client(std::size_t member) const {
  auto address = web::WebAddress::parse(client_url(members_[member]));
  if (!address) throw std::runtime_error(address.error().to_string());
  web::HttpClient::Options out;
  if (options_.tls) out.trust.authorities = folder_.read("ca.pem");
  if (options_.wants_certificates) {
    auto certificate = web::ClientCertificate::read(folder_ / "client.pem", folder_ / "client.key");
    if (!certificate) throw std::runtime_error(certificate.error().to_string());
    out.certificate = *std::move(certificate);
  }
  return web::HttpClient(*std::move(address), std::move(out));
}

bool EtcdCluster::is_healthy(std::size_t member) const {
  const auto answer = http_client(member).send("GET", "/health");
  return answer && answer->status == 200;
}

void EtcdCluster::wait_until_healthy() const {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (!is_running(i) || members_[i].is_paused) continue;
    if (eventually([&] { return is_healthy(i); }, kPatience)) continue;
    throw std::runtime_error("etcd is not healthy: " + folder_.read("m" + std::to_string(i) + ".output"));
  }
}

std::size_t EtcdCluster::leader() const {
  std::size_t out = members_.size();
  const bool is_found = eventually(
      [&] {
        for (std::size_t i = 0; i < members_.size(); ++i) {
          if (!is_running(i) || members_[i].is_paused) continue;
          const auto answer = http_client(i).send("POST", "/v3/maintenance/status", "{}");
          const auto status = answer ? Json::parse(answer->body) : Json();
          const Json* header = status ? status->find("header") : nullptr;
          if (header != nullptr && !status->text_at("leader").empty() &&
              status->text_at("leader") == header->text_at("member_id")) {
            out = i;
          }
        }
        return out < members_.size();
      },
      kPatience);
  if (!is_found) throw std::runtime_error("etcd has no leader");
  return out;
}

std::string EtcdCluster::etcdctl(const std::string& arguments) const {
  std::string command = "ETCDCTL_API=3 " + std::string(kControl) + " --endpoints=";
  for (std::size_t i = 0; i < members_.size(); ++i) {
    command += (i > 0 ? "," : "") + client_url(members_[i]);
  }
  if (options_.tls) command += " --cacert=" + quoted(authority().string());
  if (options_.wants_certificates) {
    command += " --cert=" + quoted((folder_ / "client.pem").string()) +
               " --key=" + quoted((folder_ / "client.key").string());
  }
  if (has_auth_) command += " --user=" + quoted("root:" + std::string(kRootPassword));
  command += " " + arguments + " 2>&1 </dev/null";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run etcdctl");
  std::string out;
  std::array<char, 4096> block{};
  std::size_t count = 0;
  while ((count = std::fread(block.data(), 1, block.size(), pipe)) > 0) out.append(block.data(), count);
  if (::pclose(pipe) != 0) throw std::runtime_error("etcdctl " + arguments + ": " + out);
  return out;
}

// ---- Accidents ----

void EtcdCluster::kill(std::size_t member) {
  members_[member].process.kill();
  members_[member].is_paused = false;
}

void EtcdCluster::restart(std::size_t member) {
  kill(member);
  start(member);
}

void EtcdCluster::wipe() {
  kill(0);
  std::filesystem::remove_all(folder_ / "m0");
}

void EtcdCluster::pause(std::size_t member) {
  ::kill(members_[member].process.pid(), SIGSTOP);
  members_[member].is_paused = true;
}

void EtcdCluster::resume(std::size_t member) {
  ::kill(members_[member].process.pid(), SIGCONT);
  members_[member].is_paused = false;
}

}  // namespace vipauth::test
