#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_set>

#include <vipauth/json.hpp>

#include "text/json_parts.hpp"

namespace vipauth {

/// A digest (BLAKE2b) of everything that writing a value shows: kinds, the order of members, digits, text.
/// Cheaper to keep than a copy of a large value.
using JsonDigest = std::array<std::uint8_t, 32>;
JsonDigest digest_of(const Json& json);

/// True where Json::parse would read what Json::dump writes of `json` as the same value: all text is UTF-8,
/// numbers are numbers, no member is there twice, and nothing is nested deeper than Json::kMaxDepth.
bool survives_writing(const Json& json);

/// Both of a document that comes part by part.
class JsonPartCheck : public JsonPartSink {
 public:
  JsonPartCheck();
  ~JsonPartCheck() override;

  void on_begin(std::size_t members) override;
  void on_list(std::string_view name, std::size_t items) override;
  void on_object(std::string_view name, std::size_t members) override;
  void on_item(const Json& item) override;
  void on_member(std::string_view member, const Json& value) override;
  void on_close() override {}
  void on_value(std::string_view name, const Json& value) override;
  void on_end() override {}

  /// To be called once, after all.
  JsonDigest digest();
  bool survives_writing() const { return survives_; }

 private:
  struct Impl;
  bool is_new_name(std::unordered_set<std::string_view>& names, std::string_view name);

  std::unique_ptr<Impl> impl_;
  bool survives_ = true;
  std::unordered_set<std::string_view> root_names_;
  std::unordered_set<std::string_view> member_names_;
};

}  // namespace vipauth
