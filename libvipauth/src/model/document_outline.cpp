#include "model/document_outline.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <vipauth/policy.hpp>

#include "model/policy_parts.hpp"
#include "model/whole_number.hpp"
#include "text/json_canonical.hpp"

namespace vipauth {
namespace {

using Kind = MemberOutline::Kind;
using Part = MemberOutline::Part;

constexpr std::array<std::string_view, 2> kRecordLists{kAllow, kDeny};
constexpr std::array<std::string_view, 2> kNamed{kGroups, kRoles};
constexpr std::string_view kVersion = "version";

/// Takes neighbours in a list together, by some of their digests: where a list changes, only the neighbours
/// of what changed are others than before.
class Neighbours {
 public:
  void add(std::string_view item, std::vector<Part>& parts) {
    const TextDigest digest = keyed_digest(item);
    digests_.append(digest.begin(), digest.end());
    const bool is_last = (digest.front() & kMask) == 0;
    if (++items_ == kMost || is_last) close(parts);
  }
  void close(std::vector<Part>& parts) {
    if (items_ == 0) return;
    parts.push_back({keyed_digest(digests_), std::exchange(items_, 0)});
    digests_.clear();
  }

 private:
  static constexpr unsigned kMask = 0x0f;  // one of 16 is the last of its part
  static constexpr std::uint32_t kMost = 256;

  std::string digests_;
  std::uint32_t items_ = 0;
};

/// Hears what is in an item, and keeps nothing of it.
class Unheard : public JsonEvents {
 public:
  void on_null() override {}
  void on_bool(bool) override {}
  void on_number(std::string_view) override {}
  void on_string(std::string_view) override {}
  void on_object() override {}
  void on_key(std::string_view) override {}
  void on_object_end() override {}
  void on_list() override {}
  void on_list_end() override {}
};

/// Makes an outline of a document.
class Outliner : public JsonItemHandler {
 public:
  explicit Outliner(OutlineDetail detail) : detail_(detail) {}

  bool on_list(std::string_view name) override { return open(name, Kind::kList); }
  bool on_object(std::string_view name) override { return open(name, Kind::kObject); }
  bool on_item(Json item) override {
    if (detail_ == OutlineDetail::kPresence) return note();
    neighbours_.add(canonical_text(item), open_->parts);
    return true;
  }
  JsonEvents* item_events() override { return detail_ == OutlineDetail::kPresence ? &unheard_ : nullptr; }
  bool on_item_end(std::string_view) override { return note(); }
  bool on_member(std::string_view member, Json value) override {
    if (name_ == kVersion && member == "major") major_ = whole_number(&value);
    if (name_ == kVersion && member == "minor") minor_ = whole_number(&value);
    if (detail_ == OutlineDetail::kPresence) return note();
    open_->parts.push_back({keyed_digest(Json(member).dump() + canonical_text(value))});
    return true;
  }
  bool on_value(std::string_view name, Json value) override {
    open(name, Kind::kValue);
    open_->parts.push_back({keyed_digest(canonical_text(value))});
    return true;
  }

  /// Adds what an auth.json is written with in any case. \return false  it is none of the present version
  bool complete() {
    close();
    for (const std::string_view name : kRecordLists) {
      if (outline_.try_emplace(std::string(name), MemberOutline{Kind::kList, {}}).first->second.kind !=
          Kind::kList)
        return false;
    }
    for (const std::string_view name : kNamed) {
      if (outline_.try_emplace(std::string(name), MemberOutline{Kind::kObject, {}}).first->second.kind !=
          Kind::kObject)
        return false;
    }
    return major_ == Policy::kVersion.major && minor_ == Policy::kVersion.minor;
  }

  DocumentOutline take() {
    close();
    return std::move(outline_);
  }

 private:
  bool open(std::string_view name, Kind kind) {
    close();
    name_ = name;
    open_ = &outline_[name_];
    open_->kind = kind;
    return true;
  }
  void close() {
    if (open_ != nullptr) neighbours_.close(open_->parts);
  }
  bool note() {
    if (open_->parts.empty()) open_->parts.emplace_back();
    return true;
  }

  const OutlineDetail detail_;
  Unheard unheard_;
  DocumentOutline outline_;
  MemberOutline* open_ = nullptr;
  Neighbours neighbours_;  // in the list that is open
  std::string name_;
  std::optional<int> major_;
  std::optional<int> minor_;
};

}  // namespace

bool MemberOutline::is_same_as(const MemberOutline& other) const {
  if (kind != other.kind || parts.size() != other.parts.size()) return false;
  if (kind != Kind::kObject) return parts == other.parts;
  const auto sorted = [](std::vector<Part> unsorted) {
    std::sort(unsorted.begin(), unsorted.end());
    return unsorted;
  };
  return sorted(parts) == sorted(other.parts);
}

std::optional<DocumentOutline> outline_of(const OpenDocument& document, DocumentForm form,
                                          OutlineDetail detail) {
  if (!document) return DocumentOutline();
  Outliner outliner(detail);
  if (!read_json_items(document(), outliner)) return std::nullopt;
  if (form == DocumentForm::kAuthFile && !outliner.complete()) return std::nullopt;
  return outliner.take();
}

}  // namespace vipauth
