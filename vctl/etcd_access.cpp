#include "etcd_access.hpp"

#include <string>

namespace vipauth::vctl {

EtcdOptions etcd_options(const Context& context) {
  const auto variable = [&](const char* name) { return context.env.variable(name).value_or(""); };
  EtcdOptions out;
  out.authorities = variable("ETCDCTL_CACERT");
  out.certificate = variable("ETCDCTL_CERT");
  out.key = variable("ETCDCTL_KEY");
  out.user = variable("ETCDCTL_USER");
  out.password = variable("ETCDCTL_PASSWORD");
  if (const std::size_t colon = out.user.find(':'); colon != std::string::npos && out.password.empty()) {
    out.password = out.user.substr(colon + 1);
    out.user.resize(colon);
  }
  out.clock = context.env.clock;
  return out;
}

}  // namespace vipauth::vctl
