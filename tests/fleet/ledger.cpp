#include "ledger.hpp"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>
#include <utility>

#include "support/policies.hpp"

namespace vipauth::fleet_drill {
namespace {

using test::model::ReferenceModel;

constexpr std::string_view kNumber = "edit_";  // as soak::edit_mark has it
constexpr std::string_view kEditor = "by_";

Timestamp now() { return std::chrono::floor<Timestamp::duration>(std::chrono::system_clock::now()); }

/// Has the mark's user hold what the mark's role gives, whatever the edits of a world have made of it.
Result<void> keep_mark_user(Policy& policy) {
  const auto& allow = policy.allow();
  for (std::size_t i = 0; i < allow.size(); ++i) {
    if (allow[i].source.text_at("user_id") != kMarkUser) continue;
    const Json* roles = allow[i].source.find("roles");
    const Json* enabled = allow[i].source.find("enabled");
    const bool is_good = roles != nullptr && roles->dump() == "[\"" + std::string(soak::kEditRole) + "\"]" &&
                         enabled != nullptr && enabled->dump() == "true";
    if (is_good) return {};
    return policy.update_allow(
        i, Json::Object{{"roles", Json(Json::Array{Json(std::string(soak::kEditRole))})}, {"enabled", true}});
  }
  const auto added =
      policy.add_allow(Json(Json::Object{{"user_id", std::string(kMarkUser)},
                                         {"credentials", test::kKeyC},
                                         {"roles", Json(Json::Array{Json(std::string(soak::kEditRole))})}}));
  if (!added) return added.error();
  return {};
}

}  // namespace

Mark mark_of(const std::vector<std::string>& capabilities) {
  Mark out;
  for (const std::string& name : capabilities) {
    if (name.starts_with(kEditor)) out.editor = name.substr(kEditor.size());
    if (!name.starts_with(kNumber)) continue;
    std::from_chars(name.data() + kNumber.size(), name.data() + name.size(), out.version);
  }
  return out;
}

Mark mark_of(const Policy& policy) {
  const Policy::Role* role = policy.find_role(soak::kEditRole);
  if (role == nullptr || !role->capabilities) return {};
  std::vector<std::string> names;
  for (const Capability& capability : *role->capabilities) names.push_back(capability.name);
  return mark_of(names);
}

// ---- Edits ----

Ledger::Edit Ledger::edit(const AuthFile::Change& change) {
  Edit out;
  out.made = std::make_shared<Edit::Made>();
  std::string editor;
  {
    const std::lock_guard lock(mutex_);
    editor = std::to_string(++edits_);
  }
  out.change = [made = out.made, change, editor](Policy& policy) -> Result<void> {
    made->on = mark_of(policy);
    made->before = policy.to_json();
    made->mark = {made->on.version + 1, editor};
    if (auto changed = change(policy); !changed) return changed;
    static_cast<void>(policy.remove_role(soak::kEditRole));
    if (auto marked =
            policy.add_role(soak::kEditRole, Json(Json::Object{{soak::edit_mark(made->mark.version), Json()},
                                                               {std::string(kEditor) + editor, Json()}}));
        !marked) {
      return marked;
    }
    if (auto kept = keep_mark_user(policy); !kept) return kept;
    made->after = policy.to_json();
    return {};
  };
  return out;
}

std::uint64_t Ledger::acknowledged(const Edit& edit) {
  const std::lock_guard lock(mutex_);
  ++sum_.acknowledged;
  know(edit.made->on, edit.made->before);
  know(edit.made->mark, edit.made->after);
  if (!acknowledged_.insert(edit.made->mark.version).second) {
    ++sum_.lost;
    std::cerr << "LOST: two acknowledged edits are version " << edit.made->mark.version << '\n';
  }
  return edit.made->mark.version;
}

std::uint64_t Ledger::ended_with(const Policy& policy) {
  const std::lock_guard lock(mutex_);
  const Mark mark = mark_of(policy);
  know(mark, policy.to_json());
  for (std::uint64_t version = mark.version; version > 0 && !versions_.contains(version);) --version;
  const auto last = acknowledged_.empty() ? 0 : *acknowledged_.rbegin();
  if (last > mark.version) {
    ++sum_.lost;
    std::cerr << "LOST: version " << last << " was acknowledged, and the last is " << mark.version << '\n';
  }
  return mark.version;
}

void Ledger::know(const Mark& mark, Json policy) {
  const auto [editor, is_new] = editors_.try_emplace(mark.version, mark.editor);
  if (!is_new && editor->second != mark.editor) {
    ++sum_.lost;
    std::cerr << "LOST: version " << mark.version << " is of edit " << editor->second << " and of "
              << mark.editor << '\n';
  }
  versions_.try_emplace(mark.version, std::move(policy));
}

// ---- Answers ----

void Ledger::hear(std::vector<Heard> heard) {
  const std::lock_guard lock(mutex_);
  std::move(heard.begin(), heard.end(), std::back_inserter(heard_));
}

bool Ledger::allows(std::uint64_t version, const Heard& heard) {
  const auto& session = heard.session;
  const std::string question = std::to_string(version) + '\n' + heard.ask.kind + '\n' + heard.ask.of + '\n' +
                               heard.ask.what + '\n' + heard.ask.arguments + '\n' + session.peer.key + '\n' +
                               session.user_id;
  if (const auto known = answers_.find(question); known != answers_.end()) return known->second;
  ReferenceModel model;
  model.policy = versions_.at(version);
  model.topic_rules = Json(Json::Object());
  model.now = now();
  const auto answer = [&] {
    if (heard.ask.kind == "connect") return model.authenticate(session.peer).allowed;
    const auto standing = model.judge_again(session);
    if (!standing.allowed) return false;
    if (heard.ask.kind == "publish") return model.publish(session.user_id, heard.ask.what).allowed;
    if (heard.ask.kind == "receive") return model.receive(session.user_id, heard.ask.what).allowed;
    if (heard.ask.kind == "speak") {
      return model.speak_as(session.user_id, standing.identity, heard.ask.what).allowed;
    }
    const Json arguments = *Json::parse(heard.ask.arguments);
    return model.call(session.user_id, heard.ask.of, heard.ask.what, arguments.as_object()).allowed;
  };
  return answers_[question] = answer();
}

void Ledger::judge() {
  const std::lock_guard lock(mutex_);
  std::ranges::stable_sort(heard_, {}, &Heard::first);
  std::uint64_t present = 0;
  for (const Heard& heard : heard_) {
    if (std::exchange(present, heard.first) != heard.first) answers_.clear();
    ++sum_.answers;
    if (heard.allowed) ++sum_.allowed;
    if (heard.first == heard.last) ++sum_.exact;
    bool is_right = false;
    for (std::uint64_t version = heard.first; version <= heard.last && !is_right; ++version) {
      if (!versions_.contains(version)) {
        std::cerr << "WRONG: " << heard.bus << " decides by version " << version
                  << ", which there never was\n";
        break;
      }
      is_right = allows(version, heard) == heard.allowed;
    }
    if (is_right) continue;
    ++sum_.wrong;
    std::cerr << "WRONG: " << heard.bus << (heard.allowed ? " allowed to " : " refused to ")
              << heard.session.user_id << " (" << heard.session.peer.key << "): " << heard.ask.kind << ' '
              << heard.ask.of << ' ' << heard.ask.what << ' ' << heard.ask.arguments << " under version "
              << heard.first << " to " << heard.last << '\n';
  }
  heard_.clear();
  answers_.clear();
  const std::uint64_t last = versions_.empty() ? 0 : versions_.rbegin()->first;
  std::erase_if(versions_, [last](const auto& one) { return one.first + 500 < last; });
}

void Ledger::wrong(const std::string& what) {
  const std::lock_guard lock(mutex_);
  ++sum_.wrong;
  std::cerr << "WRONG: " << what << '\n';
}

void Ledger::lost(const std::string& what) {
  const std::lock_guard lock(mutex_);
  ++sum_.lost;
  std::cerr << "LOST: " << what << '\n';
}

Ledger::Sum Ledger::sum() const {
  const std::lock_guard lock(mutex_);
  return sum_;
}

}  // namespace vipauth::fleet_drill
