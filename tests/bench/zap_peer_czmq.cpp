#include <string>

#include "zap_peers.hpp"

#ifdef BENCH_WITH_CZMQ

#include <czmq.h>

bool bench::serve_by_czmq(const std::string& folder, const std::function<void(void* context)>& measure) {
  zsys_handler_set(nullptr);
  void* context = zsys_init();
  zactor_t* handler = zactor_new(zauth, nullptr);
  zstr_sendx(handler, "CURVE", folder.empty() ? CURVE_ALLOW_ANY : folder.c_str(), nullptr);
  zsock_wait(handler);
  measure(context);
  zactor_destroy(&handler);
  return true;
}

#else

bool bench::serve_by_czmq(const std::string&, const std::function<void(void* context)>&) { return false; }

#endif
