// An auth.json, 0xFF, and edits of it, 0xFF between their words: whatever fails changes nothing, whatever
// succeeds is written and read again.
#include <vipauth/policy.hpp>

#include "fuzz.hpp"
#include "model/policy_document.hpp"
#include "store/file_content.hpp"
#include "store/loaded_policy.hpp"
#include "text/json_check.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

constexpr std::size_t kMostEdits = 8;

/// Takes the words of an input one by one; behind the last all are empty.
class Words {
 public:
  explicit Words(std::vector<std::string_view> words) : words_(std::move(words)) {}

  bool has_more() const { return next_ < words_.size(); }
  std::string_view text() { return has_more() ? words_[next_++] : std::string_view(); }
  std::size_t number() { return number_in(text()); }
  /// What is no JSON is a string.
  Json json() {
    const std::string_view word = text();
    auto parsed = Json::parse(word);
    return parsed ? *std::move(parsed) : Json(word);
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    std::string_view word = text();
    while (!word.empty()) {
      const std::size_t end = std::min(word.find(','), word.size());
      out.emplace_back(word.substr(0, end));
      word.remove_prefix(std::min(end + 1, word.size()));
    }
    return out;
  }

 private:
  std::vector<std::string_view> words_;
  std::size_t next_ = 0;
};

Result<void> without_value(const Result<std::size_t>& result) {
  if (!result) return result.error();
  return {};
}

Result<void> edit(Policy& policy, Words& words) {
  const std::string_view verb = words.text();
  const std::string name(words.text());
  switch (verb.empty() ? ' ' : verb[0]) {
    case 'a': return without_value(policy.add_allow(words.json()));
    case 'A': return policy.add_allow_together({words.json(), words.json()});
    case 'd': return without_value(policy.add_deny(words.json()));
    case 'u': return policy.update_allow(words.number(), words.json());
    case 'U': return policy.update_deny(words.number(), words.json());
    case 'r': return policy.remove_allow({words.number(), words.number()});
    case 'R': return policy.remove_deny({words.number()});
    case 'k': {
      const std::size_t index = words.number();
      const auto key = CurveKey::parse(words.text());
      if (!key) return key.error();
      return without_value(
          policy.add_second_key(index, *key, std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)));
    }
    case 'o': return policy.add_role(name, words.json());
    case 'p': return policy.add_to_role(name, words.json());
    case 'q': return policy.remove_from_role(name, words.names());
    case 's': return policy.remove_role(name);
    case 'g': return policy.add_group(name, words.names());
    case 'h': return policy.add_to_group(name, words.names());
    case 'i': return policy.remove_from_group(name, words.names());
    case 'j': return policy.remove_group(name);
    case 'm': {
      const std::string_view method = words.text();
      return policy.add_rpc_authorizations(name, method, words.names());
    }
    case 'n': {
      const std::string_view method = words.text();
      return policy.remove_rpc_authorizations(name, method, words.names());
    }
    case 't': {
      const std::string method(words.text());
      return policy.declare_rpc_authorizations(name, {{method, words.names()}}, 4);
    }
    default: return Error{ErrorCode::kInvalidArgument, "no such verb", ""};
  }
}

std::string problems_of(const Policy& policy) {
  std::string out;
  for (const Error& problem : policy.problems()) out += problem.to_string() + "\n";
  return out;
}

/// True where AuthFile would write the policy.
bool is_written(const Policy& policy) {
  JsonPartCheck check;
  PolicyDocument::hand_over(policy, check);
  require(check.survives_writing() == survives_writing(policy.to_json()));
  return check.survives_writing();
}

void check_written(const Policy& policy) {
  const Json document = policy.to_json();
  const auto again = understand(FileContent::of(document.dump_pretty() + "\n"), "auth.json");
  require(again.has_value(), again ? "" : again.error().to_string());
  require_same(again->policy.to_json().dump(), document.dump());
  require_same(problems_of(again->policy), problems_of(policy));
  require(again->policy.allow().size() == policy.allow().size() &&
          again->policy.deny().size() == policy.deny().size());
}

/// Those of the records that were understood.
std::size_t understood(const std::vector<Policy::Entry>& entries) {
  return static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(),
                                                [](const auto& entry) { return entry.record.has_value(); }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto parts = parts_of(text_of(data, size), 64);
  auto loaded = understand(FileContent::of(std::string(parts.front())), "auth.json");
  if (!loaded) return 0;
  parts.erase(parts.begin());
  Words words(std::move(parts));
  Policy policy = std::move(loaded->policy);
  for (std::size_t i = 0; i < kMostEdits && words.has_more(); ++i) {
    const Policy before = policy;
    const auto done = edit(policy, words);
    if (!done) {
      require_good(done.error(), size);
      require_same(policy.to_json().dump(), before.to_json().dump());
      require_same(problems_of(policy), problems_of(before));
      continue;
    }
    // Nothing that was understood is lost to an edit of something else.
    require(understood(policy.allow()) + 2 >= understood(before.allow()));
    if (!is_written(policy)) {
      policy = before;
      continue;
    }
    check_written(policy);
  }
  return 0;
}
