#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/json.hpp>

#include "reference_model.hpp"

namespace vipauth::test::model {

/// The edits of a policy, made on the document itself. Each says whether it is made; one that is not changes
/// nothing.
class DocumentEdits {
 public:
  explicit DocumentEdits(Json document) : document_(std::move(document)) {}
  const Json& document() const noexcept { return document_; }

  bool add_allow(const Json& record);
  bool add_deny(const Json& record);
  /// Fields of a record of the list; null gives one the value that a new record has.
  bool update(const char* name, std::size_t index, const Json& fields);
  bool remove(const char* name, const std::vector<std::size_t>& indices);
  bool add_second_key(std::size_t index, const std::string& key, const std::string& old_valid_until);

  bool add_role(const std::string& name, const Json& capabilities);
  bool remove_role(const std::string& name);
  /// \param written  the role afterwards: in which form a grant is written is not for the model to say, only
  ///                 what the whole means
  bool add_to_role(const std::string& name, const Json& capabilities, const Json* written);
  bool remove_from_role(const std::string& name, const std::vector<std::string>& names, const Json* written);
  bool add_group(const std::string& name, const std::vector<std::string>& roles);
  bool add_to_group(const std::string& name, const std::vector<std::string>& roles);
  bool remove_from_group(const std::string& name, const std::vector<std::string>& roles);
  bool remove_group(const std::string& name);

  bool add_requirement(const std::string& identity, const std::string& method, const std::string& capability);
  bool remove_requirement(const std::string& identity, const std::string& method,
                          const std::string& capability);

 private:
  Json::Array& list(const char* name);
  bool rewrite_role(const std::string& name, const Json* written, const std::vector<PlainGrant>& meant);
  /// Indices of the records that give this identity; nothing where one lists its methods in a wrong type.
  std::optional<std::vector<std::size_t>> records_of(const std::string& identity);
  bool is_new(const Json& record, std::optional<std::size_t> but);

  Json document_;
};

}  // namespace vipauth::test::model
