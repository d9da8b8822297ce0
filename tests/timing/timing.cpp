// Measures whether time tells a secret: two kinds of input in random order, and Welch's t-test on their
// times, also with the slowest cut off. A |t| above 10 is a difference; below 4.5 none was found; between
// them, measure longer.
// Source: Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?", 2017.
// usage: timing [--quick] [TEXT], which measures only what has TEXT in its name

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/json.hpp>
#include <vipauth/socket_security.hpp>
#include <vipauth/web_users.hpp>

#include "base/equal_secrets.hpp"
#include "support/curve_peers.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"
#include "transport/acceptance_proof.hpp"

#ifdef TIMING_WITH_WEB
#include "web/web_sessions.hpp"
#endif

namespace {

using namespace vipauth;
using namespace vipauth::test;
using Clock = std::chrono::steady_clock;

constexpr double kDiffers = 10;
constexpr double kSame = 4.5;

/// What is measured: `run`, of one of two inputs, many times over in a row where it is short. The input lies
/// at the same place whichever it is, for that takes time, too.
struct Scenario {
  std::string name;
  std::size_t samples;
  std::size_t in_a_row;
  std::array<std::string, 2> inputs;
  std::function<void(const std::string& input)> run;
  enum class Expect { kNothing, kDifference, kPublic } expect = Expect::kNothing;
  bool varies =
      false;  ///< the eight digits at the front of the first input, at the end of the second, are random
};

volatile bool sink = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// Mean and variance of numbers as they come. Source: Welford, 1962.
struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;

  void add(double value) {
    ++count;
    const double delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }
  double variance() const { return count > 1 ? squares / (count - 1) : 0; }
};

double t_of(const std::array<std::vector<double>, 2>& times, double limit) {
  std::array<Moments, 2> moments;
  for (std::size_t kind = 0; kind < 2; ++kind) {
    for (const double time : times[kind]) {
      if (time <= limit) moments[kind].add(time);
    }
  }
  const double error = moments[0].variance() / std::max(1.0, moments[0].count) +
                       moments[1].variance() / std::max(1.0, moments[1].count);
  if (moments[0].count < 30 || moments[1].count < 30 || error <= 0) return 0;
  return std::abs(moments[0].mean - moments[1].mean) / std::sqrt(error);
}

struct Measured {
  double t = 0;                    ///< the greatest of all croppings
  std::array<double, 2> median{};  ///< nanoseconds
};

Measured measure(const Scenario& scenario, std::size_t samples) {
  std::mt19937_64 random(std::random_device{}());
  std::array<std::vector<double>, 2> times;
  std::string input;
  for (std::size_t i = 0; i < 2 * samples + 20; ++i) {
    const bool second = (random() & 1U) != 0;
    input = scenario.inputs[second ? 1 : 0];
    if (scenario.varies) {
      for (std::size_t k = 0; k < 8; ++k) {
        input[second ? input.size() - 1 - k : k] = "0123456789abcdef"[random() % 16];
      }
    }
    const auto begin = Clock::now();
    for (std::size_t k = 0; k < scenario.in_a_row; ++k) scenario.run(input);
    const auto end = Clock::now();
    const auto time = std::chrono::duration<double, std::nano>(end - begin).count();
    if (i >= 20) times[second ? 1 : 0].push_back(time / static_cast<double>(scenario.in_a_row));
  }
  std::vector<double> all = times[0];
  all.insert(all.end(), times[1].begin(), times[1].end());
  std::sort(all.begin(), all.end());
  Measured out;
  out.t = t_of(times, all.back());
  for (int i = 1; i <= 20; ++i) {  // cuts off ever more of the slowest
    const double kept = 1 - std::pow(0.5, 10.0 * i / 20);
    out.t = std::max(out.t,
                     t_of(times, all[static_cast<std::size_t>(kept * static_cast<double>(all.size() - 1))]));
  }
  for (std::size_t kind = 0; kind < 2; ++kind) {
    auto middle = times[kind].begin() + static_cast<std::ptrdiff_t>(times[kind].size() / 2);
    std::nth_element(times[kind].begin(), middle, times[kind].end());
    out.median[kind] = *middle;
  }
  return out;
}

std::string changed_at(std::string text, std::size_t place) {
  text[place] = text[place] == '0' ? '1' : '0';
  return text;
}

/// That no password fits, and that is cheap to check, so that it may be measured often.
std::string cheap_hash() {
  return "$argon2id$v=19$m=1024,t=1,p=1$wdVz49APQTZV65OWFHP0vw$XAB44UP8JCVbmSmsq9dbjlEpVR5O0geqx8NIwwW8Hr8";
}

/// The inputs are a user's name, a line end, and a password.
Scenario of_plain(std::string name, const std::string& stored, std::size_t samples,
                  std::array<std::string, 2> inputs) {
  const Json record = Json::Object{{"user_id", "known"}, {"mechanism", "PLAIN"}, {"credentials", stored}};
  const Policy policy = must(Policy::parse(must(Json::parse(auth_json({record})))));
  return {std::move(name), samples, 1, std::move(inputs),
          [a = must(Authenticator::create(policy, kNow))](const std::string& input) {
            const std::string_view text = input;
            const std::size_t end = text.find('\n');
            const AuthenticationRequest::Plain plain{text.substr(0, end), text.substr(end + 1)};
            sink = a.authenticate({"vip", "127.0.0.1", plain}).decision.allowed();
          }};
}

std::array<std::string, 2> wrong_at_the_ends(const std::string& secret) {
  return {changed_at(secret, 0), changed_at(secret, secret.size() - 1)};
}

std::vector<Scenario> scenarios(const TempHome& home) {
  constexpr std::size_t kMany = 20'000;
  const std::string secret = "correct horse battery";
  const auto wrong = wrong_at_the_ends(secret);
  const std::array<std::string, 2> passwords{"known\n" + wrong[0], "known\n" + wrong[1]};
  const std::array<std::string, 2> users{"known\n" + wrong[0], "other\n" + wrong[0]};
  std::vector<Scenario> out;
  out.push_back(of_plain("PLAIN, hashed: first byte wrong, last byte wrong", cheap_hash(), 3000, passwords));
  out.push_back(of_plain("PLAIN, hashed: known user, unknown user", cheap_hash(), 3000, users));
  out.push_back(of_plain("PLAIN, in the clear: first byte wrong, last byte wrong", secret, 100, passwords));
  out.push_back(of_plain("PLAIN, in the clear: known user, unknown user", secret, 100, users));

  const Json root = Json::Object{{"hashed_password", cheap_hash()}, {"groups", Json::Array{Json("admin")}}};
  home.write("web-users.json", Json(Json::Object{{"known", root}}).dump_pretty());
  out.push_back({"web login: known user, unknown user",
                 3000,
                 1,
                 {"known", "other"},
                 [users = WebUsers(home / "web-users.json")](const std::string& name) {
                   sink = users.verify(name, "correct horse battery").has_value();
                 }});

  home.write("auth.json", auth_json({}));
  static const AuthService service = must(AuthService::open(home.path()));
  const auto claims = wrong_at_the_ends(acceptance_proof());
  out.push_back({"acceptance proof: first byte wrong, last byte wrong", kMany, 20, claims,
                 [](const std::string& claim) {
                   const MessageProperties properties = [&](const std::string&) {
                     return std::optional(claim);
                   };
                   sink = session_of(service, properties).has_value();
                 }});
  out.push_back({"comparison of secrets: first byte wrong, last byte wrong", kMany, 200, claims,
                 [](const std::string& claim) { sink = are_equal_secrets(claim, acceptance_proof()); }});

#ifdef TIMING_WITH_WEB
  static web::WebSessions sessions({});
  const std::string token = must(sessions.begin("known", "stamp", kNow));
  // It is looked up by its digest: any guess is before or behind those that are there. So there are many.
  out.push_back({"web session's token: first digits wrong, last digits wrong",
                 kMany,
                 20,
                 {token, token},
                 [](const std::string& shown) { sink = sessions.use(shown, kNow).has_value(); },
                 Scenario::Expect::kNothing,
                 true});
  const std::string csrf = web::WebSessions::csrf_token_of(token);
  out.push_back({"web form's token: first byte wrong, last byte wrong", kMany, 200, wrong_at_the_ends(csrf),
                 [csrf](const std::string& shown) { sink = web::are_equal_secrets(shown, csrf); }});
#endif

  // Which keys are known is no secret that time keeps: the answer says it.
  const CurveKeyPair alice = CurveKeyPair::generate();
  const auto bytes_of = [](const CurveKey& key) {
    return std::string(key.bytes().begin(), key.bytes().end());
  };
  const Policy policy =
      must(Policy::parse(must(Json::parse(auth_json({curve_record("alice", alice.public_key)})))));
  out.push_back({"CURVE: known key, unknown key (public, and told by 200 and 300)",
                 kMany,
                 20,
                 {bytes_of(alice.public_key), bytes_of(CurveKeyPair::generate().public_key)},
                 [a = must(Authenticator::create(policy, kNow))](const std::string& bytes) {
                   const CurveKey key = must(CurveKey::from_bytes(bytes));
                   sink = a.authenticate({"vip", "127.0.0.1", key}).decision.allowed();
                 },
                 Scenario::Expect::kPublic});
  // That a difference is found where there is one.
  const std::string long_secret(1000, 's');
  out.push_back({"plain comparison, for comparison: first byte wrong, last byte wrong", kMany, 200,
                 wrong_at_the_ends(long_secret),
                 [long_secret](const std::string& guess) { sink = guess == long_secret; },
                 Scenario::Expect::kDifference});
  return out;
}

}  // namespace

int main(int argc, char** argv) {  // NOLINT(bugprone-exception-escape): it measures, or it does not
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  const bool quick = !words.empty() && words[0] == "--quick";
  if (words.size() > (quick ? 2U : 1U)) {
    std::cerr << "usage: timing [--quick] [TEXT]\n";
    return 64;
  }
  const std::string_view wanted = words.size() > (quick ? 1U : 0U) ? words.back() : "";
  const TempHome home;
  bool failed = false;
  std::printf("%-68s %8s %14s %14s\n", "", "|t|", "median ns", "median ns");
  for (const Scenario& scenario : scenarios(home)) {
    if (scenario.name.find(wanted) == std::string::npos) continue;
    const Measured measured =
        measure(scenario, std::max<std::size_t>(50, quick ? scenario.samples / 20 : scenario.samples));
    const char* verdict = measured.t < kSame ? "" : measured.t < kDiffers ? "measure longer" : "differs";
    if (scenario.expect == Scenario::Expect::kNothing && measured.t >= kDiffers) failed = true;
    if (scenario.expect == Scenario::Expect::kDifference && measured.t < kDiffers) {
      failed = true;
      verdict = "no difference found: this machine is too busy to measure";
    }
    std::printf("%-68s %8.1f %14.0f %14.0f %s\n", scenario.name.c_str(), measured.t, measured.median[0],
                measured.median[1], verdict);
    std::fflush(stdout);
  }
  return failed ? 1 : 0;
}
