#include "store/csr_sightings.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <vipauth/json.hpp>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"
#include "store/json_members.hpp"

namespace vipauth {
namespace {

constexpr int kVersion = 1;
constexpr std::chrono::seconds kPatience{5};
// Only requests on the disk are noted, which are bounded; this is for when they come and go.
constexpr std::size_t kMost = 10'000;

void add(CsrSightings::Sighting& to, const CsrSightings::Sighting& more) {
  to.count += more.count;
  to.last = std::max(to.last, more.last);
}

Result<CsrSightings::Sighting> read_sighting(const Json& json, std::string location) {
  JsonMembers members(json, std::move(location), ErrorCode::kParseError);
  const CsrSightings::Sighting out{members.count("retries"), members.time("last_seen")};
  if (members.error()) return *members.error();
  return out;
}

}  // namespace

void CsrSightings::note(const CommonName& name, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto found = unwritten_.find(name.text());
  if (found != unwritten_.end()) return add(found->second, {1, now});
  if (unwritten_.size() < kMost) unwritten_.emplace(name.text(), Sighting{1, now});
}

CsrSightings::Sighting CsrSightings::of(const CommonName& name) {
  const std::lock_guard lock(mutex_);
  if (!is_read_) {
    if (auto table = read()) written_ = std::move(*table);
    is_read_ = true;
  }
  Sighting out;
  if (const auto found = written_.find(name.text()); found != written_.end()) add(out, found->second);
  if (const auto found = unwritten_.find(name.text()); found != unwritten_.end()) add(out, found->second);
  return out;
}

Result<void> CsrSightings::reload() {
  const std::lock_guard lock(mutex_);
  auto table = read();
  if (!table) return table.error();
  written_ = std::move(*table);
  is_read_ = true;
  return {};
}

bool CsrSightings::has_unwritten() const {
  const std::lock_guard lock(mutex_);
  return !unwritten_.empty();
}

Result<void> CsrSightings::flush(const std::vector<CommonName>& names) {
  const auto file_lock = FileLock::acquire(file_, kPatience);
  if (!file_lock) return file_lock.error();
  const std::lock_guard lock(mutex_);
  auto table = read();
  if (!table) return table.error();
  for (const auto& [name, sighting] : unwritten_) add((*table)[name], sighting);
  std::set<std::string_view> present;
  for (const CommonName& name : names) present.insert(name.text());
  std::erase_if(*table, [&](const auto& item) { return !present.contains(item.first); });
  if (auto written = write(*table); !written) return written;
  written_ = std::move(*table);
  is_read_ = true;
  unwritten_.clear();
  return {};
}

Result<void> CsrSightings::forget(const CommonName& name) {
  const auto file_lock = FileLock::acquire(file_, kPatience);
  if (!file_lock) return file_lock.error();
  const std::lock_guard lock(mutex_);
  unwritten_.erase(name.text());
  written_.erase(name.text());
  auto table = read();
  if (!table) return table.error();
  return table->erase(name.text()) > 0 ? write(*table) : Result<void>();
}

Result<CsrSightings::Table> CsrSightings::read() const {
  const auto file = read_json_file(file_, strict_modes_);
  if (!file && file.error().code == ErrorCode::kNotFound) return Table();
  if (!file) return file.error();
  const Json* version = file->document.find("version");
  const Json* seen = file->document.find("seen");
  if (version == nullptr || !(*version == Json(kVersion)) || seen == nullptr || !seen->is_object()) {
    return in_file(Error{ErrorCode::kUnsupported, "this file is not of version 1: move it away", ""}, file_);
  }
  Table out;
  for (const Json::Member& member : seen->as_object()) {
    const auto sighting = read_sighting(member.value, json_pointer("/seen", member.name));
    if (!sighting) {
      Error error = sighting.error();
      error.message += ": move this file away";
      return in_file(error, file_);
    }
    out.emplace(member.name, *sighting);
  }
  return out;
}

Result<void> CsrSightings::write(const Table& table) const {
  Json seen{Json::Object()};
  for (const auto& [name, sighting] : std::map<std::string, Sighting>(table.begin(), table.end())) {
    seen.set(name, Json(Json::Object{{"retries", Json(static_cast<std::int64_t>(sighting.count))},
                                     {"last_seen", Json(format_timestamp(sighting.last))}}));
  }
  const Json document(Json::Object{{"version", Json(kVersion)}, {"seen", std::move(seen)}});
  return replace_file(file_, document.dump_pretty() + "\n");
}

}  // namespace vipauth
