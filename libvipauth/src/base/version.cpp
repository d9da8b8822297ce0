#include <vipauth/version.hpp>

namespace vipauth {

std::string_view version() noexcept { return VIPAUTH_VERSION; }

}  // namespace vipauth
