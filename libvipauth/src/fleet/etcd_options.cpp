#include <vipauth/etcd_options.hpp>

namespace vipauth {

EtcdOptions EtcdOptions::of_etcdctl(const std::function<std::optional<std::string>(const char*)>& variable) {
  const auto text = [&](const char* name) { return variable(name).value_or(""); };
  EtcdOptions out;
  out.authorities = text("ETCDCTL_CACERT");
  out.certificate = text("ETCDCTL_CERT");
  out.key = text("ETCDCTL_KEY");
  out.user = text("ETCDCTL_USER");
  out.password = text("ETCDCTL_PASSWORD");
  // The name is shown in errors: what stands behind a colon is never part of it.
  if (const std::size_t colon = out.user.find(':'); colon != std::string::npos) {
    if (out.password.empty()) out.password = out.user.substr(colon + 1);
    out.user.resize(colon);
  }
  return out;
}

}  // namespace vipauth
