#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>
#include <vipauth/topic_rules.hpp>

namespace vipauth {

/// The two lists of protected_topics.json: who may publish, and who may receive.
enum class TopicList { kWriteProtect, kReadProtect };

VIPAUTH_EXPORT std::string_view to_string(TopicList list) noexcept;  ///< "write-protect", "read-protect"

/// The content of a protected_topics.json, to be edited: beside its rules all that the file says, so that
/// unknown members, forms and order survive. A value: plain data, no file.
class TopicDocument {
 public:
  /// No rules.
  VIPAUTH_EXPORT TopicDocument();

  /// \return what TopicRules::parse returns
  VIPAUTH_EXPORT static Result<TopicDocument> parse(Json document);

  const Json& to_json() const noexcept { return document_; }
  const TopicRules& rules() const noexcept { return rules_; }
  VIPAUTH_EXPORT const std::vector<TopicRule>& rules(TopicList list) const noexcept;

  /// Adds a rule to the end of a list. No capabilities: it requires nothing.
  /// \return kAlreadyExists    `topic "foo" is already protected by ["can_publish_to_foo"]`
  /// \return kInvalidArgument  an empty topic or capability, or a topic that nobody could publish to
  ///                           (semantics 6: control characters)
  /// \return what Pattern::parse returns; kLimitExceeded
  VIPAUTH_EXPORT Result<void> add(TopicList list, std::string_view topic,
                                  const std::vector<std::string>& capabilities);

  /// Removes the rules of a list for exactly this topic, of which a file made by hand may have several.
  /// \return what was removed; kNotFound  there is none
  VIPAUTH_EXPORT Result<std::vector<TopicRule>> remove(TopicList list, std::string_view topic);

 private:
  Result<void> put_in_force(Json document);

  Json document_;
  TopicRules rules_;
};

}  // namespace vipauth
