#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include <vipauth/auth_record.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl::auth {

/// A field of a record that a user can type.
struct RecordField {
  std::string_view name;    ///< the key in auth.json
  std::string_view hint;    ///< what the prompt says beside the name
  std::string_view preset;  ///< what no answer means for a new record
};

inline constexpr std::string_view kCommaHint = " (delimit multiple entries with comma)";

/// In the order in which they are asked for; `mechanism` stands before the credentials that it gives a
/// meaning.
inline constexpr std::array<RecordField, 11> kAskedFields{{{"domain", "", ""},
                                                           {"address", "", ""},
                                                           {"user_id", "", ""},
                                                           {"identity", "", ""},
                                                           {"capabilities", kCommaHint, ""},
                                                           {"roles", kCommaHint, ""},
                                                           {"groups", kCommaHint, ""},
                                                           {"mechanism", "", "CURVE"},
                                                           {"credentials", "", ""},
                                                           {"comments", "", ""},
                                                           {"enabled", "", "True"}}};

/// Texts of fields by name, as options give them.
using FieldTexts = std::map<std::string, std::string, std::less<>>;

/// The value of a field that was typed as `text`, in the form that auth.json holds; no text is none. A
/// password is returned as it is: see hash_credentials.
/// \param mechanism  of the record, for its credentials
/// \return kInvalidArgument or another code  why it cannot be
Result<Json> parse_field(std::string_view name, std::string_view text, Mechanism mechanism);

/// The mechanism that a record names: CURVE where it names none, or none that there is.
Mechanism mechanism_of(const Json& record);

/// Reads a field of a record from its text, by the mechanism that the record has by now.
Result<void> set_field(Json& record, const std::string& name, std::string_view text);

/// Whether an option may hold no text. For other fields that is more likely an unset variable of a script
/// than a wish, and would widen what the record allows.
bool may_be_empty(std::string_view name);

/// "--user_id", with the place inside of it.
Error at_option(const std::string& name, const Error& error);

/// Asks for the password of a PLAIN record. False at the end of input.
bool ask_password(const Context& context, Json& record);
Error end_of_input();

inline constexpr std::string_view kPasswordOnCommandLine =
    "everybody on this machine could read the password in the list of processes: leave --credentials out to "
    "be "
    "asked for it";

/// Replaces the password of a PLAIN record by its hash.
Result<void> hash_credentials(Json& record);

}  // namespace vipauth::vctl::auth
