// Measures whether time tells a secret: two kinds of input in random order, and Welch's t-test on their
// times, also with the slowest cut off. A |t| above 10 is a difference; below 4.5 none was found; between
// them, measure longer.
// Source: Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?", 2017. usage: timing [--quick]

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

/// What is measured: `run(kind)` once for each time, many times over in a row where it is short.
struct Scenario {
  std::string name;
  std::size_t samples;
  std::size_t in_a_row;
  std::function<void(bool second)> run;
  enum class Expect { kNothing, kDifference, kPublic } expect = Expect::kNothing;
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
  for (std::size_t i = 0; i < 2 * samples + 20; ++i) {
    const bool second = (random() & 1U) != 0;
    const auto begin = Clock::now();
    for (std::size_t k = 0; k < scenario.in_a_row; ++k) scenario.run(second);
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

Scenario of_plain(std::string name, const std::string& stored, std::size_t samples,
                  const std::array<std::pair<std::string, std::string>, 2>& users_and_passwords) {
  const Json record = Json::Object{{"user_id", "known"}, {"mechanism", "PLAIN"}, {"credentials", stored}};
  const Policy policy = must(Policy::parse(must(Json::parse(auth_json({record})))));
  return {std::move(name), samples, 1,
          [a = must(Authenticator::create(policy, kNow)), users_and_passwords](bool second) {
            const auto& [user, password] = users_and_passwords[second ? 1 : 0];
            const AuthenticationRequest request{"vip", "127.0.0.1",
                                                AuthenticationRequest::Plain{user, password}};
            sink = a.authenticate(request).decision.allowed();
          }};
}

std::vector<Scenario> scenarios(const TempHome& home) {
  constexpr std::size_t kMany = 20'000;
  const std::string secret = "correct horse battery";
  const std::string first = changed_at(secret, 0);
  const std::string last = changed_at(secret, secret.size() - 1);
  std::vector<Scenario> out;

  out.push_back(of_plain("PLAIN, hashed: first byte wrong, last byte wrong", cheap_hash(), 3000,
                         {{{"known", first}, {"known", last}}}));
  out.push_back(of_plain("PLAIN, hashed: known user, unknown user", cheap_hash(), 3000,
                         {{{"known", first}, {"other", first}}}));
  out.push_back(of_plain("PLAIN, in the clear: first byte wrong, last byte wrong", secret, 100,
                         {{{"known", first}, {"known", last}}}));
  out.push_back(of_plain("PLAIN, in the clear: known user, unknown user", secret, 100,
                         {{{"known", first}, {"other", first}}}));

  const Json root = Json::Object{{"hashed_password", cheap_hash()}, {"groups", Json::Array{Json("admin")}}};
  home.write("web-users.json", Json(Json::Object{{"known", root}}).dump_pretty());
  out.push_back({"web login: known user, unknown user", 3000, 1,
                 [users = WebUsers(home / "web-users.json")](bool second) {
                   sink = users.verify(second ? "other" : "known", "correct horse battery").has_value();
                 }});

  const std::string& proof = acceptance_proof();
  const std::array<std::string, 2> claims{changed_at(proof, 0), changed_at(proof, proof.size() - 1)};
  home.write("auth.json", auth_json({}));
  static const AuthService service = must(AuthService::open(home.path()));
  out.push_back({"acceptance proof: first byte wrong, last byte wrong", kMany, 20, [claims](bool second) {
                   const MessageProperties properties =
                       [&](const std::string&) -> std::optional<std::string> {
                     return claims[second ? 1 : 0];
                   };
                   sink = session_of(service, properties).has_value();
                 }});
  out.push_back(
      {"comparison of secrets: first byte wrong, last byte wrong", kMany, 200,
       [claims](bool second) { sink = are_equal_secrets(claims[second ? 1 : 0], acceptance_proof()); }});

#ifdef TIMING_WITH_WEB
  static web::WebSessions sessions({});
  const std::string token = must(sessions.begin("known", "stamp", kNow));
  const std::array<std::string, 2> tokens{changed_at(token, 0), changed_at(token, token.size() - 1)};
  out.push_back({"web session's token: first byte wrong, last byte wrong", kMany, 20,
                 [tokens](bool second) { sink = sessions.use(tokens[second ? 1 : 0], kNow).has_value(); }});
  const std::string csrf = web::WebSessions::csrf_token_of(token);
  const std::array<std::string, 2> shown{changed_at(csrf, 0), changed_at(csrf, csrf.size() - 1)};
  out.push_back({"web form's token: first byte wrong, last byte wrong", kMany, 200,
                 [csrf, shown](bool second) { sink = web::are_equal_secrets(shown[second ? 1 : 0], csrf); }});
#endif

  // Which keys are known is no secret that time keeps: the answer says it.
  const CurveKeyPair alice = CurveKeyPair::generate();
  const std::array<CurveKey, 2> keys{alice.public_key, CurveKeyPair::generate().public_key};
  const Policy policy = must(Policy::parse(must(Json::parse(auth_json({curve_record("alice", keys[0])})))));
  out.push_back({"CURVE: known key, unknown key (public, and told by 200 and 300)", kMany, 20,
                 [a = must(Authenticator::create(policy, kNow)), keys](bool second) {
                   sink = a.authenticate({"vip", "127.0.0.1", keys[second ? 1 : 0]}).decision.allowed();
                 },
                 Scenario::Expect::kPublic});
  // That a difference is found where there is one.
  const std::string long_secret(1000, 's');
  const std::array<std::string, 2> guesses{changed_at(long_secret, 0), changed_at(long_secret, 999)};
  out.push_back({"plain comparison, for comparison: first byte wrong, last byte wrong", kMany, 200,
                 [long_secret, guesses](bool second) { sink = guesses[second ? 1 : 0] == long_secret; },
                 Scenario::Expect::kDifference});
  return out;
}

}  // namespace

int main(int argc, char** argv) {  // NOLINT(bugprone-exception-escape): it measures, or it does not
  const bool quick = argc == 2 && std::string_view(argv[1]) == "--quick";
  if (argc > 1 && !quick) {
    std::cerr << "usage: timing [--quick]\n";
    return 64;
  }
  const TempHome home;
  bool failed = false;
  std::printf("%-68s %8s %14s %14s\n", "", "|t|", "median ns", "median ns");
  for (const Scenario& scenario : scenarios(home)) {
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
