#pragma once

#include <string>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// The content of an auth.json as the present version writes it.
struct UpgradedDocument {
  Json document;
  std::string from;                   ///< the version that it had, if older: "0.0", "1.2"
  std::vector<std::string> warnings;  ///< what does not mean what it meant, each with its place
};

/// Brings the content of an auth.json to version 1.4; that of a newer one, or what is no object, is left as
/// it is. No version at all is 0.0.
///
/// Records, unknown fields and every form survive. A record of which the credentials cannot be said in the
/// present version gets the mechanism "unknown", so that it never matches, and is reported like any record
/// that is not understood. The same document gives the same result every time.
/// \return kInvalidArgument  the version cannot be read
/// Source: VOLTTRON auth_file.py, upgrade_0_to_1, upgrade_1_0_to_1_1, upgrade_1_1_to_1_2.
Result<UpgradedDocument> upgrade_document(Json document);

}  // namespace vipauth
