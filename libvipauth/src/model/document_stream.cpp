#include "model/document_stream.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include <vipauth/policy.hpp>

#include "model/policy_parts.hpp"
#include "model/whole_number.hpp"

namespace vipauth {
namespace {

constexpr std::string_view kVersion = "version";

class Pieces : public JsonItemHandler {
 public:
  explicit Pieces(PolicyDocumentSink& sink) : sink_(sink) {}

  bool on_list(std::string_view name) override {
    begin(name, Json(Json::Array()));
    return name != kRoles && name != kGroups;
  }

  bool on_item(Json item) override {
    if (name_ == kAllow) {
      sink_.on_allow(std::move(item));
    } else if (name_ == kDeny) {
      sink_.on_deny(std::move(item));
    } else {
      other_->as_array().push_back(std::move(item));
    }
    return true;
  }

  bool on_object(std::string_view name) override {
    begin(name, Json(Json::Object()));
    return name != kAllow && name != kDeny;
  }

  bool on_member(std::string_view member, Json value) override {
    if (name_ == kRoles) {
      sink_.on_role(std::string(member), std::move(value));
    } else if (name_ == kGroups) {
      sink_.on_group(std::string(member), std::move(value));
    } else {
      other_->as_object().push_back({std::string(member), std::move(value)});
    }
    return true;
  }

  bool on_value(std::string_view name, Json value) override {
    begin(name, std::move(value));
    return name != kAllow && name != kDeny && name != kRoles && name != kGroups;
  }

  /// The last member has ended. \return false  the document is of another version
  bool end() {
    begin("", Json());
    return is_of_present_version_;
  }

 private:
  static bool is_present(const Json& version) {
    return whole_number(version.find("major")) == Policy::kVersion.major &&
           whole_number(version.find("minor")) == Policy::kVersion.minor;
  }

  void begin(std::string_view name, Json other) {
    const bool has_own_calls = name_ == kAllow || name_ == kDeny || name_ == kRoles || name_ == kGroups;
    if (other_ && !has_own_calls) {
      if (name_ == kVersion) is_of_present_version_ = is_present(*other_);
      sink_.on_other(name_, *std::move(other_));
    }
    name_ = name;
    other_ = std::move(other);
  }

  PolicyDocumentSink& sink_;
  std::string name_;           // of the member of the root
  std::optional<Json> other_;  // what it is so far, where it is handed over as a whole
  bool is_of_present_version_ = false;
};

}  // namespace

bool stream_document(const ReadBytes& read, PolicyDocumentSink& sink) {
  Pieces pieces(sink);
  return read_json_items(read, pieces) && pieces.end();
}

}  // namespace vipauth
