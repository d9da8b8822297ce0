#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/hash.hpp"
#include "engine/lint_report.hpp"

namespace vipauth {
namespace {

using Indices = std::vector<std::size_t>;

struct KeyHash {
  std::size_t operator()(const CurveKey& key) const noexcept {
    return static_cast<std::size_t>(seeded_hash(key.bytes()));
  }
};

// ---- What covers what ----

/// True where `patterns` let every value through. Longer patterns for the same are not found.
bool is_open(const std::vector<Pattern>& patterns) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [](const Pattern& pattern) { return pattern.text() == "/.*/"; });
}

bool is_open(const AuthRecord& record) { return is_open(record.domain) && is_open(record.address); }

bool covers(const Pattern& wide, const Pattern& narrow) {
  return wide == narrow || (!narrow.is_regex() && wide.matches(narrow.text()));
}

/// True where `wide` surely lets everything through that `narrow` does.
bool covers(const std::vector<Pattern>& wide, const std::vector<Pattern>& narrow) {
  constexpr std::size_t kMostComparisons = 4096;
  if (is_open(wide)) return true;
  if (narrow.empty() || wide.size() * narrow.size() > kMostComparisons) return false;
  return std::all_of(narrow.begin(), narrow.end(), [&](const Pattern& pattern) {
    return std::any_of(wide.begin(), wide.end(), [&](const Pattern& w) { return covers(w, pattern); });
  });
}

bool covers_place(const AuthRecord& wide, const AuthRecord& narrow) {
  return covers(wide.domain, narrow.domain) && covers(wide.address, narrow.address);
}

/// Tells patterns that accept every key, by trying some.
class KeyPatterns {
 public:
  KeyPatterns() {
    constexpr std::size_t kSamples = 64;
    for (std::size_t i = 0; i < kSamples; ++i) {
      CurveKey::Bytes bytes{};
      std::uint64_t state = i * 0x9e3779b97f4a7c15U;  // spreads the samples over all characters
      for (std::uint8_t& byte : bytes) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        byte = static_cast<std::uint8_t>(state >> 56U);
      }
      samples_.push_back(CurveKey(bytes).to_base64url());
    }
  }

  bool accepts_all(const Pattern& pattern) {
    const auto [found, is_new] = known_.try_emplace(pattern.text(), false);
    if (is_new) {
      found->second = std::all_of(samples_.begin(), samples_.end(),
                                  [&](const std::string& key) { return pattern.matches(key); });
    }
    return found->second;
  }

 private:
  std::vector<std::string> samples_;
  StringMap<bool> known_;
};

bool covers(const Credentials& wide, const Credentials& narrow, KeyPatterns& patterns) {
  const auto* wide_pattern = std::get_if<Pattern>(&wide);
  const auto* narrow_pattern = std::get_if<Pattern>(&narrow);
  if (wide_pattern != nullptr && narrow_pattern != nullptr) {
    return *wide_pattern == *narrow_pattern || patterns.accepts_all(*wide_pattern);
  }
  const auto* wide_password = std::get_if<StoredPassword>(&wide);
  const auto* narrow_password = std::get_if<StoredPassword>(&narrow);
  if (wide_password != nullptr && narrow_password != nullptr)
    return wide_password->text == narrow_password->text;
  return wide.index() == narrow.index();  // of one key, or without any
}

// ---- Records in the order in which they are asked ----

/// Records of one list that could stand in front of each other, in file order.
struct Rivals {
  std::unordered_map<CurveKey, Indices, KeyHash> by_key;
  StringMap<Indices> by_username;
  Indices patterns;
  Indices without_credentials;

  void add(const AuthRecord& record, std::size_t index) {
    if (const auto* key = std::get_if<CurveKey>(&record.credentials)) {
      by_key[*key].push_back(index);
    } else if (std::holds_alternative<StoredPassword>(record.credentials)) {
      by_username[record.user_id].push_back(index);
    } else if (std::holds_alternative<Pattern>(record.credentials)) {
      patterns.push_back(index);
    } else {
      without_credentials.push_back(index);
    }
  }

  template <typename Visit>
  void for_each_group(Visit visit) const {
    for (const auto& [key, indices] : by_key) visit(indices);
    for (const auto& [name, indices] : by_username) visit(indices);
    visit(patterns);
    visit(without_credentials);
  }
};

/// The first record that surely meets every peer of a later one. Looks at the first kMostLookedAt alone.
class Shadows {
 public:
  Shadows(const std::vector<Policy::Entry>& entries, KeyPatterns& patterns)
      : entries_(entries), patterns_(patterns) {}

  /// Calls `visit(shadowed, by)` for records of `group`, and `beside(record, first)` for those that share
  /// their key with another and are not shadowed.
  template <typename Visit, typename Beside>
  void find(const Indices& group, Visit visit, Beside beside) {
    Indices looked_at;
    for (const std::size_t index : group) {
      const AuthRecord& record = *entries_[index].record;
      const auto by = std::find_if(looked_at.begin(), looked_at.end(), [&](std::size_t earlier) {
        const AuthRecord& wide = *entries_[earlier].record;
        return covers_place(wide, record) && covers(wide.credentials, record.credentials, patterns_);
      });
      if (by != looked_at.end()) {
        visit(index, *by);
        continue;
      }
      if (index != group.front()) beside(index, group.front());
      // One that is open at every side is always kept: it settles all that follow.
      if (looked_at.size() < kMostLookedAt)
        looked_at.push_back(index);
      else if (is_open(record))
        looked_at.back() = index;
    }
  }

 private:
  static constexpr std::size_t kMostLookedAt = 32;

  const std::vector<Policy::Entry>& entries_;
  KeyPatterns& patterns_;
};

// ---- Allow records ----

void check_shadows(LintReport& report, KeyPatterns& patterns) {
  const auto& entries = report.policy.allow();
  Rivals rivals;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (report.active[i]) rivals.add(*entries[i].record, i);
  }
  Shadows shadows(entries, patterns);
  const auto report_shadow = [&](std::size_t i, std::size_t by) {
    const bool is_same_user = entries[i].record->user_id == entries[by].record->user_id;
    report.warning(
        {LintSection::kAllow, i, ""},
        {"shadowed-record",
         json_pointer("/allow", by) +
             " accepts the same peers before this record does: nobody is let in as " +
             (is_same_user ? "a second one of the same user" : quoted(entries[i].record->user_id)),
         "remove one of the two, or let them differ in address or domain",
         is_same_user ? std::vector<std::string>{} : std::vector<std::string>{"remove", std::to_string(i)}});
  };
  const auto report_beside = [&](std::size_t i, std::size_t first) {
    if (!std::holds_alternative<CurveKey>(entries[i].record->credentials)) return;
    report.warning({LintSection::kAllow, i, "/credentials"},
                   {"duplicate-credentials",
                    json_pointer("/allow", first) +
                        " has the same key: which of the two counts depends on where the peer connects from",
                    "give each agent a key of its own"});
  };
  rivals.for_each_group([&](const Indices& group) { shadows.find(group, report_shadow, report_beside); });
}

void check_open(LintReport& report, KeyPatterns& patterns) {
  const auto& entries = report.policy.allow();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!report.active[i]) continue;
    const AuthRecord& record = *entries[i].record;
    const std::vector<std::string> command{"update", std::to_string(i), "--address", "ADDRESS"};
    if (record.mechanism == Mechanism::kNull && is_open(record)) {
      report.error(
          {LintSection::kAllow, i, ""},
          {"open-null-record",
           "NULL without address and domain: everyone is let in, without a key, as " + quoted(record.user_id),
           "say from which address, or remove the record", command});
    }
    const auto* pattern = std::get_if<Pattern>(&record.credentials);
    if (pattern == nullptr || !patterns.accepts_all(*pattern)) continue;
    const LintPlace place{LintSection::kAllow, i, "/credentials"};
    if (is_open(record)) {
      report.error(
          place, {"open-credentials",
                  quoted(pattern->text()) + " accepts every key, from every address: everyone is let in as " +
                      quoted(record.user_id),
                  "name the key, or at least the address", command});
    } else {
      report.warning(place, {"open-credentials",
                             quoted(pattern->text()) + " accepts every key from this address or domain",
                             "name the key",
                             {"update", std::to_string(i), "--credentials", "PUBLIC_KEY"}});
    }
  }
}

// ---- Deny records ----

/// Which deny record makes an allow record inert.
class Denials {
 public:
  Denials(const Policy& policy, Timestamp now) {
    for (std::size_t i = 0; i < policy.deny().size(); ++i) {
      const auto& record = policy.deny()[i].record;
      if (!record || !record->is_active(now) || !record->domain.empty() || !record->address.empty()) continue;
      if (const auto* key = std::get_if<CurveKey>(&record->credentials)) {
        keys_.try_emplace(*key, i);
      } else if (const auto* pattern = std::get_if<Pattern>(&record->credentials)) {
        patterns_.emplace_back(*pattern, i);
      } else if (const auto* password = std::get_if<StoredPassword>(&record->credentials)) {
        passwords_.try_emplace({record->user_id, password->text}, i);
      } else if (!null_) {
        null_ = i;
      }
    }
  }

  std::optional<std::size_t> find(const AuthRecord& record) const {
    if (const auto* key = std::get_if<CurveKey>(&record.credentials)) {
      if (const auto found = keys_.find(*key); found != keys_.end()) return found->second;
      const std::string text = key->to_base64url();
      const auto match = std::find_if(patterns_.begin(), patterns_.end(),
                                      [&](const auto& denied) { return denied.first.matches(text); });
      return match == patterns_.end() ? std::nullopt : std::optional(match->second);
    }
    if (const auto* password = std::get_if<StoredPassword>(&record.credentials)) {
      const auto found = passwords_.find({record.user_id, password->text});
      return found == passwords_.end() ? std::nullopt : std::optional(found->second);
    }
    return record.mechanism == Mechanism::kNull ? null_ : std::nullopt;
  }

 private:
  std::unordered_map<CurveKey, std::size_t, KeyHash> keys_;
  std::vector<std::pair<Pattern, std::size_t>> patterns_;
  std::map<std::pair<std::string, std::string>, std::size_t> passwords_;
  std::optional<std::size_t> null_;
};

void check_denied(LintReport& report) {
  const Denials denials(report.policy, report.now);
  const auto& entries = report.policy.allow();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (report.active[i] || !entries[i].record || !entries[i].record->is_active(report.now)) continue;
    const auto by = denials.find(*entries[i].record);
    if (!by) continue;
    report.warning({LintSection::kAllow, i, ""},
                   {"denied-record",
                    json_pointer("/deny", *by) + " denies these credentials: the record does nothing",
                    "remove one of the two",
                    {"remove", std::to_string(i)}});
  }
}

void check_deny_list(LintReport& report, KeyPatterns& patterns) {
  const auto& entries = report.policy.deny();
  Rivals rivals;
  const auto idle = [&](std::size_t i, std::string tail, std::string why) {
    report.warning(
        {LintSection::kDeny, i, std::move(tail)},
        {"idle-deny-record", std::move(why) + ": it denies nothing", "mend it, or take it out of the file"});
  };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].record) continue;
    const AuthRecord& record = *entries[i].record;
    const Json* user_id = entries[i].source.find("user_id");
    const bool has_user_id = user_id != nullptr && user_id->is_string() && !user_id->as_string().empty();
    if (!record.enabled) {
      idle(i, "/enabled", "the deny record is switched off");
    } else if (record.not_after && report.now >= *record.not_after) {
      idle(i, "/not_after", "the deny record is not valid since " + format_timestamp(*record.not_after));
    } else if (record.not_before && report.now < *record.not_before) {
      idle(i, "/not_before", "the deny record is not valid before " + format_timestamp(*record.not_before));
    } else if (record.mechanism == Mechanism::kPlain && !has_user_id) {
      idle(i, "", "a PLAIN record without a user_id has no user name");
    } else {
      rivals.add(record, i);
    }
    const auto* pattern = std::get_if<Pattern>(&record.credentials);
    if (pattern != nullptr && record.is_active(report.now) && is_open(record) &&
        patterns.accepts_all(*pattern)) {
      report.warning(
          {LintSection::kDeny, i, "/credentials"},
          {"deny-everybody", quoted(pattern->text()) + " denies every key: no CURVE peer is let in",
           "name the keys to deny"});
    }
  }
  Shadows shadows(entries, patterns);
  rivals.for_each_group([&](const Indices& group) {
    shadows.find(
        group,
        [&](std::size_t i, std::size_t by) {
          idle(i, "", json_pointer("/deny", by) + " denies the same peers");
        },
        [](std::size_t, std::size_t) {});
  });
}

}  // namespace

void lint_peers(LintReport& report) {
  KeyPatterns patterns;
  check_shadows(report, patterns);
  check_open(report, patterns);
  check_denied(report);
  check_deny_list(report, patterns);
}

}  // namespace vipauth
