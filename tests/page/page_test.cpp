// The status page as a person sees it: in a real browser, served by the real daemon, which works on a simulated
// Grafana.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <set>

#include "e2e/secrets.hpp"
#include "page/browser.hpp"
#include "page/site.hpp"

using namespace graft;
using namespace graft::test;
using nlohmann::json;
using std::chrono::seconds;

namespace {

// Where things are on the page: all that these tests know of its inside.
namespace at {
constexpr const char* headline = "#headline";
constexpr const char* state_attribute = "data-state";            // of the body: that of /api/v1/status
constexpr const char* connection_attribute = "data-connection";  // of the body: "connecting", "live", "lost", …
constexpr const char* connection = "#connection";
constexpr const char* revision = "#revision";
constexpr const char* problems = "#problems";
constexpr const char* changes = "#changes .change";
constexpr const char* cycles = "#timeline g[data-cycle]";
constexpr const char* filter = "#filter";
constexpr const char* filter_clear = "#filter-clear";
constexpr const char* found = "#rows-count";
constexpr const char* rows_focus = "#rows";
constexpr const char* rows = "#rows .row:not([hidden])";
constexpr const char* all_rows = "#rows .row";
constexpr const char* chosen_row = "#rows .row[aria-selected=true]";
constexpr const char* row_key = "data-key";  // "Folder|apiorg|ops"
constexpr const char* detail = "#detail";
constexpr const char* lifeline = "#token-rows .row[data-slot='apiorg/test/test-token'] svg rect.left";
std::string tab(const std::string& view) { return "#tabs a[data-view=" + view + "]"; }
std::string row(const std::string& key) { return fmt::format("#rows .row[data-key='{}']:not([hidden])", key); }
}  // namespace at

// As one text, so that a failure shows them. "" when there are none.
std::string lines(const std::vector<std::string>& all) { return fmt::format("{}", fmt::join(all, "\n")); }

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string state(const Browser& browser) { return browser.attribute("body", at::state_attribute); }
std::string connection(const Browser& browser) { return browser.attribute("body", at::connection_attribute); }

// Opens the page and marks it: whether it was loaded anew can be told by the mark.
void open(Browser& browser, const Site& site) {
  browser.set_window(1280, 1000);
  browser.open(site.url());
  REQUIRE(wait_until([&] { return connection(browser) == "live" && state(browser) != "unknown"; }));
  browser.execute("window.mark = 'the same page'");
}
bool same_page(const Browser& browser) { return browser.execute("return window.mark === 'the same page'") == true; }

bool becomes(const Browser& browser, const std::string& wanted) {
  return wait_until([&] { return state(browser) == wanted; });
}

// "Folder|apiorg|ops in_sync" of each row.
std::set<std::string> rows_of(const Browser& browser) {
  return browser
      .execute("return [...document.querySelectorAll(arguments[0])].map(r => r.dataset.key + ' ' + r.dataset.s)",
               json::array({at::rows}))
      .get<std::set<std::string>>();
}

// The changes that the history shows, each as its text.
bool history_tells(const Browser& browser, const std::vector<std::string>& parts) {
  for (const std::string& change : browser.texts(at::changes))
    if (std::ranges::all_of(parts, [&](const std::string& part) { return holds(change, part); })) return true;
  return false;
}

std::string background(const Browser& browser) {
  return browser.execute("return getComputedStyle(document.documentElement).backgroundColor").get<std::string>() +
         browser.execute("return getComputedStyle(document.body).backgroundColor").get<std::string>();
}

// In light, dark and on a phone, for a person to look at; and what can be told of it by a program.
void look_at(const Browser& browser, const std::string& name) {
  browser.set_window(1280, 1600);
  browser.screenshot(name + "-light");
  const std::string light = background(browser);
  browser.set_media({.dark = true});
  CHECK(background(browser) != light);
  browser.screenshot(name + "-dark");
  browser.set_media({});
  browser.set_window(390, 844);
  const json beyond =
      browser.execute("const page = document.documentElement; return page.scrollWidth - page.clientWidth");
  CHECK(beyond == 0);  // nothing to scroll sideways
  browser.screenshot(name + "-phone");
  browser.set_window(1280, 1000);
}

// Where the page got things from: the addresses of all that it has fetched.
std::vector<std::string> fetched(const Browser& browser) {
  return browser.execute("return performance.getEntriesByType('resource').map(e => e.name)")
      .get<std::vector<std::string>>();
}

constexpr const char* listen_to_events =
    "window.heard = '';"
    "fetch('/api/v1/events').then(async answer => {"
    "  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();"
    "  for (;;) { const {done, value} = await reader.read(); if (done) break; window.heard += value; }"
    "});";

bool edit_folder_by_hand(const Site& site, const std::string& title) {
  const json body{{"title", title}, {"overwrite", true}};
  return site.admin.put("/api/folders/ops", body.dump(), site.organization()).status == 200;
}

const std::string unknown_member =
    "apiVersion: graftd/v1\nkind: OrganizationMember\nmetadata: {organization: apiorg}\n"
    "spec: {login: nobody-of-that-name, role: Editor}\n";

}  // namespace

TEST_CASE("page: the converged tutorial: every resource in sync, nothing from elsewhere, a silent console, no secret") {
  Site site;
  site.begin();
  Browser browser;
  open(browser, site);
  browser.execute(listen_to_events);
  REQUIRE(becomes(browser, "converged"));
  CHECK(holds(browser.text(at::headline), "6 resources are as declared"));
  CHECK(holds(browser.title(), "converged"));
  const auto revision = site.document("status").at("revision").at("applied").get<std::string>();
  const std::size_t digits = revision.find(':') + 1;  // "sha256:…"
  REQUIRE(revision.size() >= digits + 8);
  CHECK(holds(browser.text(at::revision), revision.substr(digits, 8)));
  CHECK(wait_until([&] { return browser.count(at::cycles) >= 2; }));
  look_at(browser, "converged-overview");
  Haystack seen;
  seen.add("overview", browser.html());

  browser.click(at::tab("resources"));
  const std::set<std::string> all{
      "Dashboard|apiorg|production-overview in_sync", "Folder|apiorg|ops in_sync",
      "Organization|apiorg|apiorg in_sync",           "OrganizationMember|apiorg|admin in_sync",
      "ServiceAccount|apiorg|test in_sync",           "ServiceAccountToken|apiorg|test/test-token in_sync"};
  CHECK(wait_until([&] { return rows_of(browser) == all; }));
  look_at(browser, "converged-resources");
  seen.add("resources", browser.html());

  browser.click(at::tab("tokens"));
  CHECK(wait_until([&] {
    return browser.execute("return document.querySelector(arguments[0]).getBoundingClientRect().width",
                           json::array({at::lifeline})) > 10;
  }));
  look_at(browser, "converged-tokens");
  seen.add("tokens", browser.html());

  browser.click(at::tab("history"));
  CHECK(wait_until([&] { return browser.texts(at::changes).size() == 5; }));
  seen.add("history", browser.html());
  browser.click(at::tab("plan"));
  seen.add("plan", browser.html());

  const std::vector<std::string> addresses = fetched(browser);
  CHECK(addresses.size() >= 4);
  for (const std::string& address : addresses) CHECK_MESSAGE(address.starts_with(site.url()), address);
  for (const char* target : {"/", "/api/v1/status", "/api/v1/resources", "/api/v1/plan", "/api/v1/tokens",
                             "/api/v1/history?limit=1000", "/metrics", "/openapi.json", "/-/ready?verbose=1"}) {
    const auto reply = site.get(target);
    CHECK_MESSAGE(reply.status == 200, target);
    seen.add(target, reply.body);
  }
  CHECK(wait_until([&] { return browser.execute("return window.heard.includes('event: ')") == true; }));
  seen.add("events", browser.execute("return window.heard").get<std::string>());
  seen.add("log", site.log());
  REQUIRE(site.key().size() > 20);
  CHECK(lines(seen.places_of(site.key())) == "");
  CHECK(lines(seen.places_of(Site::password())) == "");
  CHECK_FALSE(seen.places_of("production-overview").empty());  // the search does find what is there
  CHECK(lines(browser.console()) == "");
}

TEST_CASE("page: what happens is shown as it happens: an edit by hand, then a new manifest") {
  Site site;
  site.begin();
  Browser browser;
  open(browser, site);
  REQUIRE(becomes(browser, "converged"));
  browser.click(at::tab("history"));
  REQUIRE(edit_folder_by_hand(site, "Edited by hand"));
  CHECK(wait_until(
      [&] { return history_tells(browser, {"apiorg/ops", "edited in Grafana", "Edited by hand", "Operations"}); }));

  site.directory.write("manifests/extra.yaml",
                       "apiVersion: graftd/v1\nkind: Folder\nmetadata: {uid: extra, organization: apiorg}\n"
                       "spec: {title: Extra}\n");
  CHECK(wait_until([&] { return history_tells(browser, {"created", "apiorg/extra", "manifest changed"}); }));
  browser.click(at::tab("resources"));
  CHECK(wait_until([&] { return browser.attribute(at::row("Folder|apiorg|extra"), "data-s") == "in_sync"; }));
  CHECK(wait_until([&] { return holds(browser.text(at::headline), "7 resources are as declared"); }));
  CHECK(same_page(browser));
  CHECK(lines(browser.console()) == "");
}

TEST_CASE("page: a failed resource and rejected manifests are told with what is wrong, where, and what to do next") {
  Site site;
  site.directory.write("manifests/member.yaml", unknown_member);
  site.begin();
  Browser browser;
  open(browser, site);
  REQUIRE(becomes(browser, "degraded"));
  CHECK(wait_until([&] { return holds(browser.title(), "1 failed"); }));
  CHECK(holds(browser.text(at::headline), "1 failed"));
  const std::string failed = browser.text(at::problems);
  CAPTURE(failed);
  CHECK(holds(failed, "OrganizationMember apiorg/nobody-of-that-name"));
  CHECK(holds(failed, "User not found"));
  CHECK(holds(failed, "member.yaml:1:1"));
  CHECK(holds(failed, "Next: "));

  site.directory.write("manifests/bad.yaml", "apiVersion: graftd/v1\nkind: Foldr\n");
  REQUIRE(wait_until([&] { return holds(browser.text(at::problems), "bad.yaml"); }));
  const std::string rejected = browser.text(at::problems);
  CAPTURE(rejected);
  CHECK(holds(rejected, "bad.yaml:2:7"));
  CHECK(holds(rejected, "Foldr"));
  CHECK(holds(rejected, "did you mean"));
  CHECK(holds(browser.text(at::revision), "rejected"));
  look_at(browser, "red-overview");
  browser.click(at::tab("resources"));
  CHECK(wait_until([&] { return rows_of(browser).contains("OrganizationMember|apiorg|nobody-of-that-name failed"); }));
  look_at(browser, "red-resources");
  CHECK(lines(browser.console()) == "");
}

TEST_CASE("page: names that are HTML are shown as the text that they are") {
  const std::string image = "<img src=x onerror=window.hacked=1>", script = "\"'><script>window.hacked=2</script>";
  Site site;
  site.directory.write("manifests/hostile.yaml",
                       fmt::format("apiVersion: graftd/v1\nkind: Organization\nmetadata:\n  name: {0}\nspec:\n"
                                   "  members: [{{login: admin, role: Admin}}, {{login: {0}, role: Viewer}}]\n"
                                   "  serviceAccounts: [{{name: {1}, role: Viewer}}]\n"
                                   "  folders: [{{uid: ops, title: {0}}}]\n"
                                   "  dashboards: [{{uid: board, folder: ops, model: {{title: {1}, panels: []}}}}]\n",
                                   json(image).dump(), json(script).dump()));
  site.begin();
  Browser browser;
  open(browser, site);
  REQUIRE(becomes(browser, "degraded"));  // nobody has such a login
  CHECK(holds(browser.text(at::problems), image));
  REQUIRE(edit_folder_by_hand(site, image));
  browser.click(at::tab("history"));
  CHECK(wait_until([&] { return history_tells(browser, {"edited in Grafana", image}); }));
  for (const char* view : {"overview", "plan", "tokens", "resources"}) {
    browser.click(at::tab(view));
    CHECK(wait_until([&] { return holds(browser.text("body"), image) || std::string(view) == "tokens"; }));
  }
  CHECK(wait_until([&] { return holds(lines(browser.texts(at::rows)), script); }));
  for (const std::string& key : {"Folder|" + image + "|ops", "ServiceAccount|" + image + "|" + script}) {
    browser.execute("[...document.querySelectorAll(arguments[0])].find(r => r.dataset.key === arguments[1]).click()",
                    json::array({at::rows, key}));
    CHECK(wait_until([&] { return holds(browser.text(at::detail), image); }));
  }
  CHECK(browser.execute("return window.hacked === undefined") == true);
  CHECK(browser.count("img, body script:not([type=module])") == 0);
  CHECK(lines(browser.console()) == "");  // an inline handler would be told as refused
}

TEST_CASE("page: two thousand resources are few elements, and the filter finds one of them at once") {
  Site site("suspend: true\n");  // compared, not made: that takes a moment only
  for (int i = 0; i < 20; ++i) {
    std::string text =
        fmt::format("apiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: org-{:02}}}\nspec:\n  folders:\n", i);
    for (int f = 0; f < 50; ++f) text += fmt::format("    - {{uid: folder-{0:02}-{1:03}, title: F{1}}}\n", i, f);
    text += "  dashboards:\n";
    for (int d = 0; d < 60; ++d)
      text += fmt::format("    - {{uid: board-{0:02}-{1:03}, folder: folder-{0:02}-{2:03}, model: {{title: B{1}}}}}\n",
                          i, d, d % 50);
    site.directory.write(fmt::format("manifests/org-{:02}.yaml", i), text);
  }
  site.begin();
  Browser browser;
  open(browser, site);
  REQUIRE(becomes(browser, "suspended"));
  browser.click(at::tab("resources"));
  REQUIRE(wait_until([&] { return browser.count(at::rows) > 10; }));
  const std::size_t total = site.document("resources").at("resources").size();
  CHECK(total == 20 * 111 + 6);
  CHECK(holds(browser.text(at::found), fmt::format("{},{:03}", total / 1000, total % 1000)));
  CHECK(browser.count(at::all_rows) < 200);
  browser.execute("scrollTo(0, document.documentElement.scrollHeight / 2)");
  CHECK(wait_until([&] { return holds(fmt::format("{}", fmt::join(rows_of(browser), " ")), "org-1"); }));
  CHECK(browser.count(at::all_rows) < 200);
  browser.execute("scrollTo(0, 0)");

  const json took = browser.execute(
      "const filter = document.querySelector(arguments[0]); filter.focus(); filter.value = 'board-17-042';"
      "const begin = performance.now(); filter.dispatchEvent(new Event('input', {bubbles: true}));"
      "const found = performance.now() - begin;"
      "return new Promise(done => requestAnimationFrame(() => setTimeout(() => done([found, performance.now() - "
      "begin]))))",
      json::array({at::filter}));
  MESSAGE(fmt::format("the filter took {:.1f} ms among {} resources, and {:.1f} ms until it was painted",
                      took.at(0).get<double>(), total, took.at(1).get<double>()));
  CHECK(wait_until([&] { return rows_of(browser).size() == 1; }));
  CHECK(rows_of(browser).begin()->starts_with("Dashboard|org-17|board-17-042 "));
  browser.click(at::filter_clear);
  CHECK(wait_until([&] { return rows_of(browser).size() > 10; }));
  browser.type(at::filter, "folder-03-007");
  CHECK(wait_until([&] {  // and the two dashboards in it
    return rows_of(browser).size() <= 3 && browser.count(at::row("Folder|org-03|folder-03-007")) == 1;
  }));
  CHECK(lines(browser.console()) == "");
}

TEST_CASE("page: the keyboard alone finds a resource, opens it and closes it again") {
  Site site;
  site.begin();
  Browser browser;
  open(browser, site);
  REQUIRE(becomes(browser, "converged"));
  const auto focused = [&](const char* css) {
    return browser.execute("return document.activeElement === document.querySelector(arguments[0])",
                           json::array({css})) == true;
  };
  const auto chosen = [&] { return browser.attribute(at::chosen_row, at::row_key); };
  browser.press("/");
  REQUIRE(wait_until([&] { return focused(at::filter) && browser.count(at::rows) == 6; }));
  browser.press("ArrowDown");
  CHECK(wait_until([&] { return focused(at::rows_focus) && !chosen().empty(); }));
  const std::string first = chosen();
  browser.press("ArrowDown");
  CHECK(wait_until([&] { return chosen() != first; }));
  browser.press("ArrowUp");
  CHECK(wait_until([&] { return chosen() == first; }));
  browser.press("ArrowDown");
  CHECK(wait_until([&] { return chosen() != first; }));
  const std::string second = chosen();
  CHECK_FALSE(browser.visible(at::detail));
  browser.press("Enter");
  CHECK(wait_until([&] { return browser.visible(at::detail); }));
  CHECK(holds(browser.text(at::detail), second.substr(second.rfind('|') + 1)));
  browser.press("Escape");
  CHECK(wait_until([&] { return !browser.visible(at::detail); }));
  CHECK(wait_until([&] { return focused(at::rows_focus) && chosen() == second; }));  // back where one was

  browser.press("/");
  REQUIRE(wait_until([&] { return focused(at::filter); }));
  for (const char letter : std::string("dashboard")) browser.press(std::string(1, letter));
  CHECK(wait_until([&] { return browser.count(at::rows) == 1; }));
  CHECK(browser.execute("return document.querySelector(arguments[0]).value", json::array({at::filter})) == "dashboard");
  CHECK(lines(browser.console()) == "");
}

TEST_CASE("page: it says when graftd is gone, and goes on by itself when it is back") {
  Site site;
  site.begin();
  Browser browser;
  open(browser, site);
  REQUIRE(becomes(browser, "converged"));
  CHECK(lines(browser.console()) == "");
  site.end();
  CHECK(wait_until([&] { return connection(browser) == "lost"; }));
  CHECK(holds(browser.text(at::connection), "Connection lost"));
  look_at(browser, "lost-overview");
  site.directory.write("manifests/member.yaml", unknown_member);
  site.begin();
  CHECK(wait_until([&] { return connection(browser) == "live"; }, seconds(60)));
  CHECK(becomes(browser, "degraded"));
  CHECK(holds(browser.text(at::problems), "nobody-of-that-name"));
  CHECK_FALSE(holds(browser.text(at::connection), "lost"));
  CHECK(same_page(browser));
}
