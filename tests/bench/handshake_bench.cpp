// 50 clients that connect at once by CURVE: how long until each has its first answer, with ours as ZAP
// handler, and with others; libzmq without any is 1. usage: handshake_bench [--quick | --moment] [--out FILE]

#include "zap_peers.hpp"

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  if (!arguments.words.empty()) return bench::run_peer(arguments.words);
  return bench::compare_peers(arguments, "handshake", "none", "s", false);
}
