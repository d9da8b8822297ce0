#pragma once

/// Everything at once. A header of its own for each type is cheaper to compile.

#include <vipauth/administration.hpp>
#include <vipauth/agent_key_stores.hpp>
#include <vipauth/audit_log.hpp>
#include <vipauth/audit_trail.hpp>
#include <vipauth/auth_file.hpp>
#include <vipauth/auth_service.hpp>
#include <vipauth/call_binder.hpp>
#include <vipauth/capability_updates.hpp>
#include <vipauth/certificate.hpp>
#include <vipauth/certificate_authority.hpp>
#include <vipauth/certificate_key.hpp>
#include <vipauth/certificate_key_file.hpp>
#include <vipauth/certificate_request.hpp>
#include <vipauth/certificate_users.hpp>
#include <vipauth/client_security.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/connection_monitor.hpp>
#include <vipauth/csr_names.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/file_history.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/known_hosts.hpp>
#include <vipauth/lint.hpp>
#include <vipauth/platform_config.hpp>
#include <vipauth/platform_start.hpp>
#include <vipauth/policy_difference.hpp>
#include <vipauth/socket_security.hpp>
#include <vipauth/topics_file.hpp>
#include <vipauth/version.hpp>
#include <vipauth/vip_address.hpp>
#include <vipauth/vip_keys.hpp>
#include <vipauth/web_users.hpp>
#include <vipauth/zap_server.hpp>
