// Users and groups as the system's database may have them, in front of libc's functions.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <dlfcn.h>
#include <grp.h>
#include <pwd.h>

#include "store/strict_modes.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

namespace {

struct Group {
  std::string name;
  std::vector<std::string> members;
};

constexpr unsigned kAlice = 987'001;  // a user, and the first group of that user

/// In front of the system's.
std::map<gid_t, Group>& groups() {
  static std::map<gid_t, Group> the_groups;
  return the_groups;
}

/// Room in the buffer of a caller.
class Room {
 public:
  Room(char* buffer, std::size_t size) : next_(buffer), left_(size) {}

  /// \return null  there is not enough
  char* take(std::size_t bytes) {
    const std::size_t odd = reinterpret_cast<std::uintptr_t>(next_) % alignof(char*);
    const std::size_t skipped = odd == 0 ? 0 : alignof(char*) - odd;
    if (left_ < skipped + bytes) return nullptr;
    char* const out = next_ + skipped;
    next_ += skipped + bytes;
    left_ -= skipped + bytes;
    return out;
  }
  char* copy(const std::string& text) {
    char* const out = take(text.size() + 1);
    return out == nullptr ? nullptr : std::strcpy(out, text.c_str());
  }

 private:
  char* next_;
  std::size_t left_;
};

int find_group(const Group& wanted, group* entry, Room room) {
  char** const members = reinterpret_cast<char**>(room.take((wanted.members.size() + 1) * sizeof(char*)));
  entry->gr_name = members == nullptr ? nullptr : room.copy(wanted.name);
  if (entry->gr_name == nullptr) return ERANGE;
  entry->gr_mem = members;
  for (std::size_t i = 0; i < wanted.members.size(); ++i) {
    members[i] = room.copy(wanted.members[i]);
    if (members[i] == nullptr) return ERANGE;
  }
  members[wanted.members.size()] = nullptr;
  return 0;
}

/// Whether the first group of Alice is hers alone, with these members.
bool is_alone(const std::vector<std::string>& members, const std::string& name = "alice") {
  groups()[kAlice] = {name, members};
  struct stat status{};
  status.st_uid = kAlice;
  status.st_gid = kAlice;
  status.st_mode = S_IFREG | 0660;
  const bool out = has_private_group(status);
  groups().clear();
  return out;
}

}  // namespace

TEST_CASE("strict modes: a group with another member than the owner is others") {
  CHECK(is_alone({}));
  CHECK(is_alone({"alice"}));
  CHECK_FALSE(is_alone({"bob"}));
  CHECK_FALSE(is_alone({"alice", "bob"}));
  CHECK_FALSE(is_alone({"alic"}));
  CHECK_FALSE(is_alone({}, "team"));
}

TEST_CASE("strict modes: a group with many members is read whole, and one without end is others") {
  std::vector<std::string> members(1000, "alice");
  CHECK(is_alone(members));
  members.emplace_back("bob");
  CHECK_FALSE(is_alone(members));
  CHECK_FALSE(is_alone(std::vector<std::string>(1'000'000, "alice")));
}

}  // namespace vipauth::test

// ---- In front of libc ----

using namespace vipauth::test;  // NOLINT(google-build-using-namespace): one file, of one job

extern "C" {

int getpwuid_r(uid_t user, passwd* entry, char* buffer, size_t size, passwd** found) {
  static auto* next = reinterpret_cast<decltype(&getpwuid_r)>(::dlsym(RTLD_NEXT, "getpwuid_r"));
  if (user != kAlice) return next(user, entry, buffer, size, found);
  *entry = {};
  *found = nullptr;
  entry->pw_name = Room(buffer, size).copy("alice");
  if (entry->pw_name == nullptr) return ERANGE;
  entry->pw_uid = kAlice;
  entry->pw_gid = kAlice;
  *found = entry;
  return 0;
}

int getgrgid_r(gid_t id, group* entry, char* buffer, size_t size, group** found) {
  static auto* next = reinterpret_cast<decltype(&getgrgid_r)>(::dlsym(RTLD_NEXT, "getgrgid_r"));
  const auto wanted = groups().find(id);
  if (wanted == groups().end()) return next(id, entry, buffer, size, found);
  *entry = {};
  *found = nullptr;
  const int error = find_group(wanted->second, entry, Room(buffer, size));
  if (error == 0) *found = entry;
  return error;
}

}  // extern "C"
