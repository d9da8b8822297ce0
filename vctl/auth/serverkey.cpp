#include "auth/serverkey.hpp"

#include <ostream>

#include "home.hpp"
#include "output.hpp"
#include "platform.hpp"

namespace vipauth::vctl::auth {

namespace {

Result<CurveKey> find_key(const Context& context) {
  if (context.platform) {
    const auto told = context.platform->client().query("serverkey", context.options.timeout);
    if (!told) return told.error();
    return CurveKey::parse(*told);
  }
  const auto home = Home::open(context);
  if (!home) return home.error();
  const auto pair = home->server_key_store().load_or_create();
  if (!pair) return pair.error();
  return pair->public_key;
}

}  // namespace

int serverkey(const KeyOptions& options, const Context& context) {
  const auto key = find_key(context);
  if (!key) return fail(context, key.error());

  const std::string text = options.as_z85 ? key->to_z85() : key->to_base64url();
  if (context.options.json) {
    print_document(context, Json::Object{{"serverkey", text}});
  } else {
    context.env.out << text << '\n';
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
