#pragma once

#include <optional>

#include <vipauth/auth_service.hpp>

#include "support/asking.hpp"
#include "support/homes.hpp"

namespace vipauth::test {

/// A service with counters and an audit log, and a user alice who may do something of each kind.
class Bus {
 public:
  Bus() {
    home.write("auth.json",
               auth_file({user_record("alice", kKeyA,
                                      "{'identity':'alice.agent','capabilities':{'can_read':null,"
                                      "'can_set':{'point':'p1'},'can_match':{'point':'/p[0-9]+/'}}}"),
                          user_record("callee", kKeyC,
                                      "{'identity':'callee','rpc_method_authorizations':{'read':['can_read'],"
                                      "'set':['can_set'],'match':['can_match']}}")}));
    home.write("protected_topics.json",
               R"({"write-protect": [{"topic": "/devices\/.*/", "capabilities": ["can_read"]}]})");
    AuthService::Options options;
    options.audit.emplace();
    options.clock = [] { return kNow; };
    service.emplace(open_service(home, options));
  }

  TempHome home;
  std::optional<AuthService> service;
};

}  // namespace vipauth::test
