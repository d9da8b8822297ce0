// The audit log of a service that is killed while it writes.

#include <cstdint>
#include <string>
#include <thread>

#include <vipauth/audit_log.hpp>
#include <vipauth/audit_trail.hpp>

#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/curve_peers.hpp"
#include "support/eventually.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {
namespace {

/// Bytes in all audit files.
std::uintmax_t audit_bytes(const TempHome& home) {
  std::uintmax_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(home / "audit", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    if (const auto size = entry->file_size(gone); !gone) bytes += size;
  }
  return bytes;
}

/// Authenticates, is refused and edits until it is killed.
int work_for_ever(const TempHome& home, const CurveKeyPair& alice) {
  AuthService::Options options;
  options.audit.emplace();
  options.audit->file_bytes = 100'000;
  options.audit->accepted_per_key = 1'000'000'000;
  auto service = must(AuthService::open(home.path(), options));
  const ZapAuthenticator zap = service.zap_authenticator();
  const AuthFile file(home / "auth.json");
  for (std::uint64_t i = 0;; ++i) {
    static_cast<void>(ask_curve(zap, alice.public_key.to_base64url()));
    Session session =
        service.session({"alice", Mechanism::kCurve, alice.public_key.to_base64url(), "vip", "127.0.0.1"});
    static_cast<void>(session.verify_sender("platform"));
    if (i % 500 == 0) {
      static_cast<void>(file.edit([&](Policy& policy) {
        return policy.update_allow(0, Json::Object{{"comments", std::to_string(i)}});
      }));
    }
  }
  return 0;
}

}  // namespace

TEST_CASE("AuditLog: after each kill under load the log is whole but for a line that was cut off") {
  const TempHome home;
  const CurveKeyPair alice = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  std::uint64_t lines = 0;
  for (int round = 0; round < 8; ++round) {
    CAPTURE(round);
    const std::uintmax_t before = audit_bytes(home);
    {
      ChildProcess child([&] { return work_for_ever(home, alice); });
      // Each round is killed at another point.
      const auto wanted = before + 20'000 + static_cast<std::uintmax_t>(round) * 7'919;
      REQUIRE(eventually([&] { return audit_bytes(home) >= wanted; }));
      child.kill();
    }
    const auto report = AuditTrail(home / "audit").verify();
    REQUIRE(report);
    for (const auto& problem : report->problems)
      FAIL_CHECK(problem.file << ":" << problem.line << ": " << problem.message);
    CHECK(report->lines > lines);
    lines = report->lines;
  }
  // Somebody edits a line.
  const auto report = AuditTrail(home / "audit").verify();
  REQUIRE(report);
  const std::string first = "audit/audit-00000000000000000001.jsonl";
  std::string text = home.read(first);
  text.replace(text.find("127.0.0.1"), 9, "127.0.0.2");
  home.write(first, text);
  CHECK_FALSE(AuditTrail(home / "audit").verify()->is_whole());
}

TEST_CASE("AuditLog: a writer that is killed in the midst of a write leaves a clean prefix") {
  const TempHome home;
  for (int round = 0; round < 10; ++round) {
    CAPTURE(round);
    ChildProcess child([&] {
      AuditLog::Options options;
      options.queue = 100'000;
      const auto log = must(AuditLog::open(home / "audit", options));
      AuditEvent event;
      event.allowed = true;
      event.message = std::string(AuditEvent::kMaxTextBytes, 'x');
      for (std::uint64_t i = 0;; ++i) {
        event.user_id = std::to_string(i);
        log->write(event);
      }
      return 0;
    });
    const std::uintmax_t before = audit_bytes(home);
    REQUIRE(eventually([&] { return audit_bytes(home) > before + 300'000; }));
    child.kill();
    const auto report = AuditTrail(home / "audit").verify();
    REQUIRE(report);
    for (const auto& problem : report->problems)
      FAIL_CHECK(problem.file << ":" << problem.line << ": " << problem.message);
    CHECK(report->lines > 0);
  }
}

}  // namespace vipauth::test
