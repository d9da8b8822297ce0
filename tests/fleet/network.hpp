#pragma once

#include <string>

namespace vipauth::fleet_drill {

/// A network of its own with one cable to this one, which can be cut: a namespace, by `ip netns`. It needs
/// root.
class Network {
 public:
  /// \return whether one can be made here
  static bool is_possible();
  Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  const std::string& name() const noexcept { return name_; }
  /// Of this end of the cable: what is behind the other asks it.
  const std::string& address() const noexcept { return address_; }
  void cut();
  void mend();

 private:
  std::string name_;
  std::string cable_;
  std::string address_;
};

/// Moves this thread there.
void enter_network(const std::string& name);

}  // namespace vipauth::fleet_drill
