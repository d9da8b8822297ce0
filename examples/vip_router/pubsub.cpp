#include "pubsub.hpp"

#include <utility>

namespace vip_router {
namespace {

using vipauth::Error;
using vipauth::ErrorCode;
using vipauth::Json;
using vipauth::Result;

Error invalid(std::string_view place, std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), std::string(place)};
}

Result<Json> read_object(std::string_view text) {
  auto json = Json::parse(text);
  if (!json) return json.error();
  if (!json->is_object()) return invalid("", "must be an object, not " + std::string(json->kind_name()));
  return json;
}

/// VOLTTRON names a bus in each message, and has one.
Result<void> check_bus(const Json& object) {
  const Json* bus = object.find("bus");
  if (bus == nullptr || bus->is_null() || *bus == Json("")) return {};
  return invalid("bus", "there is no other bus than \"\"");
}

Result<bool> flag(const Json& object, std::string_view name, bool fallback) {
  const Json* value = object.find(name);
  if (value == nullptr || value->is_null()) return fallback;
  if (!value->is_bool()) return invalid(name, "must be true or false");
  return value->as_bool();
}

Result<std::vector<std::string>> read_prefixes(const Json& json) {
  std::vector<std::string> out;
  for (const Json& item : json.is_array() ? json.as_array() : Json::Array{json}) {
    if (!item.is_string()) return invalid("prefix", "must be a text, or a list of texts");
    if (item.as_string().size() > kMaxTopicBytes) {
      return Error{ErrorCode::kLimitExceeded,
                   "a topic has at most " + std::to_string(kMaxTopicBytes) + " bytes", "prefix"};
    }
    out.push_back(item.as_string());
  }
  if (out.size() > Subscriptions::kMaxOfOne) {
    return Error{ErrorCode::kLimitExceeded,
                 "a peer has at most " + std::to_string(Subscriptions::kMaxOfOne) + " subscriptions",
                 "prefix"};
  }
  return out;
}

constexpr std::array<std::pair<std::string_view, Reach>, kReaches> kNames{
    {{"internal", Reach::kInternal}, {"all", Reach::kAll}}};

}  // namespace

// ---- Subscriptions ----

bool Subscriptions::add(const std::string& peer, const std::string& prefix) {
  auto& own = by_peer_[peer];
  if (own.contains(prefix)) return true;
  if (own.size() >= kMaxOfOne) return false;
  own.insert(prefix);
  auto& peers = by_prefix_[prefix];
  if (peers.empty()) ++lengths_[prefix.size()];
  peers.insert(peer);
  return true;
}

void Subscriptions::remove(const std::string& peer, const std::string& prefix) {
  const auto own = by_peer_.find(peer);
  if (own == by_peer_.end() || own->second.erase(prefix) == 0) return;
  if (own->second.empty()) by_peer_.erase(own);
  const auto peers = by_prefix_.find(prefix);
  peers->second.erase(peer);
  if (!peers->second.empty()) return;
  by_prefix_.erase(peers);
  const auto length = lengths_.find(prefix.size());
  if (--length->second == 0) lengths_.erase(length);
}

void Subscriptions::remove_all(const std::string& peer) {
  const auto own = by_peer_.find(peer);
  if (own == by_peer_.end()) return;
  const std::set<std::string> prefixes = own->second;
  for (const std::string& prefix : prefixes) remove(peer, prefix);
}

void Subscriptions::find(std::string_view topic, std::set<std::string, std::less<>>& peers) const {
  for (const auto& [length, count] : lengths_) {
    if (length > topic.size()) break;
    const auto found = by_prefix_.find(topic.substr(0, length));
    if (found != by_prefix_.end()) peers.insert(found->second.begin(), found->second.end());
  }
}

void Subscriptions::list(
    std::string_view text, bool reverse,
    const std::function<bool(const std::string& prefix, const std::set<std::string>& peers)>& tell) const {
  if (reverse) {
    for (const auto& [length, count] : lengths_) {
      if (length > text.size()) return;
      const auto found = by_prefix_.find(text.substr(0, length));
      if (found != by_prefix_.end() && !tell(found->first, found->second)) return;
    }
    return;
  }
  for (auto found = by_prefix_.lower_bound(text); found != by_prefix_.end() && found->first.starts_with(text);
       ++found) {
    if (!tell(found->first, found->second)) return;
  }
}

// ---- Arguments ----

Result<Selection> read_subscribe(std::string_view json) {
  const auto object = read_object(json);
  if (!object) return object.error();
  if (auto bus = check_bus(*object); !bus) return bus.error();
  const auto is_all = flag(*object, "all_platforms", false);
  if (!is_all) return is_all.error();
  const Json* prefix = object->find("prefix");
  auto prefixes = read_prefixes(prefix != nullptr ? *prefix : Json());
  if (!prefixes) return prefixes.error();
  return Selection{*is_all ? Reach::kAll : Reach::kInternal, *std::move(prefixes)};
}

Result<Selection> read_unsubscribe(std::string_view json) {
  const auto object = read_object(json);
  if (!object) return object.error();
  Selection selection;
  const Json* inner = &*object;
  for (const auto& [name, reach] : kNames) {
    const Json* found = object->find(name);
    if (found == nullptr) continue;
    if (!found->is_object()) return invalid(name, "must be an object");
    inner = found;
    selection.reach = reach;
    break;
  }
  if (auto bus = check_bus(*inner); !bus) return bus.error();
  const Json* prefix = inner->find("prefix");
  if (prefix == nullptr) return invalid("prefix", "is missing");
  if (prefix->is_null()) return selection;
  auto prefixes = read_prefixes(*prefix);
  if (!prefixes) return prefixes.error();
  selection.prefixes = *std::move(prefixes);
  return selection;
}

Result<std::vector<Selection>> read_synchronize(std::string_view json) {
  const auto object = read_object(json);
  if (!object) return object.error();
  const Json* subscriptions = object->find("subscriptions");
  if (subscriptions == nullptr || !subscriptions->is_object())
    return invalid("subscriptions", "must be an object");
  std::vector<Selection> out;
  for (const auto& [name, reach] : kNames) {
    const Json* buses = subscriptions->find(name);
    if (buses == nullptr) continue;
    if (!buses->is_object()) return invalid(name, "must be an object");
    Selection selection{reach, std::vector<std::string>()};
    for (const Json::Member& bus : buses->as_object()) {
      if (!bus.name.empty()) return invalid(name, "there is no other bus than \"\"");
      auto prefixes = read_prefixes(bus.value);
      if (!prefixes) return prefixes.error().at(name);
      selection.prefixes = *std::move(prefixes);
    }
    out.push_back(std::move(selection));
  }
  return out;
}

Result<Listing> read_list(std::string_view json) {
  const auto object = read_object(json);
  if (!object) return object.error();
  if (auto bus = check_bus(*object); !bus) return bus.error();
  const auto is_all = flag(*object, "all_platforms", false);
  if (!is_all) return is_all.error();
  const auto only_own = flag(*object, "subscribed", true);
  if (!only_own) return only_own.error();
  const auto reverse = flag(*object, "reverse", false);
  if (!reverse) return reverse.error();
  const Json* prefix = object->find("prefix");
  if (prefix != nullptr && !prefix->is_null() && !prefix->is_string())
    return invalid("prefix", "must be a text");
  return Listing{*is_all ? Reach::kAll : Reach::kInternal, object->text_at("prefix"), *only_own, *reverse};
}

Result<std::string> delivered_body(std::string_view published, const std::string& sender) {
  auto object = read_object(published);
  if (!object) return object.error();
  if (auto bus = check_bus(*object); !bus) return bus.error();
  Json* headers = object->find("headers");
  if (headers != nullptr && !headers->is_object() && !headers->is_null())
    return invalid("headers", "must be an object");
  Json* message = object->find("message");
  const bool has_headers = headers != nullptr && headers->is_object();
  return Json(Json::Object{{"sender", sender},
                           {"bus", ""},
                           {"headers", has_headers ? std::move(*headers) : Json(Json::Object())},
                           {"message", message != nullptr ? std::move(*message) : Json()}})
      .dump();
}

}  // namespace vip_router
