#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <vipauth/auth_record.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/curve_key.hpp>

#include "engine/id_slots.hpp"
#include "engine/name_table.hpp"

namespace vipauth {

/// A record of auth.json as decisions need it: one cache line, the rest by number in tables that records
/// share.
struct alignas(64) CompactRecord {
  enum class Kind : std::uint8_t { kUnreadable, kKey, kPattern, kPassword, kNull };
  static constexpr std::uint32_t kNone = IdSlots::kNone;

  CurveKey::Bytes key{};               ///< of kKey
  std::uint32_t user = kNone;          ///< name
  std::uint32_t identity = kNone;      ///< name; kNone: it gives none
  std::uint32_t place = 0;             ///< in RecordTables; 0: anywhere
  std::uint32_t period = 0;            ///< in RecordTables; 0: always
  std::uint32_t grants = 0;            ///< profile; 0: nothing
  std::uint32_t next_of_user = kNone;  ///< the next record of the list with this user
  std::uint32_t next_of_key = kNone;   ///< the next record of the list with this key
  Kind kind = Kind::kUnreadable;
  bool enabled = true;
};
static_assert(sizeof(CompactRecord) == 64);

/// Where a peer connects from. Views: the caller keeps the text alive.
struct PeerPlace {
  std::string_view domain;
  std::string_view address;
};

/// What the records of both lists share.
class RecordTables {
 public:
  RecordTables();

  std::uint32_t place_of(const AuthRecord& record);
  std::uint32_t period_of(const AuthRecord& record);

  bool accepts(std::uint32_t place, PeerPlace peer) const;
  bool is_within(std::uint32_t period, Timestamp now) const;
  /// The next moment after `now` at which a period begins or ends.
  std::optional<Timestamp> next_change(Timestamp now) const;

  /// Names a place in the same words in every table: for comparing the records of two policies.
  const std::string& place_text(std::uint32_t place) const { return place_texts_[place]; }

 private:
  struct Place {
    std::vector<Pattern> domain;
    std::vector<Pattern> address;
  };
  struct Period {
    std::optional<Timestamp> not_before;
    std::optional<Timestamp> not_after;
    friend auto operator<=>(const Period&, const Period&) = default;
  };

  std::vector<Place> places_;
  std::vector<std::string> place_texts_;
  std::unordered_map<std::string, std::uint32_t> place_ids_;
  std::vector<Period> periods_;
  std::map<Period, std::uint32_t> period_ids_;
};

/// The records of one list, allow or deny, by what finds them. Numbers are places in the file's list.
class RecordTable {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = CompactRecord::kNone;

  /// Appends a record. \param record  of which all but the key and the chains are set
  Id add(CompactRecord record, const Credentials& credentials);
  /// Appends one that is not understood: it finds nobody.
  Id add_unreadable(CompactRecord record);

  const CompactRecord& operator[](Id id) const noexcept { return records_[id]; }
  CompactRecord& operator[](Id id) noexcept { return records_[id]; }
  std::size_t size() const noexcept { return records_.size(); }

  /// Of a key: the same in all tables.
  static std::uint32_t hash_of(const CurveKey& key) noexcept;
  /// The first record of this key; the others follow by next_of_key, in file order.
  Id first_of_key(const CurveKey& key, std::uint32_t hash) const noexcept;
  Id first_of_key(const CurveKey& key) const noexcept { return first_of_key(key, hash_of(key)); }
  /// Has the memory that first_of_key() needs first brought near.
  void expect_key(std::uint32_t hash) const noexcept { by_key_.expect(hash); }
  const std::vector<Id>& with_pattern() const noexcept { return with_pattern_; }
  const std::vector<Id>& without_credentials() const noexcept { return without_credentials_; }
  /// The PLAIN records of a user, in file order.
  const std::vector<Id>& with_password(NameTable::Id user) const noexcept;
  /// Who has PLAIN records, each once.
  const std::vector<NameTable::Id>& users_with_password() const noexcept { return users_with_password_; }

  const Pattern& pattern(Id id) const noexcept { return patterns_.find(id)->second; }
  const std::string& password(Id id) const noexcept { return passwords_.find(id)->second; }

 private:
  void add_key(Id id, const CurveKey& key);

  std::vector<CompactRecord> records_;
  IdSlots by_key_;
  std::unordered_map<Id, Id> last_of_key_;  // of keys that several records have
  std::vector<Id> with_pattern_;
  std::vector<Id> without_credentials_;
  std::unordered_map<NameTable::Id, std::vector<Id>> with_password_;
  std::vector<NameTable::Id> users_with_password_;
  std::unordered_map<Id, Pattern> patterns_;
  std::unordered_map<Id, std::string> passwords_;
};

}  // namespace vipauth
