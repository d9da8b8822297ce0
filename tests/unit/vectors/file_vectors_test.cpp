// Edits of auth.json and the reading of its text, against recorded behaviour of VOLTTRON.

#include <algorithm>
#include <set>

#include <vipauth/auth_file.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/policy.hpp>

#include "support/catch.hpp"
#include "support/temp_home.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

/// Applies an operation that this library has; nothing for another.
std::optional<Result<void>> apply(Policy& policy, const Json::Array& operation) {
  const std::string& name = operation[0].as_string();
  if (name == "add" && operation.size() == 2) {
    auto added = policy.add_allow(operation[1]);
    return added ? Result<void>() : Result<void>(added.error());
  }
  const auto index = [](const Json& json) {
    return static_cast<std::size_t>(std::stoul(json.as_number().digits));
  };
  if (name == "remove_by_index" && operation.size() == 2) return policy.remove_allow({index(operation[1])});
  if (name == "update_by_index" && operation.size() == 3) {
    return policy.update_allow(index(operation[2]), operation[1]);
  }
  if (name == "remove_by_indices" && operation.size() == 2) {
    std::vector<std::size_t> indices;
    for (const Json& item : operation[1].as_array()) indices.push_back(index(item));
    return policy.remove_allow(indices);
  }
  return std::nullopt;
}

/// A record with everything that VOLTTRON writes without being asked. Capabilities, which keep their form
/// here, become the map that VOLTTRON makes of them; fields that it does not know, and loses, are left out.
Json completed(const Json& record) {
  Json out(Json::Object{{"mechanism", Json("CURVE")}, {"enabled", Json(true)}});
  for (const std::string_view field : {"domain", "address", "credentials", "comments", "user_id", "identity"})
    out.set(field, Json());
  for (const std::string_view field : {"groups", "roles"}) out.set(field, Json(Json::Array()));
  for (const std::string_view field : {"capabilities", "rpc_method_authorizations"})
    out.set(field, Json(Json::Object()));
  for (const Json::Member& member : record.as_object()) {
    const bool nothing_entered = member.value == Json("");
    if (out.find(member.name) != nullptr && !nothing_entered) out.set(member.name, member.value);
  }
  Json capabilities{Json::Object()};
  const auto parsed = parse_capabilities(at(out, "capabilities"));
  for (const Capability& capability : *parsed) {
    Json restrictions;
    for (const Restriction& r : capability.restrictions) restrictions.set(r.parameter, r.constraint);
    capabilities.set(capability.name, std::move(restrictions));
  }
  out.set("capabilities", std::move(capabilities));
  return out;
}

/// The records that are understood: VOLTTRON drops the others.
std::vector<Json> understood(const Policy& policy) {
  std::vector<Json> out;
  for (const Policy::Entry& entry : policy.allow()) {
    if (entry.record) out.push_back(entry.source);
  }
  return out;
}

/// A record that VOLTTRON completed, with the user_id that we derive in place of its random one.
Json with_our_user_id(const Json& theirs, const Json& ours) {
  Json out = completed(theirs);
  if (!text_at(out, "user_id").starts_with("00000000-0000-4000-8000-")) return out;
  out.set("user_id", at(ours, "user_id"));
  Json* capabilities = out.find("capabilities");
  if (Json* grant = capabilities->find("edit_config_store")) grant->set("identity", at(ours, "user_id"));
  return out;
}

/// What VOLTTRON does wrong, done right: the record at this place of our result, if there is one.
std::optional<Json> mended_record(const std::string& name) {
  const auto parsed = [](const char* text) { return *Json::parse(text); };
  if (name == "0.0 credentials with newline after the prefix") {
    return parsed(R"({"mechanism": "PLAIN", "credentials": "a\nb", "user_id": "x",
                      "capabilities": {"edit_config_store": {"identity": "x"}}})");
  }
  if (name == "1.1 existing edit_config_store is replaced") {
    return parsed(R"({"credentials": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "user_id": "a",
                      "capabilities": {"edit_config_store": {"identity": "only.this"}}})");
  }
  if (name == "1.1 user_id that is a regex") {
    return parsed(R"({"credentials": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "user_id": "/.*/",
                      "capabilities": {"edit_config_store": {"identity": "/\\/\\.\\*\\//"}}})");
  }
  if (name == "file with an invalid regex entry, old version") {
    return parsed(R"({"credentials": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "user_id": "a"})");
  }
  return std::nullopt;
}

std::size_t count_of(const Json* list) {
  return list != nullptr && list->is_array() ? list->as_array().size() : 0;
}

}  // namespace

TEST_CASE("AuthFile: old versions mean what VOLTTRON makes of them, but for named differences") {
  std::size_t compared = 0;
  std::size_t mended = 0;
  for (const Json& recorded : recorded_cases("upgrade.json")) {
    const std::string& name = text_at(recorded, "name");
    INFO(name);
    const Json& old = at(recorded, "old");
    const std::string text = old.is_string() ? old.as_string() : old.dump();
    const TempHome home;
    home.write("auth.json", text);
    const AuthFile file(home / "auth.json");

    const auto loaded = file.load();
    CHECK(home.read("auth.json") == text);
    const auto old_document = Json::parse(text, Json::Comments::kAccept);
    const bool is_readable = old_document.has_value() && name != "2.0 is left alone";
    REQUIRE(loaded.has_value() == is_readable);
    if (!is_readable) {
      CHECK_FALSE(file.edit([](Policy& policy) { return policy.add_role("r", Json()); }));
      CHECK(home.read("auth.json") == text);
      continue;
    }
    CHECK(loaded->allow().size() == count_of(old_document->find("allow")));

    // Two grants of one capability are two, here: VOLTTRON forgets the first.
    const bool differs = name == "1.1 mixed list";
    const std::vector<Json> ours = understood(*loaded);
    if (const auto mend = mended_record(name)) {
      REQUIRE(ours.size() == 1);
      CHECK(completed(ours[0]) == completed(*mend));
      ++mended;
    } else if (recorded.find("upstream_bug") == nullptr && !differs &&
               at(recorded, "upstream").find("file")) {
      const Json::Array& theirs = at(at(at(recorded, "upstream"), "file"), "allow").as_array();
      REQUIRE(ours.size() == theirs.size());
      for (std::size_t i = 0; i < theirs.size(); ++i) {
        CHECK(completed(ours[i]) == with_our_user_id(theirs[i], ours[i]));
      }
      ++compared;
    } else {
      std::set<std::string> users;  // each record that VOLTTRON loses, or gives the name of another
      for (const Json& record : ours) users.insert(text_at(record, "user_id"));
      CHECK(users.size() == ours.size());
    }

    // The first edit writes what was read, and keeps the original.
    const auto report = file.edit([](Policy& policy) { return policy.add_role("r", Json()); });
    REQUIRE(report);
    Policy expected = *loaded;
    REQUIRE(expected.add_role("r", Json()));
    CHECK(file.load()->to_json().dump() == expected.to_json().dump());
    const bool is_old = !name.starts_with("1.4");
    std::set<std::string> originals;
    for (const auto& entry : std::filesystem::directory_iterator(home.path())) {
      const std::string backup = entry.path().filename();
      if (backup.ends_with(".bak") && home.read(backup) == text) originals.insert(backup);
    }
    CHECK(originals.size() ==
          (is_old ? 2U : 1U) + (old.is_string() && text.find("//") < text.size() ? 1U : 0U));
    if (is_old) CHECK_FALSE(report->warnings.empty());
  }
  CHECK(compared >= 25);
  CHECK(mended == 4);
}

TEST_CASE("Policy: edits as VOLTTRON but for named differences") {
  std::size_t compared = 0;
  for (const Json& recorded : recorded_cases("auth_file_ops.json")) {
    const std::string& name = text_at(recorded, "name");
    if (recorded.find("upstream_bug") != nullptr) continue;
    // An empty user_id is no user_id here, so the second of them is no duplicate.
    if (name == "add user_id empty twice") continue;
    INFO(name);
    auto policy = policy_of(at(recorded, "policy"));
    REQUIRE(policy);
    bool all_known = true;
    const Json::Array& results = at(at(recorded, "upstream"), "results").as_array();
    const Json::Array& operations = at(recorded, "ops").as_array();
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const auto done = apply(*policy, operations[i].as_array());
      all_known = all_known && done.has_value();
      if (!done) break;
      CHECK(done->has_value() == (results[i].find("ok") != nullptr));
      const Json* error = results[i].find("error");
      // The messages that users know; those of Python's own are better here.
      if (!*done && error != nullptr && text_at(*error, "type").starts_with("AuthFile")) {
        CHECK(done->error().message == text_at(*error, "message"));
      }
    }
    if (!all_known) continue;
    const Json ours = policy->to_json();
    const Json::Array& theirs = at(at(at(recorded, "upstream"), "file"), "allow").as_array();
    REQUIRE(at(ours, "allow").as_array().size() == theirs.size());
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const Json record = completed(at(ours, "allow").as_array()[i]);
      const Json their_record = completed(theirs[i]);
      CHECK(record == their_record);
    }
    ++compared;
  }
  CHECK(compared >= 12);
}

TEST_CASE("Policy: requirements of methods are edited as VOLTTRON but for named differences") {
  std::size_t compared = 0;
  for (const Json& recorded : recorded_cases("rpc_authorizations.json")) {
    const std::string& name = text_at(recorded, "name");
    INFO(name);
    if (name == "add empty list" || name == "add duplicates within the call")
      continue;  // change nothing, twice
    auto policy = policy_of(at(recorded, "policy"));
    REQUIRE(policy);
    bool all_known = true;
    for (const Json& operation : at(recorded, "ops").as_array()) {
      const Json::Array& parts = operation.as_array();
      const std::string& verb = parts[0].as_string();
      all_known = all_known && (verb == "add" || verb == "delete");
      if (!all_known) break;
      std::vector<std::string> capabilities;
      for (const Json& capability : parts[3].as_array()) capabilities.push_back(capability.as_string());
      const auto edit = verb == "add" ? &Policy::add_rpc_authorizations : &Policy::remove_rpc_authorizations;
      // VOLTTRON logs what is not there; here it is an error. The file says whether it was done.
      (void)((*policy).*edit)(parts[1].as_string(), parts[2].as_string(), capabilities);
    }
    if (!all_known) continue;
    const Json ours = policy->to_json();
    const Json::Array& theirs = at(at(at(recorded, "upstream"), "file"), "allow").as_array();
    REQUIRE(at(ours, "allow").as_array().size() == theirs.size());
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      CHECK(completed(at(ours, "allow").as_array()[i]) == completed(theirs[i]));
    }
    ++compared;
  }
  CHECK(compared >= 8);
}

TEST_CASE("Json: reads commented texts to the same value as VOLTTRON") {
  for (const Json& recorded : recorded_cases("strip_comments.json")) {
    INFO(text_at(recorded, "name"));
    const std::string& text = text_at(recorded, "text");
    const auto ours = Json::parse(text, Json::Comments::kAccept);
    const Json* theirs = at(recorded, "upstream").find("json");
    if (text.empty()) {
      CHECK_FALSE(ours);  // VOLTTRON reads an empty file as {}; a truncated policy must not pass for one
    } else if (theirs == nullptr) {
      CHECK_FALSE(ours);
    } else {
      REQUIRE(ours);
      CHECK(*ours == *theirs);
    }
  }
}

TEST_CASE("CurveKey: reads and writes keys as VOLTTRON but for what is no key") {
  for (const Json& recorded : recorded_cases("keys.json")) {
    const std::string& name = text_at(recorded, "name");
    const std::string& operation = text_at(recorded, "op");
    const Json& key = at(recorded, "key");
    const Json* theirs = at(recorded, "upstream").find("result");
    if (!key.is_string() || operation == "valid") continue;
    INFO(name);
    const auto ours = CurveKey::parse(key.as_string());
    if (operation == "encode" && name == "encode 43 chars already encoded") {
      REQUIRE(ours);
      CHECK(ours->to_base64url() == theirs->as_string());
    } else if (operation == "decode" && ours) {
      REQUIRE(theirs != nullptr);
      CHECK(ours->to_z85() == theirs->as_string());
    } else if (operation == "decode") {
      // What is refused here: lengths and alphabets that only VOLTTRON's decoder takes, and texts that are
      // not canonical.
      const bool canonical = theirs != nullptr && theirs->is_string() && theirs->as_string().size() == 40 &&
                             CurveKey::parse(theirs->as_string()) &&
                             CurveKey::parse(theirs->as_string())->to_base64url() == key.as_string();
      CHECK_FALSE(canonical);
    }
  }
}
