#include <iostream>

#include <vipauth/csr_client.hpp>
#include <vipauth/version.hpp>

int main() {  // NOLINT(bugprone-exception-escape)
  const auto client = vipauth::CsrClient::create("http://plain.example", {});
  if (client || client.error().code != vipauth::ErrorCode::kInvalidArgument) return 1;
  std::cout << vipauth::version() << '\n';
}
