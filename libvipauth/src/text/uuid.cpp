#include "text/uuid.hpp"

#include <uuid/uuid.h>

namespace vipauth {
namespace {

// Chosen once, at random. Changing it would rename every user whose record has no user_id.
constexpr uuid_t kNamespace = {0x6f, 0x1d, 0x2c, 0x0e, 0x9b, 0x57, 0x4a, 0x33,
                               0x8c, 0x41, 0x7e, 0x20, 0xd5, 0xf8, 0x96, 0xba};

std::string to_text(const uuid_t uuid) {
  char text[UUID_STR_LEN];
  uuid_unparse_lower(uuid, text);
  return text;
}

}  // namespace

std::string random_uuid() {
  uuid_t uuid;
  uuid_generate_random(uuid);
  return to_text(uuid);
}

std::string named_uuid(std::string_view name) {
  uuid_t uuid;
  uuid_generate_sha1(uuid, kNamespace, name.data(), name.size());
  return to_text(uuid);
}

}  // namespace vipauth
