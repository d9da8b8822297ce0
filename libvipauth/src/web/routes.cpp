#include "web/site.hpp"

namespace vipauth::web {
namespace {

constexpr std::size_t kNone = 0;
constexpr std::size_t kPublicBody = 32'768;
constexpr std::size_t kAdminBody = Site::kMaxBody;

constexpr auto kPublic = Route::Access::kPublic;
constexpr auto kAdmin = Route::Access::kAdmin;

constexpr Route kRoutes[] = {
    {"POST", "/csr/request_new", kPublic, kPublicBody, answer_csr},
    {"GET", "/discovery/", kPublic, kNone, answer_discovery},
    {"GET", "/discovery", kPublic, kNone, answer_discovery},
    {"GET", "/crl.pem", kPublic, kNone, answer_revocation_list},
    {"GET", "/ca.pem", kPublic, kNone, answer_root},

    {"GET", "/admin", kPublic, kNone, answer_asset},
    {"GET", "/admin/page.css", kPublic, kNone, answer_asset},
    {"GET", "/admin/page.js", kPublic, kNone, answer_asset},
    {"GET", "/admin/icon.svg", kPublic, kNone, answer_asset},
    {"GET", "/openapi.json", kPublic, kNone, answer_asset},

    {"POST", "/api/login", kPublic, kPublicBody, answer_login},
    {"POST", "/api/logout", kAdmin, kAdminBody, answer_logout},
    {"GET", "/api/session", kAdmin, kNone, answer_session},

    {"GET", "/api/csrs", kAdmin, kNone, answer_csrs},
    {"POST", "/api/csrs/{common_name}/approve", kAdmin, kAdminBody, answer_approve_csr},
    {"POST", "/api/csrs/{common_name}/deny", kAdmin, kAdminBody, answer_deny_csr},
    {"DELETE", "/api/csrs/{common_name}", kAdmin, kNone, answer_delete_csr},

    {"GET", "/api/credentials", kAdmin, kNone, answer_credentials},
    {"POST", "/api/credentials/{user_id}/approve", kAdmin, kAdminBody, answer_approve_credential},
    {"POST", "/api/credentials/{user_id}/deny", kAdmin, kAdminBody, answer_deny_credential},
    {"DELETE", "/api/credentials/{user_id}", kAdmin, kNone, answer_delete_credential},

    {"GET", "/api/roles", kAdmin, kNone, answer_roles},
    {"GET", "/api/groups", kAdmin, kNone, answer_groups},
    {"GET", "/api/protected-topics", kAdmin, kNone, answer_protected_topics},
    {"GET", "/api/certificates", kAdmin, kNone, answer_certificates},
};

}  // namespace

std::span<const Route> routes() { return kRoutes; }

}  // namespace vipauth::web
