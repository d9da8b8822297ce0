// What others do between any two system calls of an operation.

#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <vipauth/csr_store.hpp>

#include "store/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/temp_home.hpp"
#include "system_calls.hpp"

namespace vipauth::test {

namespace {

namespace fs = std::filesystem;

using What = SystemCalls::Fault::What;

/// Runs an operation on what is below `home`, and `others` before its call number `at`.
/// \return false  it has not so many
bool run_beside(const TempHome& home, std::size_t at, const std::function<void()>& operation,
                const std::function<void()>& others) {
  const TempHome undo;
  SystemCalls::begin(home.path(), undo.path(), {What::kMeanwhile, at, 0, others});
  operation();
  return SystemCalls::end().happened;
}

}  // namespace

TEST_CASE("faults: a folder that somebody else has put there while it was made is refused") {
  if (::geteuid() != 0) return;
  constexpr uid_t kOther = 4711;
  std::size_t refused = 0;
  std::size_t made = 0;
  for (std::size_t at = 1;; ++at) {
    const TempHome home;
    const fs::path folder = home / "folder";
    Result<void> result;
    bool is_there = false;
    const bool happened = run_beside(
        home, at, [&] { result = make_private_folder(folder); },
        [&] { is_there = ::chown(folder.c_str(), kOther, kOther) == 0; });
    if (!happened) break;
    if (result) {
      ++made;
      struct stat status{};
      REQUIRE(::stat(folder.c_str(), &status) == 0);
      CHECK((status.st_mode & 07777U) == 0700);
    } else {
      ++refused;
      CHECK(is_there);
      CHECK(result.error().code == ErrorCode::kPermissionDenied);
      CHECK_THAT(result.error().message, Catch::Contains("belongs to somebody else"));
    }
  }
  CHECK(refused > 0);
  CHECK(made > 0);
}

TEST_CASE("faults: a request that others file and somebody deletes is answered, or to be tried again") {
  const std::string name = "oracle1.remote.agent";
  const std::string address = "10.0.0.7";
  const Asker asker(name);
  std::set<std::string> answers;
  for (std::size_t at = 1;; ++at) {
    const TempHome home;
    const TestClock time;
    CsrStore others(authority_in(home, time), {});
    bool is_first = true;
    bool is_filed = false;
    CsrStore::Options options;
    options.taken = [&](std::string_view) -> std::optional<std::string> {
      if (std::exchange(is_first, false))
        is_filed = others.request(asker.request.pem(), "10.0.0.1").has_value();
      return std::nullopt;
    };
    CsrStore store(authority_in(home, time), options);
    Result<CsrEntry> entry = Error{ErrorCode::kIoError, "", ""};
    const bool happened = run_beside(
        home, at, [&] { entry = store.request(asker.request.pem(), address); },
        [&] {
          if (!is_filed) return;
          for (const char* end : {".json", ".csr"})
            fs::remove(home / ("certificates/pending_csr/" + name + end));
        });
    if (!happened) break;
    INFO(at << ": " << (entry ? std::string() : entry.error().to_string()));
    answers.insert(entry ? entry->address : std::string(to_string(entry.error().code)));
    if (entry) CHECK(entry->status == CsrStatus::kPending);
    // Whatever came of it, the next time it is filed or there.
    CHECK(store.request(asker.request.pem(), address)->status == CsrStatus::kPending);
  }
  CHECK(answers == std::set<std::string>{address, "10.0.0.1", "busy"});
}

}  // namespace vipauth::test
