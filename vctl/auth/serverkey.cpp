#include "auth/serverkey.hpp"

#include <ostream>

#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {

int serverkey(const KeyOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto pair = home->server_key_store().load_or_create();
  if (!pair) return fail(context, pair.error());

  const std::string text = options.as_z85 ? pair->public_key.to_z85() : pair->public_key.to_base64url();
  if (context.options.json) {
    print_document(context, Json::Object{{"serverkey", text}});
  } else {
    context.env.out << text << '\n';
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
