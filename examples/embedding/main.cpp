// The smallest server that vipauth guards: a ROUTER that tells each peer whether it may publish to a topic.

#include <array>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <zmq.hpp>
#include <zmq_addon.hpp>

#include <vipauth/vipauth.hpp>

int main(int argc, char** argv) {
  auto service = vipauth::AuthService::open(argc > 1 ? argv[1] : ".");
  if (!service) return std::cerr << service.error().to_string() << '\n', 1;
  const auto keys = service->server_keys();
  zmq::context_t context;
  const auto zap = vipauth::ZapServer::start(context, *service);  // before any server socket
  zmq::socket_t router(context, zmq::socket_type::router);
  if (!keys || !zap || !vipauth::secure_server_socket(router, *keys)) return 1;
  router.bind(argc > 2 ? argv[2] : "tcp://127.0.0.1:22916");
  std::cout << router.get(zmq::sockopt::last_endpoint) << ' ' << keys->public_key.to_base64url() << '\n';
  std::cout.flush();

  std::vector<zmq::message_t> frames;  // the name that the peer chose, and a topic
  for (; zmq::recv_multipart(router, std::back_inserter(frames)); frames.clear()) {
    auto session = vipauth::session_of(*service, frames.back());  // who sent it, as libzmq knows
    if (!session || frames.size() != 2) continue;
    vipauth::Decision decision = session->verify_sender(frames[0].to_string_view());
    if (decision) decision = session->authorize_publish(frames[1].to_string_view());
    const std::string answer = decision ? "allowed" : decision.message();
    zmq::send_multipart(router, std::array{zmq::buffer(frames[0].to_string_view()), zmq::buffer(answer)});
  }
}
