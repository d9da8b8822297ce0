#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <vipauth/authenticator.hpp>
#include <vipauth/capability_resolver.hpp>
#include <vipauth/identity_registry.hpp>
#include <vipauth/method_registry.hpp>
#include <vipauth/policy_sink.hpp>
#include <vipauth/topic_protector.hpp>

namespace vipauth {

/// An RPC call to decide. Views: the caller keeps the text alive.
struct CallRequest {
  std::string_view callee;  ///< the VIP identity of the agent that is called
  std::string_view method;
  const CallArguments& arguments;
};

/// An RPC call whose arguments are as they came. Views: the caller keeps the text alive.
struct UnboundCall {
  std::string_view callee;
  std::string_view method;
  /// As JSON-RPC carries them: a list by position, an object by name, null for none, or VOLTTRON's
  /// `{"*args": [...], "**kwargs": {...}}`. Read by Json::parse, which refuses what is given twice.
  const Json& params;
};

/// One policy, compiled: everything that decides, as it stood at one moment.
///
/// Immutable; copies share state; const members may be called from any thread.
struct PolicySnapshot {
  Authenticator authenticator;
  CapabilityResolver capabilities;
  MethodRegistry methods;
  IdentityRegistry identities;
  TopicProtector topics;
  bool loaded = true;  ///< false: no policy could be read yet, and nobody is known
  /// What `authenticator` and `capabilities` stand on.
  std::shared_ptr<const PolicyIndex> records = {};
  std::shared_ptr<const Activity> active = {};

  /// \return what Authenticator::create and CapabilityResolver::create return
  VIPAUTH_EXPORT static Result<PolicySnapshot> compile(const Policy& policy, TopicProtector topics,
                                                       Timestamp now, IpcTrust ipc_trust = {});
  /// The same of a policy that is handed over part by part, as by AuthFile::load_parts.
  /// \return what `load` returns, too
  VIPAUTH_EXPORT static Result<PolicySnapshot> compile_parts(
      const std::function<Result<void>(const std::function<PolicySink&()>& make_sink)>& load,
      TopicProtector topics, Timestamp now, IpcTrust ipc_trust = {});
  /// The same of what the library itself keeps of a file.
  static Result<PolicySnapshot> compile(std::shared_ptr<const PolicyIndex> records, TopicProtector topics,
                                        Timestamp now, IpcTrust ipc_trust = {});
  /// The same records at another time, or with other topics. What agents declared stays.
  VIPAUTH_EXPORT Result<PolicySnapshot> compile_again(TopicProtector topics, Timestamp now,
                                                      IpcTrust ipc_trust = {}) const;

  /// Gives the arguments of a call the names under which restrictions know them, by the parameters that the
  /// callee declared, defaults included. Of an undeclared method only arguments by name are known.
  /// \return kNotFound         arguments by position, and the callee declared no parameters of the method
  /// \return kInvalidArgument  of another form; what bind_arguments returns
  VIPAUTH_EXPORT Result<CallArguments> bind(const UnboundCall& call) const;

  // By user alone; a bus asks through a Session. A UserRef is one that `capabilities` found

  /// May the user make this call?
  VIPAUTH_EXPORT Decision authorize_call(const UserRef& user, const CallRequest& call) const;
  /// The same, of arguments that are bound first. Those that cannot be are refused where anything is
  /// required; a method that requires nothing is the callee's to refuse. By position, to a method of which
  /// the callee declared no parameters: allowed to who holds what is required without any restriction.
  VIPAUTH_EXPORT Decision authorize_call(const UserRef& user, const UnboundCall& call) const;
  /// The same for an operation of the platform itself, for which one of these capabilities is enough.
  VIPAUTH_EXPORT Decision authorize_operation(const UserRef& user, const CallRequest& call,
                                              std::span<const std::string> one_of) const;
  VIPAUTH_EXPORT Decision authorize_publish(const UserRef& user, std::string_view topic) const;
  VIPAUTH_EXPORT Decision authorize_receive(const UserRef& user, std::string_view topic) const;

  Decision authorize_call(std::string_view user_id, const CallRequest& call) const {
    return authorize_call(capabilities.find(user_id), call);
  }
  Decision authorize_call(std::string_view user_id, const UnboundCall& call) const {
    return authorize_call(capabilities.find(user_id), call);
  }
  Decision authorize_operation(std::string_view user_id, const CallRequest& call,
                               std::span<const std::string> one_of) const {
    return authorize_operation(capabilities.find(user_id), call, one_of);
  }
  Decision authorize_publish(std::string_view user_id, std::string_view topic) const {
    return authorize_publish(capabilities.find(user_id), topic);
  }
  Decision authorize_receive(std::string_view user_id, std::string_view topic) const {
    return authorize_receive(capabilities.find(user_id), topic);
  }
};

}  // namespace vipauth
