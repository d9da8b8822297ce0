#include <iostream>
#include <string_view>

#include <vipauth/version.hpp>
#include <vipauth/vipauth.hpp>

int main() {
  const std::string_view linked = vipauth::version();
  std::cout << linked << '\n';
  return linked == VIPAUTH_VERSION ? 0 : 1;
}
