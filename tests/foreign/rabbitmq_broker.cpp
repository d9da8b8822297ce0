#include "rabbitmq_broker.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <signal.h>

#include "support/eventually.hpp"
#include "support/paths.hpp"
#include "web/http_client.hpp"

namespace vipauth::test {
namespace {

constexpr const char* kServer = "/usr/lib/rabbitmq/bin/rabbitmq-server";  // that of sbin changes the user
constexpr const char* kEpmd = "/usr/bin/epmd";

/// A port that is free now.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool is_bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  if (!is_bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

std::vector<char*> words_of(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

/// Replaces this process, between fork and exec, by a program with its output in a file.
[[noreturn]] void become(const std::vector<char*>& command, const std::vector<char*>& environment,
                         const char* output) {
  const int null = ::open("/dev/null", O_RDONLY);
  const int file = ::open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  if (file >= 0 && ::dup2(file, STDOUT_FILENO) >= 0) ::dup2(file, STDERR_FILENO);
  ::execve(command[0], command.data(), environment.data());
  ::_exit(127);
}

/// Ends the children of this process, and theirs, which become its own when their parents end. The broker
/// starts programs in sessions of their own: killing a group would miss them.
void end_children() {
  while (true) {
    char numbers[4096] = {};
    const int file = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    const ssize_t size = file < 0 ? 0 : ::read(file, numbers, sizeof numbers - 1);
    if (file >= 0) ::close(file);
    pid_t pid = 0;
    for (ssize_t i = 0; i < size; ++i) {
      if (numbers[i] >= '0' && numbers[i] <= '9') {
        pid = pid * 10 + (numbers[i] - '0');
      } else {
        if (pid > 1) ::kill(pid, SIGKILL);
        pid = 0;
      }
    }
    if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) return;
  }
}

web::HttpClient management(const std::string& url) {
  auto address = web::WebAddress::parse(url);
  if (!address) throw std::runtime_error(address.error().to_string());
  web::HttpClient::Options options;
  options.max_bytes = std::size_t{1} << 22U;
  options.user = RabbitMqBroker::kAdministrator;
  options.password = RabbitMqBroker::kPassword;
  return web::HttpClient(*std::move(address), std::move(options));
}

/// The block of a language in docs/certificates.md that begins so: what users are told to write is tried out.
std::string documented(const std::string& language, const std::string& start) {
  std::ifstream file(VIPAUTH_SOURCE_DIR "/docs/certificates.md");
  const std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string fence = "```" + language + "\n";
  const std::size_t begin = page.find(fence + start);
  const std::size_t end = page.find("```\n", begin == std::string::npos ? begin : begin + fence.size());
  if (end == std::string::npos) throw std::runtime_error("docs/certificates.md has no block " + start);
  return page.substr(begin + fence.size(), end - begin - fence.size());
}

void replace_once(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos || text.find(from, at + from.size()) != std::string::npos) {
    throw std::runtime_error("docs/certificates.md does not hold \"" + from + "\" once");
  }
  text.replace(at, from.size(), to);
}

}  // namespace

bool RabbitMqBroker::is_installed() { return ::access(kServer, X_OK) == 0 && ::access(kEpmd, X_OK) == 0; }

RabbitMqBroker::RabbitMqBroker(const Files& files)
    : epmd_port_(free_port()),
      node_port_(free_port()),
      tls_port_(free_port()),
      management_port_(free_port()) {
  configure(files);
  start();
  const bool is_up = eventually(
      [&] {
        const auto answer = management(management_url()).send("GET", "/api/health/checks/local-alarms");
        return answer && answer->status == 200;
      },
      std::chrono::seconds(120));
  if (is_up) return;
  stop();
  throw std::runtime_error("RabbitMQ did not start: " + folder_.read("output"));
}

RabbitMqBroker::~RabbitMqBroker() { stop(); }

std::string RabbitMqBroker::management_url() const {
  return "http://localhost:" + std::to_string(management_port_);
}

std::string RabbitMqBroker::get(const std::string& path) const {
  const auto answer = management(management_url()).send("GET", path);
  if (!answer) throw std::runtime_error(answer.error().to_string());
  if (answer->status != 200) throw std::runtime_error(path + " answers " + std::to_string(answer->status));
  return answer->body;
}

int RabbitMqBroker::ask(const std::string& method, const std::string& path, const std::string& body) const {
  const auto answer = management(management_url()).send(method, path, body);
  if (!answer) throw std::runtime_error(answer.error().to_string());
  return answer->status;
}

void RabbitMqBroker::configure(const Files& files) const {
  folder_.write("rabbitmq.conf", documented("ini", "listeners.tcp") + "management.tcp.port = " +
                                     std::to_string(management_port_) + "\ndefault_user = " + kAdministrator +
                                     "\ndefault_pass = " + kPassword + "\n");
  std::string advanced = documented("erlang", "[{rabbit");
  replace_once(advanced, "[5671]", "[{\"127.0.0.1\", " + std::to_string(tls_port_) + "}]");
  replace_once(advanced, "/etc/rabbitmq/volttron1-root-ca.crt", files.authority.string());
  replace_once(advanced, "/etc/rabbitmq/server.crt", files.certificate.string());
  replace_once(advanced, "/etc/rabbitmq/server.pem", files.key.string());
  replace_once(advanced, "/home/volttron/.volttron/certificates/crls", files.revocation_folder.string());
  folder_.write("advanced.config", advanced);
  folder_.write("enabled_plugins", "[rabbitmq_management, rabbitmq_auth_mechanism_ssl].\n");
  folder_.write("env.conf", "");
  folder_.make_folder("mnesia");
  folder_.make_folder("log");
}

void RabbitMqBroker::start() {
  const std::string base = folder_.path().string();
  const std::string epmd_port = std::to_string(epmd_port_);
  const std::vector<std::string> variables{
      "PATH=/usr/bin:/bin",
      "LANG=C.UTF-8",
      "HOME=" + base,
      "ERL_EPMD_PORT=" + epmd_port,
      "ERL_EPMD_ADDRESS=127.0.0.1",
      "RABBITMQ_NODENAME=vipauth" + std::to_string(::getpid()) + "@localhost",
      "RABBITMQ_DIST_PORT=" + std::to_string(node_port_),
      "RABBITMQ_BASE=" + base,
      "RABBITMQ_MNESIA_BASE=" + base + "/mnesia",
      "RABBITMQ_LOG_BASE=" + base + "/log",
      "RABBITMQ_PID_FILE=" + base + "/pid",
      "RABBITMQ_CONFIG_FILE=" + base + "/rabbitmq.conf",
      "RABBITMQ_ADVANCED_CONFIG_FILE=" + base + "/advanced.config",
      "RABBITMQ_CONF_ENV_FILE=" + base + "/env.conf",
      "RABBITMQ_ENABLED_PLUGINS_FILE=" + base + "/enabled_plugins",
      "RABBITMQ_GENERATED_CONFIG_DIR=" + base + "/generated",
  };
  const std::vector<std::string> epmd{kEpmd, "-port", epmd_port, "-address", "127.0.0.1"};
  const std::vector<std::string> server{kServer};
  const std::string output = base + "/output";
  const auto environment = words_of(variables);
  const auto epmd_words = words_of(epmd);
  const auto server_words = words_of(server);

  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  guard_ = ::fork();
  if (guard_ < 0) throw std::runtime_error("cannot fork");
  if (guard_ > 0) {
    ::close(ends[0]);
    lifeline_ = ends[1];
    return;
  }
  // The guard: when nobody holds the other end of the pipe any more, it ends all that it has started.
  ::setsid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::close(ends[1]);
  if (::fork() == 0) become(epmd_words, environment, output.c_str());
  if (::fork() == 0) become(server_words, environment, output.c_str());
  char byte = 0;
  while (::read(ends[0], &byte, 1) < 0 && errno == EINTR) {
  }
  end_children();
  ::_exit(0);
}

void RabbitMqBroker::stop() {
  if (guard_ < 0) return;
  ::close(std::exchange(lifeline_, -1));
  while (::waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
  }
  guard_ = -1;
}

}  // namespace vipauth::test
