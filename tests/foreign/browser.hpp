#pragma once

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <vipauth/json.hpp>

#include "support/child_process.hpp"
#include "support/eventually.hpp"
#include "support/https.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

/// A headless Chromium, driven by chromedriver over plain WebDriver. Source: W3C WebDriver.
class Browser {
 public:
  static constexpr const char* kDriver = "/usr/bin/chromedriver";
  static constexpr const char* kChromium = "/usr/lib/chromium/chromium-headless-shell";

  static bool is_installed() {
    return std::filesystem::exists(kDriver) && std::filesystem::exists(kChromium);
  }

  Browser() : driver_([this] { return run_driver(); }) {
    const std::string sign = "started successfully on port ";
    const bool has_started = eventually([&] {
      const std::string out = home_.has("driver.out") ? home_.read("driver.out") : "";
      const std::size_t at = out.find(sign);
      if (at == std::string::npos || out.find('.', at) == std::string::npos) return false;
      port_ = std::stoi(out.substr(at + sign.size()));
      return true;
    });
    if (!has_started) throw std::runtime_error("chromedriver does not start");
    const Json options = Json::Object{
        {"binary", kChromium},
        {"args", Json::strings({"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"})}};
    const Json always = Json::Object{{"acceptInsecureCerts", true},
                                     {"goog:chromeOptions", options},
                                     {"goog:loggingPrefs", Json::Object{{"browser", "ALL"}}}};
    const Json session =
        call("POST", "/session", Json::Object{{"capabilities", Json::Object{{"alwaysMatch", always}}}});
    session_ = "/session/" + session.find("sessionId")->as_string();
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;
  ~Browser() {
    try {
      call("DELETE", session_, Json());
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): it goes with its driver
    }
  }

  void open(const std::string& url) { call("POST", session_ + "/url", Json::Object{{"url", url}}); }

  /// What a function with this body returns.
  Json run(const std::string& script) {
    return call("POST", session_ + "/execute/sync",
                Json::Object{{"script", script}, {"args", Json::Array()}});
  }
  bool is_true(const std::string& expression) {
    const Json value = run("return Boolean(" + expression + ");");
    return value.is_bool() && value.as_bool();
  }
  bool wait_until(const std::string& expression) {
    return eventually([&] { return is_true(expression); }, std::chrono::seconds(20));
  }
  std::string text(const std::string& selector) {
    const Json value = run("const node = document.querySelector(" + Json(selector).dump() +
                           "); return node === null ? '' : node.innerText;");
    return value.is_string() ? value.as_string() : "";
  }

  // By the browser's own input, which must be able to get there.

  void click(const std::string& selector) {
    call("POST", session_ + "/element/" + element(selector) + "/click", Json(Json::Object()));
  }
  void type(const std::string& selector, const std::string& keys) {
    const std::string id = element(selector);
    call("POST", session_ + "/element/" + id + "/clear", Json(Json::Object()));
    call("POST", session_ + "/element/" + id + "/value", Json::Object{{"text", keys}});
  }
  /// Presses keys wherever the focus is: "\uE007" is Enter.
  void press(const std::string& key) {
    const auto event = [&](const char* kind) { return Json(Json::Object{{"type", kind}, {"value", key}}); };
    const Json source = Json::Object{
        {"type", "key"}, {"id", "keyboard"}, {"actions", Json::Array{event("keyDown"), event("keyUp")}}};
    call("POST", session_ + "/actions", Json::Object{{"actions", Json::Array{source}}});
  }

  enum class Theme { kLight, kDark };
  void look(int width, int height, Theme theme) {
    command("Emulation.setDeviceMetricsOverride", Json::Object{{"width", width},
                                                               {"height", height},
                                                               {"deviceScaleFactor", width < 600 ? 2 : 1},
                                                               {"mobile", width < 600}});
    const Json feature =
        Json::Object{{"name", "prefers-color-scheme"}, {"value", theme == Theme::kDark ? "dark" : "light"}};
    const Json still = Json::Object{{"name", "prefers-reduced-motion"}, {"value", "reduce"}};
    command("Emulation.setEmulatedMedia", Json::Object{{"features", Json::Array{feature, still}}});
  }

  /// Keeps a picture of what is seen.
  void screenshot(const std::filesystem::path& file) {
    const Json picture = call("GET", session_ + "/screenshot", Json());
    std::filesystem::create_directories(file.parent_path());
    home_.write("picture", picture.as_string());
    if (shell("base64 -d '" + (home_ / "picture").string() + "' > '" + file.string() + "'").code != 0) {
      throw std::runtime_error("cannot write " + file.string());
    }
  }

  /// What the browser's console says: refusals of its content security policy, too.
  std::string console() {
    return call("POST", session_ + "/se/log", Json::Object{{"type", "browser"}}).dump();
  }

 private:
  int run_driver() const {
    const int out = ::open((home_ / "driver.out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) return 1;
    ::setenv("HOME", home_.path().c_str(), 1);
    ::setenv("TMPDIR", home_.path().c_str(), 1);  // where it makes the browser's profile
    ::execl(kDriver, kDriver, "--port=0", nullptr);
    return 1;
  }

  Json call(const std::string& method, const std::string& path, const Json& body) {
    home_.write("call.json", body.dump());
    const std::string with_body = body.is_null() ? ""
                                                 : " -H 'Content-Type: application/json' --data-binary '@" +
                                                       (home_ / "call.json").string() + "'";
    const ShellResult result = shell("curl --silent --max-time 60 -X " + method + with_body +
                                     " 'http://127.0.0.1:" + std::to_string(port_) + path + "'");
    const auto answer = Json::parse(result.out);
    if (!answer || answer->find("value") == nullptr)
      throw std::runtime_error("no answer of WebDriver to " + path + ": " + result.out);
    const Json& value = *answer->find("value");
    if (value.find("error") != nullptr)
      throw std::runtime_error(path + ": " + value.find("message")->as_string());
    return value;
  }
  void command(const std::string& name, Json parameters) {
    call("POST", session_ + "/goog/cdp/execute",
         Json::Object{{"cmd", name}, {"params", std::move(parameters)}});
  }
  std::string element(const std::string& selector) {
    const Json found =
        call("POST", session_ + "/element", Json::Object{{"using", "css selector"}, {"value", selector}});
    return found.as_object().front().value.as_string();
  }

  TempHome home_;
  ChildProcess driver_;
  int port_ = 0;
  std::string session_;
};

}  // namespace vipauth::test
