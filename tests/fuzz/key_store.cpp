// A key store: a pair, or an error that tells nothing of what is in the file.
#include <vipauth/key_store.hpp>

#include <vipauth/secret_file.hpp>

#include "fuzz.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

/// No long text of the file that could be a secret is in what is said of it.
void require_hides(const Error& error, std::string_view content) {
  constexpr std::size_t kTelling = 20;
  const std::string said = error.to_string();
  for (std::size_t i = 0; i + kTelling <= said.size(); ++i) {
    const std::string_view part = std::string_view(said).substr(i, kTelling);
    if (part.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") !=
        std::string_view::npos)
      continue;
    require(content.find(part) == std::string_view::npos, said);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempHome folder;
  const std::string_view content = text_of(data, size);
  folder.write("keystore.json", content);
  const KeyStore store(folder / "keystore.json");
  const auto pair = store.load();
  const auto same = store.load_or_create();
  require(pair.has_value() == same.has_value());
  require_same(folder.read("keystore.json"), content);
  if (!pair) {
    require_good(pair.error(), size);
    require_hides(pair.error(), content);
  } else {
    const auto derived = CurveKeyPair::from_secret(reveal_base64url(pair->secret_key));
    require(derived && derived->public_key == pair->public_key && same->public_key == pair->public_key);
  }
  const auto secret = read_secret_file(folder / "keystore.json");
  if (!secret) {
    require_good(secret.error(), size);
    require_hides(secret.error(), content);
  } else {
    require(!secret->empty() && secret->size() <= kMaxSecretBytes && content.starts_with(*secret));
  }

  for (const std::string_view text : {content, content.substr(0, CurveKey::kZ85Length)}) {
    const auto key = CurveKey::parse(text);
    if (!key) {
      require_good(key.error(), size);
      require_hides(key.error(), text);
      continue;
    }
    require(text == key->to_base64url() || text == key->to_z85(), text);
    require(CurveKey::parse(key->to_base64url()).value() == *key &&
            CurveKey::parse(key->to_z85()).value() == *key);
  }
  return 0;
}
