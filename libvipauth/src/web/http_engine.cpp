#include "web/http_engine.hpp"

#include <csignal>
#include <exception>
#include <utility>

#include <httplib.h>

namespace vipauth::web {
namespace {

using std::chrono::steady_clock;

/// Of one request, all that is read of a connection: a large head, and the largest body.
constexpr std::size_t kBudget = Site::kMaxBody + 32'768;

/// What one request is about, for the callbacks, which the library gives nothing of ours.
struct Exchange {
  ByteConnection& connection;
  const HttpEngine::Peer& peer;
  bool is_answering = false;
  bool is_unread = false;  ///< what follows on the connection is not a request
};
thread_local Exchange* current_exchange = nullptr;

class CurrentExchange {
 public:
  explicit CurrentExchange(Exchange& exchange) { current_exchange = &exchange; }
  CurrentExchange(const CurrentExchange&) = delete;
  CurrentExchange& operator=(const CurrentExchange&) = delete;
  ~CurrentExchange() { current_exchange = nullptr; }
};

class ConnectionStream final : public httplib::Stream {
 public:
  ConnectionStream(ByteConnection& connection, const std::string& address)
      : connection_(connection), address_(address) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* data, size_t size) override { return connection_.read(data, size); }
  ssize_t write(const char* data, size_t size) override { return connection_.write(data, size); }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = address_;
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  ByteConnection& connection_;
  const std::string& address_;
};

HttpRequest request_of(const httplib::Request& from, const Exchange& exchange) {
  HttpRequest out;
  out.method = from.method;
  out.path = from.target.substr(0, from.target.find_first_of("?#"));
  for (const auto& [name, value] : from.headers) out.headers.emplace_back(to_small_letters(name), value);
  out.body = from.body;
  out.address = exchange.peer.address;
  out.client_certificate = exchange.connection.client_certificate();
  return out;
}

void write_reply(const HttpReply& reply, httplib::Response& out) {
  out.status = reply.status;
  for (const auto& [name, value] : reply.headers) out.set_header(name, value);
  out.set_content(reply.body, reply.content_type);
}

/// Has nothing sent in parts or compressed. A compressed answer tells by its length what is in it.
void have_answered_whole(const httplib::Request& request) {
  // It is the library's own variable, and not const.
  auto& changeable = const_cast<httplib::Request&>(request);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  changeable.ranges.clear();
  changeable.headers.erase("Accept-Encoding");
}

/// The library's own refusals, in our form.
void write_refusal(int status, std::string_view message, httplib::Response& out) {
  HttpReply reply = error_reply(status, message);
  Site::complete({}, reply);
  write_reply(reply, out);
}

}  // namespace

struct HttpEngine::Impl {
  /// The library's server without its sockets, its threads, and its TLS.
  class Server final : public httplib::Server {
   public:
    using httplib::Server::process_request;
  };

  Impl(Site& the_site, Settings the_settings) : site(the_site), settings(the_settings) {
    server.set_payload_max_length(Site::kMaxBody);
    server.set_keep_alive_max_count(settings.requests_per_connection);
    server.set_keep_alive_timeout(std::chrono::ceil<std::chrono::seconds>(settings.idle).count());
    server.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return before_body(request, response);
    });
    server.set_expect_100_continue_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          return refuse(request, response) ? response.status : 100;
        });
    server.Post(R"([\s\S]*)", [this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
    });
    server.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
      have_answered_whole(request);  // of a Range that is none the library tells nobody else
      if (!response.body.empty()) return;
      current_exchange->is_unread = true;
      write_refusal(response.status, "this is not a request that can be answered", response);
    });
    server.set_exception_handler([this](const httplib::Request&, httplib::Response& response,
                                        const std::exception_ptr&) {
      site.log(LogLevel::kError, "web: a request could not be answered: out of memory, or a mistake of ours");
      current_exchange->is_unread = true;
      write_refusal(500, "this cannot be done now: the log of the server says why", response);
    });
  }

  /// Called with the head of each request.
  httplib::Server::HandlerResponse before_body(const httplib::Request& request, httplib::Response& response) {
    using Response = httplib::Server::HandlerResponse;
    have_answered_whole(request);
    if (refuse(request, response)) return Response::Handled;
    const bool has_body =
        request.has_header("Content-Length") && request.get_header_value("Content-Length") != "0";
    if (has_body && request.method == "POST") return Response::Unhandled;
    answer(request, response);
    return Response::Handled;
  }

  bool refuse(const httplib::Request& request, httplib::Response& response) {
    const HttpRequest head = request_of(request, *current_exchange);
    auto refused = site.refuse_head(head);
    if (!refused) return false;
    current_exchange->is_unread = !Site::has_clear_end(head);
    Site::complete(head, *refused);
    write_reply(*refused, response);
    return true;
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    Exchange& exchange = *current_exchange;
    exchange.is_answering = true;
    exchange.peer.on_answering();
    write_reply(site.answer(request_of(request, exchange)), response);
    exchange.connection.set_deadline(steady_clock::now() + settings.request);
  }

  Site& site;
  const Settings settings;
  Server server;
};

HttpEngine::HttpEngine(Site& site, Settings settings) {
  // The library's server ignores SIGPIPE in the whole process, which is the embedder's to decide.
  struct sigaction before{};
  ::sigaction(SIGPIPE, nullptr, &before);
  impl_ = std::make_unique<Impl>(site, settings);
  ::sigaction(SIGPIPE, &before, nullptr);
}

HttpEngine::~HttpEngine() = default;

HttpEngine::Next HttpEngine::serve(ByteConnection& connection, const Peer& peer, bool is_last) const {
  Exchange exchange{connection, peer};
  const CurrentExchange current(exchange);
  connection.set_deadline(steady_clock::now() + impl_->settings.request);
  connection.set_budget(kBudget);
  ConnectionStream stream(connection, peer.address);
  bool has_closed = false;
  const bool is_done = impl_->server.process_request(stream, is_last, has_closed, nullptr);
  if (exchange.is_answering) peer.on_answered();
  if (exchange.is_unread) return Next::kCloseUnread;
  return is_done && !has_closed && !is_last ? Next::kNextRequest : Next::kClose;
}

}  // namespace vipauth::web
