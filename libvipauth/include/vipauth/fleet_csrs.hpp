#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/csr_store.hpp>
#include <vipauth/etcd_options.hpp>
#include <vipauth/file_edit.hpp>
#include <vipauth/result.hpp>
#include <vipauth/store_address.hpp>

namespace vipauth {

/// A request for a certificate at one of a fleet's sites.
struct FleetCsr {
  std::string site;
  CsrEntry request;

  /// What somebody has asked the site to do.
  struct Asked {
    std::string decision;  ///< "approve", "deny" or "delete"
    std::string who;
    Timestamp time;
  };
  std::optional<Asked> asked;  ///< and the site has not done yet
  struct Failed {
    Asked asked;  ///< `time`: when the site said so
    Error problem;
  };
  std::optional<Failed> failed;  ///< the last that was asked, within a day, where the site could not do it
};

/// What a decision did at its site.
struct FleetCsrDecision {
  std::string site;
  CsrDecision decision;
};

/// For administrators of a fleet: the requests for certificates of all its sites, in one place. Each site has
/// an authority of its own, and only it can sign: a decision is asked for in the store, and carried out by
/// the site's CsrRelay.
///
/// Nothing in the store is believed: what is not a proper request of its name is a warning. Whoever may write
/// the decisions of a site can have certificates signed there, for names that have asked: see docs/fleet.md.
/// May be used from any thread.
class FleetCsrs {
 public:
  /// \param address  with a site: its requests alone
  /// \return what EtcdStore::open returns
  VIPAUTH_EXPORT static Result<std::unique_ptr<FleetCsrs>> open(const StoreAddress& address,
                                                                EtcdOptions options);
  FleetCsrs(const FleetCsrs&) = delete;
  FleetCsrs& operator=(const FleetCsrs&) = delete;
  VIPAUTH_EXPORT ~FleetCsrs();

  /// By site and name. What is not understood is a line of `warnings`, and does not hide the others.
  /// \return as EtcdStore's functions: kIoError, kPermissionDenied, kBusy, ...
  VIPAUTH_EXPORT Result<std::vector<FleetCsr>> list(std::vector<std::string>* warnings = nullptr) const;

  struct Options {
    std::string site;             ///< empty: the one that has a request of that name
    std::string key_fingerprint;  ///< of the key that the administrator has compared, with or without colons;
                                  ///< empty: the one that the store tells of
    EditNote note;                ///< who decides: for the audit log of the site
    /// How long to wait for the site.
    std::chrono::milliseconds patience = std::chrono::seconds(30);
    Clock clock = system_now;
  };

  // Each asks the site, and waits until that has answered. A decision that waits for its site is taken back
  // by another one of the same name, which takes its place.
  // \return kNotFound  the store tells of no such request; kConflict  several sites have one of that name, it
  //         is for another key, or somebody else has decided meanwhile
  // \return kBusy      the site has not answered in time: it will carry it out when it is back
  // \return what the site's CsrStore has said, as the name says; and as list()

  /// Of one that has been denied since the administrator looked: kConflict.
  VIPAUTH_EXPORT Result<FleetCsrDecision> approve(const CommonName& name, const Options& options);
  VIPAUTH_EXPORT Result<FleetCsrDecision> deny(const CommonName& name, const Options& options);
  VIPAUTH_EXPORT Result<FleetCsrDecision> remove(const CommonName& name, const Options& options);

 private:
  struct Impl;
  explicit FleetCsrs(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
