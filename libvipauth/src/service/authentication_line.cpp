#include "service/authentication_line.hpp"

#include <vipauth/json.hpp>
#include <vipauth/python_repr.hpp>

namespace vipauth {

std::string authentication_line(const ZapAuthenticator::Event& event) {
  const auto quoted = [](std::string_view text) { return python_repr(Json(text)); };
  const bool accepted = event.authentication.decision.allowed();
  std::string line = accepted ? "authentication success: domain=" : "authentication failure: domain=";
  line += quoted(event.request.domain) + ", address=" + quoted(event.request.address) +
          ", mechanism=" + quoted(event.request.mechanism) + ", credentials=[" +
          (event.credentials.empty() ? std::string() : quoted(event.credentials)) + "]";
  if (accepted) line += ", user_id=" + quoted(event.authentication.user_id);
  return line;
}

}  // namespace vipauth
