#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <vipauth/auth_record.hpp>

#include "text/json_items.hpp"

namespace vipauth {

/// Reads plain records from events, without a Json of each: those of a CURVE key, with a user_id, of which
/// every field has its usual form. They are nearly all of a large file.
class RecordReader : public JsonEvents {
 public:
  /// Begins the next record.
  void begin();
  /// The record that has ended, as AuthRecord::parse would read it; null: it is not plain, which says nothing
  /// of whether it is good.
  const AuthRecord* record();

  void on_null() override;
  void on_bool(bool value) override;
  void on_number(std::string_view digits) override;
  void on_string(std::string_view text) override;
  void on_object() override;
  void on_key(std::string_view name) override;
  void on_object_end() override;
  void on_list() override;
  void on_list_end() override;

 private:
  /// Of an object: more are not looked through for one that is there twice.
  static constexpr std::size_t kMostNames = 32;

  /// The fields of a record; kOther: none of them.
  enum class Field : std::uint8_t {
    kDomain,
    kAddress,
    kMechanism,
    kCredentials,
    kUserId,
    kIdentity,
    kGroupNames,
    kRoleNames,
    kCapabilities,
    kMethods,
    kComments,
    kEnabled,
    kNotBefore,
    kNotAfter,
    kOther,
  };
  static Field field_of(std::string_view name) noexcept;

  /// What is read of `capabilities`: a list of names, or an object of names and restrictions.
  bool take_capability(std::string_view text);
  void restrict_by(Json constraint);
  void set_name(std::string_view text, std::string& out);
  void give_up() noexcept { is_plain_ = false; }

  AuthRecord record_;
  bool is_plain_ = false;
  bool has_key_ = false;
  std::uint32_t seen_ = 0;  // fields, as bits
  Field field_ = Field::kOther;
  std::size_t level_ = 0;   // 1: in the record; 2: in a field's value; 3: in restrictions
  bool is_object_ = false;  // the field's value
};

}  // namespace vipauth
