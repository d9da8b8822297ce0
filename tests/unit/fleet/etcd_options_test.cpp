#include <vipauth/etcd_options.hpp>

#include <map>
#include <string>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

EtcdOptions options_of(const std::map<std::string, std::string>& variables) {
  return EtcdOptions::of_etcdctl([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

}  // namespace

TEST_CASE("EtcdOptions: are told as to etcdctl") {
  const EtcdOptions all = options_of({{"ETCDCTL_CACERT", "ca.pem"},
                                      {"ETCDCTL_CERT", "cert.pem"},
                                      {"ETCDCTL_KEY", "key.pem"},
                                      {"ETCDCTL_USER", "ann"},
                                      {"ETCDCTL_PASSWORD", "secret:word"}});
  CHECK(all.authorities == "ca.pem");
  CHECK(all.certificate == "cert.pem");
  CHECK(all.key == "key.pem");
  CHECK(all.user == "ann");
  CHECK(all.password == "secret:word");
  const EtcdOptions none = options_of({});
  CHECK(none.authorities.empty());
  CHECK(none.user.empty());
  CHECK(none.password.empty());
}

TEST_CASE("EtcdOptions: no password stays in the name of the user") {
  EtcdOptions options = options_of({{"ETCDCTL_USER", "ann:pass:word"}});
  CHECK(options.user == "ann");
  CHECK(options.password == "pass:word");
  options = options_of({{"ETCDCTL_USER", "ann:password"}, {"ETCDCTL_PASSWORD", "another"}});
  CHECK(options.user == "ann");
  CHECK(options.password == "another");
}
