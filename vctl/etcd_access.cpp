#include "etcd_access.hpp"

#include "output.hpp"

namespace vipauth::vctl {

EtcdOptions etcd_options(const Context& context) {
  EtcdOptions out = EtcdOptions::of_etcdctl([&](const char* name) { return context.env.variable(name); });
  out.clock = context.env.clock;
  out.log = [&context](LogLevel level, const std::string& line) {
    if (level == LogLevel::kWarning || level == LogLevel::kError) warn(context, line);
  };
  return out;
}

}  // namespace vipauth::vctl
