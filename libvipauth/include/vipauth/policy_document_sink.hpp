#pragma once

#include <string>

#include <vipauth/json.hpp>

namespace vipauth {

/// Takes the document of an auth.json piece by piece, each as it was written: of a file that is too large to
/// be in memory as a whole. Records of a list come in its order; all else comes in any order.
class PolicyDocumentSink {
 public:
  PolicyDocumentSink() = default;
  PolicyDocumentSink(const PolicyDocumentSink&) = delete;
  PolicyDocumentSink& operator=(const PolicyDocumentSink&) = delete;
  virtual ~PolicyDocumentSink() = default;

  virtual void on_allow(Json record) = 0;
  virtual void on_deny(Json record) = 0;
  virtual void on_role(std::string name, Json capabilities) = 0;
  virtual void on_group(std::string name, Json roles) = 0;
  /// Any other member, its version too.
  virtual void on_other(std::string name, Json value) = 0;
};

}  // namespace vipauth
