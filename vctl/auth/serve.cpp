#include "auth/serve.hpp"

#ifdef VCTL_WITH_WEB
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <ostream>
#include <thread>
#include <unistd.h>
#include <utility>

#include <vipauth/auth_service.hpp>
#include <vipauth/csr_names.hpp>
#include <vipauth/csr_relay.hpp>
#include <vipauth/csr_server.hpp>
#include <vipauth/web_users.hpp>

#include "etcd_access.hpp"
#endif

#include "auth/certificate_home.hpp"
#include "output.hpp"
#include "store.hpp"

namespace vipauth::vctl::auth {

#ifdef VCTL_WITH_WEB

namespace {

constexpr std::chrono::hours kBetweenChecks{1};

/// Keeps the signals that end the service from ending the process: begun before there are other threads.
class EndingSignals {
 public:
  EndingSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;
  ~EndingSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  /// Until one of them comes.
  void wait() const {
    while (sigwaitinfo(&signals_, nullptr) < 0 && errno == EINTR) {
    }
  }

 private:
  sigset_t signals_{};
  sigset_t before_{};
};

/// Warnings and errors of the service, on the standard error; called from any of its threads.
LogSink log_to(const Context& context) {
  return [&context, mutex = std::make_shared<std::mutex>()](LogLevel level, const std::string& line) {
    if (level != LogLevel::kWarning && level != LogLevel::kError) return;
    const std::lock_guard lock(*mutex);
    warn(context, line);
    context.env.err.flush();
  };
}

/// The host's own name, where it is one that a certificate may hold.
std::vector<std::string> host_names() {
  std::vector<std::string> out{"localhost"};
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0 && CommonName::parse(name.data())) {
    out.emplace_back(name.data());
  }
  return out;
}

Result<CsrServer::Options> server_options(const Home& home, const PlatformConfig& config,
                                          const CertificateAuthority& authority) {
  CsrServer::Options options;
  const auto bind = config.bind_web_address();
  if (!bind || bind->empty()) {
    return Error{ErrorCode::kNotFound,
                 "the configuration does not say where to listen: write \"bind-web-address = "
                 "https://HOST:8443\" into \"" +
                     (home.path() / "config").string() + "\"",
                 ""};
  }
  options.bind = *bind;
  if (const auto file = config.web_ssl_cert()) options.certificate = home.path() / *file;
  if (const auto file = config.web_ssl_key()) options.key = home.path() / *file;
  options.hosts = host_names();
  options.clock = home.context().env.clock;
  const auto addresses = config.vip_addresses();
  if (!addresses) return addresses.error().at("config");
  options.discovery.instance_name = authority.instance();
  if (!addresses->empty()) options.discovery.vip_address = addresses->front().to_string();
  if (const auto keys = home.server_key_store().load()) {
    options.discovery.serverkey = keys->public_key.to_base64url();
  }
  options.discovery.rmq_address = config.get("rmq-address").value_or("");
  options.discovery.rmq_ca_cert = authority.root().pem;
  return options;
}

/// What a client must know of the server: nothing of a certificate that somebody else issued.
std::optional<std::string> own_fingerprint(const CsrServer::Options& options,
                                           const CertificateAuthority& authority) {
  if (!options.certificate.empty()) return std::nullopt;
  const auto all = authority.list();
  if (!all) return std::nullopt;
  for (const IssuedCertificate& issued : *all) {
    if (issued.certificate.common_name == authority.instance() + ".web-server" && issued.is_current) {
      return issued.certificate.fingerprint;
    }
  }
  return std::nullopt;
}

/// "https://0.0.0.0:8443", where port 0 was for the system to choose.
std::string shown_address(const std::string& bind, std::uint16_t port) {
  const std::size_t colon = bind.rfind(':');
  const bool has_port = colon != std::string::npos && bind.find_first_of("/]", colon) == std::string::npos;
  return (has_port ? bind.substr(0, colon) : bind) + ":" + std::to_string(port);
}

/// Brings what ends by itself up to date, and the broker to what was decided.
void keep_up(const LogSink& log, CsrStore& store, bool with_broker) {
  CertificateAuthority authority = store.authority();
  if (auto list = authority.revocation_list(); !list) {
    log(LogLevel::kWarning, "the revocation list is not up to date: " + list.error().to_string());
  }
  if (auto written = store.flush(); !written) log(LogLevel::kWarning, written.error().to_string());
  if (!with_broker) return;
  if (auto done = store.reconcile(); !done) {
    log(LogLevel::kWarning, "the broker is not up to date: " + done.error().to_string());
  }
}

/// Lets the requests be seen and decided in the store that --store names; null where it names none.
Result<std::unique_ptr<CsrRelay>> start_relay(const Context& context, std::shared_ptr<CsrStore> requests,
                                              const LogSink& log) {
  if (!context.options.store) return std::unique_ptr<CsrRelay>();
  auto address = StoreAddress::parse(*context.options.store);
  if (!address) return address.error().at("--store");
  CsrRelay::Options options;
  options.address = *std::move(address);
  options.etcd = etcd_options(context);
  options.clock = context.env.clock;
  options.log = options.etcd.log = log;
  auto relay = CsrRelay::start(std::move(requests), std::move(options));
  if (!relay) return relay.error().at("--store");
  return relay;
}

/// Keeps up, at once and from time to time, on a thread of its own: a broker that does not answer keeps
/// neither a request nor the end of the service waiting.
class KeepingUp {
 public:
  KeepingUp(LogSink log, std::shared_ptr<CsrStore> store, std::shared_ptr<CertificateUsers> users)
      : store_(std::move(store)),
        users_(std::move(users)),
        thread_([this, log = std::move(log)] { run(log); }) {}
  KeepingUp(const KeepingUp&) = delete;
  KeepingUp& operator=(const KeepingUp&) = delete;
  ~KeepingUp() {
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
    }
    ends_.notify_one();
    if (users_) users_->stop();
    thread_.join();
  }

 private:
  void run(const LogSink& log) {
    std::unique_lock lock(mutex_);
    while (!is_ending_) {
      lock.unlock();
      keep_up(log, *store_, users_ != nullptr);
      lock.lock();
      ends_.wait_for(lock, kBetweenChecks, [this] { return is_ending_; });
    }
  }

  const std::shared_ptr<CsrStore> store_;
  const std::shared_ptr<CertificateUsers> users_;
  std::mutex mutex_;
  std::condition_variable ends_;
  bool is_ending_ = false;
  std::thread thread_;  // the last one: it uses the others
};

}  // namespace

int serve(const Context& context) {
  const EndingSignals signals;
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto config = home->load_config();
  if (!config) return fail(context, config.error());
  auto authority = open_or_create_authority(*home);
  if (!authority) return fail(context, authority.error());
  auto options = server_options(*home, *config, *authority);
  if (!options) return fail(context, options.error());

  const LogSink log = log_to(context);
  AuthService::Options service_options;
  service_options.clock = context.env.clock;
  service_options.strict_modes = home->strict_modes();
  service_options.edit_note = edit_note(context);
  service_options.log = options->log = log;
  if (const auto own = home->check_edited_here(); !own) service_options.store = refusing_store(own.error());
  std::error_code ignored;
  if (std::filesystem::exists(home->path() / "audit", ignored)) service_options.audit.emplace();
  auto service = AuthService::open(home->path(), std::move(service_options));
  if (!service) return fail(context, service.error());
  CsrStore::Options store_options;
  store_options.taken = names_in(service->policy());
  const auto users = store_options.users = broker_users(*home, *config);
  const auto store = std::make_shared<CsrStore>(*authority, std::move(store_options));
  const auto relay = start_relay(context, store, log);
  if (!relay) return fail(context, relay.error());
  const auto server = CsrServer::start(
      *service, store, WebUsers(home->path() / "web-users.json", home->strict_modes()), *options);
  if (!server) return fail(context, server.error());

  const std::string address = shown_address(options->bind, server->port());
  const auto fingerprint = own_fingerprint(*options, *authority);
  if (context.options.json) {
    print_document(context, Json::Object{{"address", address},
                                         {"fingerprint", fingerprint ? Json(*fingerprint) : Json()},
                                         {"authority", authority->root_path().string()}});
  } else {
    context.env.out << "listening on " << printable(address) << '\n';
    if (fingerprint) context.env.out << "fingerprint  " << *fingerprint << '\n';
  }
  context.env.out.flush();
  const KeepingUp keeping_up(log, store, users);
  signals.wait();
  return kExitDone;
}

#else

int serve(const Context& context) {
  return fail(context,
              Error{ErrorCode::kUnavailable, "this vctl was built without the web part of vipauth", ""});
}

#endif

}  // namespace vipauth::vctl::auth
