#include "model/policy_document.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "model/policy_parts.hpp"

namespace vipauth {
namespace {

void hand_over_records(std::string_view name, const std::vector<Policy::Entry>& entries, JsonPartSink& sink) {
  sink.on_list(name, entries.size());
  for (const Policy::Entry& entry : entries) sink.on_item(entry.source);
  sink.on_close();
}

/// The same of roles or groups.
template <typename Named>
void hand_over_named(std::string_view name, const std::vector<Named>& named, JsonPartSink& sink) {
  sink.on_object(name, named.size());
  for (const Named& item : named) sink.on_member(item.name, item.source);
  sink.on_close();
}

}  // namespace

void PolicyDocument::hand_over(const Policy& policy, JsonPartSink& sink) {
  const std::array<std::string_view, 4> always{kAllow, kDeny, kGroups, kRoles};
  const Json::Object& document = policy.document_.as_object();
  const auto is_missing = [&](std::string_view name) {
    return std::none_of(document.begin(), document.end(), [&](const auto& m) { return m.name == name; });
  };
  const auto member = [&](std::string_view name) {
    if (name == kAllow) {
      hand_over_records(name, policy.allow_, sink);
    } else if (name == kDeny) {
      hand_over_records(name, policy.deny_, sink);
    } else if (name == kGroups) {
      hand_over_named(name, policy.groups_, sink);
    } else if (name == kRoles) {
      hand_over_named(name, policy.roles_, sink);
    } else {
      return false;
    }
    return true;
  };

  sink.on_begin(document.size() +
                static_cast<std::size_t>(std::count_if(always.begin(), always.end(), is_missing)));
  for (const Json::Member& other : document) {
    if (!member(other.name)) sink.on_value(other.name, other.value);
  }
  for (const std::string_view name : always) {
    if (is_missing(name)) member(name);
  }
  sink.on_end();
}

/// Makes a policy of the pieces of a document.
class PolicyDocument::Reader : public JsonItemHandler {
 public:
  Reader() { policy_.document_ = Json::Object(); }

  bool on_list(std::string_view name) override {
    if (name == kGroups || name == kRoles) return false;
    entries_ = name == kAllow ? &policy_.allow_ : name == kDeny ? &policy_.deny_ : nullptr;
    return add(name, entries_ != nullptr ? Json() : Json(Json::Array()));
  }

  bool on_item(Json item) override {
    if (entries_ != nullptr) {
      entries_->push_back(make_entry(std::move(item), name_, entries_->size()));
    } else {
      last().as_array().push_back(std::move(item));
    }
    return true;
  }

  bool on_object(std::string_view name) override {
    if (name == kAllow || name == kDeny) return false;
    return add(name, name == kGroups || name == kRoles ? Json() : Json(Json::Object()));
  }

  bool on_member(std::string_view member, Json value) override {
    if (name_ == kRoles) {
      policy_.roles_.push_back(make_role(std::string(member), std::move(value)));
    } else if (name_ == kGroups) {
      policy_.groups_.push_back(make_group(std::string(member), std::move(value)));
    } else {
      last().as_object().push_back({std::string(member), std::move(value)});
    }
    return true;
  }

  bool on_value(std::string_view name, Json value) override {
    if (name == kAllow || name == kDeny || name == kGroups || name == kRoles) return false;
    return add(name, std::move(value));
  }

  /// Nothing where it is of another version.
  std::optional<Policy> take() {
    const auto version = policy_.version();
    const bool is_present =
        version && version->major == Policy::kVersion.major && version->minor == Policy::kVersion.minor;
    return is_present ? std::optional(std::move(policy_)) : std::nullopt;
  }

 private:
  Json& last() { return policy_.document_.as_object().back().value; }

  bool add(std::string_view name, Json value) {
    name_ = name;
    policy_.document_.as_object().push_back({name_, std::move(value)});
    return true;
  }

  Policy policy_;
  std::string name_;                               // of the member of the root
  std::vector<Policy::Entry>* entries_ = nullptr;  // of a list of records
};

std::optional<Policy> PolicyDocument::read(const ReadBytes& read) {
  Reader reader;
  if (!read_json_items(read, reader)) return std::nullopt;
  return reader.take();
}

}  // namespace vipauth
