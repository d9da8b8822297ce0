#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <vipauth/result.hpp>

namespace vipauth::test {

/// One operation of the product that writes files of a home, and what must be so whatever becomes of it.
struct Writer {
  using Path = std::filesystem::path;

  std::string name;
  /// Makes the home as it is before. Each run begins with a copy of it, at the same path.
  std::function<void(const Path& home)> prepare;
  /// The operation; success acknowledges it. What its error says is checked.
  std::function<Result<void>(const Path& home)> write;
  /// What the library makes of the home: equal texts are equal states. What cannot be read is told, too.
  std::function<std::string(const Path& home)> state;
  /// Which other states a kill may leave; what next() makes of them is new. Of none, where it is empty.
  std::function<bool(const std::string& state)> is_between = {};
  /// A further edit of the same files. It may find what was begun, and must succeed.
  std::function<Result<void>(const Path& home)> next;
  /// The files that hold the state: byte for byte as before where the state is the old one.
  std::vector<std::string> files;
  /// Files that others may read: mode 0644. All others have 0600.
  std::vector<std::string> public_files = {};
  /// The operation takes long: in the short form only some calls are tried in each way.
  bool is_slow = false;
};

/// Fails, shortens and kills at each system call of an operation, one after the other until none is left, and
/// checks what it leaves: the old or the new state, whole; the new one where it was acknowledged; modes; the
/// next edit; the message. In the long form (VIPAUTH_FAULTS=all) with each error that the call can give.
void check_faults(const Writer& writer);

}  // namespace vipauth::test
