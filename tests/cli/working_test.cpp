#include "working.hpp"

#include <chrono>
#include <future>
#include <streambuf>

#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

/// A stream that tells when something was written to it.
class Told : public std::stringbuf {
 public:
  std::promise<void> once;

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    if (!std::exchange(is_told_, true)) once.set_value();
    return std::stringbuf::xsputn(text, size);
  }

 private:
  bool is_told_ = false;
};

}  // namespace

TEST_CASE("Working: what takes long is shown, and taken away") {
  std::istringstream in;
  std::ostringstream out;
  Told told;
  std::ostream err(&told);
  vctl::Env env{in, out, err, {}};
  env.is_watched = true;
  env.patience = std::chrono::milliseconds(0);
  vctl::CommonOptions options;
  {
    const vctl::Context context{env, options};
    const vctl::Working working(context, "reading a file");
    told.once.get_future().wait();
  }
  const std::string line = "reading a file (0 s)";
  CHECK_THAT(told.str(), Contains("\r" + line) && Contains("\r" + std::string(line.size(), ' ') + "\r"));
  CHECK(out.str().empty());
}

TEST_CASE("Working: nothing is shown of what is quick, nor where nobody looks") {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  vctl::Env env{in, out, err, {}};
  for (const bool is_watched : {true, false}) {
    env.is_watched = is_watched;
    env.patience = is_watched ? std::chrono::hours(1) : std::chrono::milliseconds(0);
    const vctl::Context context{env, {}};
    const vctl::Working working(context, "quick");
  }
  CHECK(err.str().empty());
}

}  // namespace vipauth::test
