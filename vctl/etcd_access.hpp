#pragma once

#include <vipauth/etcd_options.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// How an etcd cluster is asked, and by whom: by the variables that etcdctl reads.
EtcdOptions etcd_options(const Context& context);

}  // namespace vipauth::vctl
