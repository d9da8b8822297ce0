// Raw ZAP requests, 64 in flight on one DEALER: answers a second of ours, with audit log and metrics on,
// beside a handler that says yes to everything, CZMQ's zauth and PyZMQ's ThreadAuthenticator. usage:
// zap_bench [--quick | --moment] [--out FILE]

#include "zap_peers.hpp"

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  if (!arguments.words.empty()) return bench::run_peer(arguments.words);
  return bench::compare_peers(arguments, "zap", "trivial", "answers/s", true);
}
