#pragma once

/// Everything at once. A header of its own for each type is cheaper to compile.

#include <vipauth/auth_file.hpp>
#include <vipauth/auth_service.hpp>
#include <vipauth/call_binder.hpp>
#include <vipauth/connection_monitor.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/lint.hpp>
#include <vipauth/policy_difference.hpp>
#include <vipauth/socket_security.hpp>
#include <vipauth/topics_file.hpp>
#include <vipauth/version.hpp>
#include <vipauth/zap_server.hpp>
