#include <filesystem>
#include <string>

#include "browser.hpp"
#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

const std::string kMeter = "here.plant2.meter.agent";
const std::string kPlatform = "here.plant3.platform.agent";
const std::string kHistorian = "here.plant4.sqlhistorian";
const std::string kTrick = "<img src=x onerror=document.title='tricked'>";

CommonName name(const std::string& text) { return *CommonName::parse(text); }

std::filesystem::path picture(const std::string& file) {
  return std::filesystem::path(EXAMPLES_DIR).parent_path() / "screenshots" / file;
}

std::string auth() {
  return auth_file(
      {user_record("house.controller", kKeyA, "{'address': '10.4.1.20'}"),
       user_record(kTrick, kKeyB, "{'address': '10.4.1.66'}")},
      "{'roles': {'reader': ['can_read_points'], 'operator': {'can_set_points': {'point': '/setpoint.*/'}, "
      "'can_read_points': null}, 'historian': ['can_store']}, "
      "'groups': {'staff': ['reader', 'operator'], 'guests': ['reader']}}");
}

/// The button of a request's card.
std::string button(const std::string& action, const std::string& who) {
  return "button[aria-label='" + action + " " + who + "']";
}

std::string shows(const std::string& text) {
  return "document.getElementById('list').innerText.includes(" + Json(text).dump() + ")";
}

void log_in(Browser& browser, const std::string& password) {
  browser.type("#user", "alice");
  browser.type("#password", password);
  browser.press("\xEE\x80\x87");  // Enter
}

}  // namespace

TEST_CASE("Admin page: an administrator logs in, approves, denies and deletes in a browser") {
  if (!Browser::is_installed()) {
    WARN(
        "skipped: there is no chromedriver here, of Debian's packages chromium-driver and "
        "chromium-headless-shell");
    return;
  }
  CsrServer::Options options;
  options.discovery.instance_name = "here";
  RunningServer running(options, {}, auth());
  const TempHome& home = running.web.home;
  home.write("protected_topics.json",
             R"({"write-protect": [{"topic": "/devices.*/", "capabilities": ["can_set_points"]}]})");
  const auto store = running.web.store;
  for (const std::string& csr : {kMeter, kPlatform, kHistorian}) {
    REQUIRE(store->request(WebHome::csr(csr).pem(), "10.4.2.17"));
  }
  const auto zap = running.web.service.zap_authenticator();
  const std::string knocking = CurveKeyPair::generate().public_key.to_base64url();
  ask_curve(zap, knocking, "10.4.3.9");
  ask_curve(zap, CurveKeyPair::generate().public_key.to_base64url(), "2001:db8:4::31");
  REQUIRE(running.web.service.flush());
  const auto pending = running.web.service.get_pending_authorizations();
  REQUIRE(pending);
  REQUIRE(pending->size() == 2);
  const std::string peer = pending->front().user_id;
  const std::string other_peer = pending->back().user_id;

  Browser browser;
  browser.look(1280, 860, Browser::Theme::kLight);
  browser.open(running.url("/admin"));

  // A stranger sees a form, and nothing else.
  REQUIRE(browser.wait_until("!document.getElementById('login').hidden"));
  CHECK(browser.is_true("document.getElementById('console').hidden"));
  CHECK_FALSE(browser.is_true("document.documentElement.innerHTML.includes('plant2')"));
  CHECK(browser.is_true("document.activeElement.id === 'user'"));
  browser.screenshot(picture("login.png"));
  log_in(browser, "a wrong password");
  REQUIRE(browser.wait_until("document.getElementById('login-problem').innerText !== ''"));
  CHECK(browser.text("#login-problem") == "The user name or the password is wrong.");
  CHECK(browser.is_true("document.getElementById('console').hidden"));

  log_in(browser, kAdminPassword);
  REQUIRE(browser.wait_until(shows(kMeter)));
  CHECK(browser.text("[data-count=PENDING]") == "5");
  CHECK(browser.is_true(shows(peer)));
  CHECK(browser.is_true(shows(store->get(name(kMeter))->key_fingerprint)));
  browser.screenshot(picture("waiting.png"));

  // A certificate.
  browser.click(button("Approve", kMeter));
  REQUIRE(browser.wait_until("document.getElementById('approve-dialog').open"));
  CHECK(browser.is_true("document.activeElement.id === 'approve-confirm'"));
  browser.screenshot(picture("approve-certificate.png"));
  browser.click("#approve-confirm");
  REQUIRE(browser.wait_until("!document.getElementById('approve-dialog').open && !" + shows(kMeter)));
  CHECK(store->get(name(kMeter))->status == CsrStatus::kApproved);

  // A peer of the bus, with what it is given.
  browser.click(button("Approve", peer));
  REQUIRE(browser.wait_until("document.getElementById('approve-dialog').open"));
  browser.type("#approve-user", "meter7");
  browser.type("#approve-identity", "meter7.agent");
  browser.click("#approve-roles input[value=reader]");
  browser.click("#approve-groups input[value=staff]");
  browser.screenshot(picture("approve-peer.png"));
  browser.look(1280, 860, Browser::Theme::kDark);
  browser.screenshot(picture("approve-peer-dark.png"));
  browser.click("#approve-confirm");
  REQUIRE(browser.wait_until("!document.getElementById('approve-dialog').open && !" + shows(peer)));
  CHECK(stored(home, "allow", 2, "user_id") == Json("meter7"));
  CHECK(stored(home, "allow", 2, "identity") == Json("meter7.agent"));
  CHECK(stored(home, "allow", 2, "roles") == Json::strings({"reader"}));
  CHECK(stored(home, "allow", 2, "groups") == Json::strings({"staff"}));

  // What is cancelled does nothing, and the focus goes back to where it was.
  browser.run("document.querySelector(\"" + button("Deny", kPlatform) + "\").focus();");
  browser.press("\xEE\x80\x87");
  REQUIRE(browser.wait_until("document.getElementById('confirm-dialog').open"));
  browser.press("\xEE\x80\x8C");  // Escape
  REQUIRE(browser.wait_until("!document.getElementById('confirm-dialog').open"));
  CHECK(browser.is_true("document.activeElement.getAttribute('aria-label') === 'Deny " + kPlatform + "'"));
  CHECK(store->get(name(kPlatform))->status == CsrStatus::kPending);

  browser.click(button("Deny", kPlatform));
  REQUIRE(browser.wait_until("document.getElementById('confirm-dialog').open"));
  browser.screenshot(picture("deny-dark.png"));
  browser.click("#confirm-yes");
  REQUIRE(browser.wait_until("!document.getElementById('confirm-dialog').open && !" + shows(kPlatform)));
  CHECK(store->get(name(kPlatform))->status == CsrStatus::kDenied);

  browser.click(button("Delete", kHistorian));
  REQUIRE(browser.wait_until("document.getElementById('confirm-dialog').open"));
  browser.click("#confirm-yes");
  REQUIRE(browser.wait_until("!document.getElementById('confirm-dialog').open && !" + shows(kHistorian)));
  CHECK_FALSE(store->get(name(kHistorian)));

  browser.click(button("Deny", other_peer));
  REQUIRE(browser.wait_until("document.getElementById('confirm-dialog').open"));
  browser.click("#confirm-yes");
  REQUIRE(browser.wait_until("document.querySelector('[data-count=PENDING]').innerText === '0'"));
  REQUIRE(browser.wait_until(shows("Nobody is waiting")));
  browser.screenshot(picture("nobody-waits-dark.png"));

  // The others, also on a phone. What a name would do is only shown.
  browser.click("#tab-APPROVED");
  REQUIRE(browser.wait_until(shows(kTrick)));
  CHECK(browser.is_true("document.querySelector('#list img') === null && document.title !== 'tricked'"));
  CHECK(browser.is_true(shows(kMeter)));
  browser.screenshot(picture("approved-dark.png"));
  browser.look(390, 844, Browser::Theme::kDark);
  browser.screenshot(picture("phone-approved-dark.png"));
  browser.look(390, 844, Browser::Theme::kLight);
  browser.screenshot(picture("phone-approved.png"));
  CHECK(browser.is_true("document.documentElement.scrollWidth <= window.innerWidth"));
  CHECK(
      browser.is_true("Array.from(document.querySelectorAll('button')).filter((b) => b.offsetParent !== null)"
                      ".every((b) => b.getBoundingClientRect().height >= 44)"));
  browser.click(button("Deny", kMeter));
  REQUIRE(browser.wait_until("document.getElementById('confirm-dialog').open"));
  browser.screenshot(picture("phone-deny.png"));
  browser.click("#confirm-cancel");
  browser.look(1280, 860, Browser::Theme::kLight);
  browser.click("#tab-certificates");
  REQUIRE(browser.wait_until(shows("here.web-server")));
  browser.screenshot(picture("certificates.png"));

  // By the arrows to the last tab.
  browser.press("\xEE\x80\x94");
  REQUIRE(browser.wait_until(shows("can_store")));
  CHECK(browser.is_true(shows("/devices.*/")));
  browser.screenshot(picture("roles-and-topics.png"));

  browser.open(running.url("/admin"));  // a session outlives the page
  REQUIRE(browser.wait_until("!document.getElementById('console').hidden"));
  browser.click("#log-out");
  REQUIRE(browser.wait_until("!document.getElementById('login').hidden"));
  CHECK_FALSE(browser.is_true("document.documentElement.innerHTML.includes('plant2')"));
  CHECK(browser.console().find("Content Security Policy") == std::string::npos);
}
