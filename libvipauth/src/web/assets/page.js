"use strict";

// Everything from the server is put on the page as text, never as HTML.

const kPollMilliseconds = 10000;
const kNoticeMilliseconds = 6000;
const kMostCards = 200;

const state = {
  csrf: null,
  tab: "PENDING",
  csrs: [],
  credentials: [],
  roles: [],
  groups: [],
  topics: null,
  certificates: [],
  warnings: [],
  shown: "",
  refreshed: null,
};

const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "click") node.addEventListener("click", value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

// ---- The server ----

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (state.csrf && method !== "GET") headers["X-CSRF-Token"] = state.csrf;
  const answer = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
  });
  let content = {};
  try {
    content = await answer.json();
  } catch {
    content = {};
  }
  if (!answer.ok) throw new Refusal(answer.status, content.message || `The server answers ${answer.status}.`);
  return content;
}

// ---- Words ----

const kStatusWords = { PENDING: "Waiting", APPROVED: "Approved", DENIED: "Denied" };

function sentence(text) {
  const trimmed = String(text).trim();
  const start = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?:]$/.test(start) ? start : start + ".";
}

function plural(count, one, many) {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

function distance(seconds) {
  if (seconds < 3600) return plural(Math.floor(seconds / 60), "minute", "minutes");
  if (seconds < 86400) return plural(Math.floor(seconds / 3600), "hour", "hours");
  return plural(Math.floor(seconds / 86400), "day", "days");
}

function when(text) {
  const time = new Date(text);
  const seconds = (Date.now() - time.getTime()) / 1000;
  let words = "just now";
  if (seconds >= 60) words = `${distance(seconds)} ago`;
  else if (seconds <= -60) words = `in ${distance(-seconds)}`;
  return element("time", { datetime: text, title: time.toLocaleString(), "data-when": text, text: words });
}

function refreshAges() {
  for (const node of document.querySelectorAll("[data-when]")) {
    node.textContent = when(node.dataset.when).textContent;
  }
}

// ---- Telling ----

let noticeTimer = 0;

function tell(text) {
  byId("notice").textContent = text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { byId("notice").textContent = ""; }, kNoticeMilliseconds);
}

function tellTrouble(text) {
  byId("connection-problem").textContent = text;
  byId("connection-problem").hidden = text === "";
}

// ---- Both kinds of requests, as one ----

function requests() {
  const csrs = state.csrs.map((csr) => ({
    kind: "csr",
    key: `csr ${csr.common_name}`,
    name: csr.common_name,
    status: csr.status,
    address: csr.address,
    print: csr.key_fingerprint,
    printName: csr.key_kind,
    retries: csr.retries,
    first: csr.first_seen,
    last: csr.last_seen,
    ends: csr.certificate && csr.certificate.not_after,
    path: `/api/csrs/${encodeURIComponent(csr.common_name)}`,
  }));
  const credentials = state.credentials.map((peer) => ({
    kind: "key",
    key: `key ${peer.status} ${peer.user_id} ${peer.credentials}`,
    name: peer.user_id,
    status: peer.status,
    address: peer.address,
    print: peer.credentials,
    printName: peer.mechanism,
    retries: peer.retries,
    first: peer.first_seen,
    last: peer.last_seen,
    path: `/api/credentials/${encodeURIComponent(peer.user_id)}`,
  }));
  return csrs.concat(credentials).sort((a, b) => {
    const order = (a.first || "").localeCompare(b.first || "");
    return order !== 0 ? order : a.name.localeCompare(b.name);
  });
}

function kindBadge(request) {
  return request.kind === "csr"
    ? element("span", { class: "badge", text: "Certificate" })
    : element("span", { class: "badge key", text: "ZeroMQ key" });
}

function fact(name, content) {
  return element("div", {}, element("dt", { text: name }), element("dd", {}, content));
}

/** A fingerprint, which breaks between its bytes where the line is too short. */
function fingerprint(title, text) {
  const node = element("p", { class: "print mono", title });
  for (const part of text.split(/(?<=:)/)) node.append(part, element("wbr"));
  return node;
}

function print(request) {
  return request.print ? fingerprint("Fingerprint of the key", request.print) : null;
}

function action(request, text, style, open) {
  return element("button", {
    type: "button",
    class: style,
    "data-focus": `${text} ${request.key}`,
    "aria-label": `${text} ${request.name}`,
    text,
    click: () => open(request),
  });
}

function requestCard(request) {
  const facts = element("dl", { class: "facts" });
  if (request.address) facts.append(fact("from", element("span", { class: "mono", text: request.address })));
  if (request.first) facts.append(fact("first seen", when(request.first)));
  if (request.status === "PENDING" && request.last) facts.append(fact("last seen", when(request.last)));
  if (request.retries > 0) facts.append(fact("asked", plural(request.retries, "time", "times")));
  if (request.printName) facts.append(fact("key", request.printName));
  if (request.ends) facts.append(fact("valid until", when(request.ends)));

  const actions = element("div", { class: "actions" });
  if (request.status !== "APPROVED") actions.append(action(request, "Approve", "primary", openApproval));
  if (request.status !== "DENIED") actions.append(action(request, "Deny", "quiet", openDenial));
  actions.append(action(request, "Delete", "danger-text", openDeletion));
  return element("li", { class: "card", "data-key": request.key },
    element("div", { class: "card-main" },
      element("div", { class: "card-text" },
        element("h3", {}, kindBadge(request), element("span", { text: request.name })), facts),
      actions),
    print(request));
}

const kEmpty = {
  PENDING: ["Nobody is waiting", "A platform or an agent that asks to be let in appears here by itself."],
  APPROVED: ["Nobody is approved", "Whom you approve appears here."],
  DENIED: ["Nobody is denied", "Whom you deny appears here, and stays out."],
  certificates: ["There are no certificates", "Those that this instance issues appear here."],
};

function empty(tab, isFiltered) {
  const [title, text] = isFiltered ? ["Nothing matches", "Try another filter."] : kEmpty[tab];
  return element("div", { class: "empty" }, element("strong", { text: title }), element("span", { text }));
}

function cards(tab, items, makeCard, searched) {
  const filter = byId("filter").value.trim().toLowerCase();
  const kept = filter === "" ? items : items.filter((item) => searched(item).toLowerCase().includes(filter));
  if (kept.length === 0) return [empty(tab, items.length > 0)];
  const out = [element("ul", { class: "cards" }, ...kept.slice(0, kMostCards).map(makeCard))];
  if (kept.length > kMostCards) {
    out.push(element("p", { class: "footnote",
      text: `${kept.length - kMostCards} more are not shown: use the filter.` }));
  }
  return out;
}

function showRequests(tab) {
  return cards(tab, requests().filter((request) => request.status === tab), requestCard,
    (request) => [request.name, request.address, request.print].join("\n"));
}

// ---- Certificates, roles and topics ----

const kPurposes = { root: "this authority", server: "a server", client: "a local agent", requested: "a remote agent" };

function certificateCard(certificate) {
  const isPast = new Date(certificate.not_after) < new Date();
  let badge = element("span", { class: "badge plain", text: "Replaced" });
  if (certificate.revoked_at) badge = element("span", { class: "badge bad", text: "Revoked" });
  else if (isPast) badge = element("span", { class: "badge bad", text: "Expired" });
  else if (certificate.current) badge = element("span", { class: "badge ok", text: "Valid" });
  const facts = element("dl", { class: "facts" }, fact("for", kPurposes[certificate.purpose] || certificate.purpose));
  if (certificate.revoked_at) facts.append(fact("revoked", when(certificate.revoked_at)));
  else facts.append(fact(isPast ? "expired" : "expires", when(certificate.not_after)));
  facts.append(fact("serial", element("span", { class: "mono", text: certificate.serial })));
  return element("li", { class: "card" },
    element("h3", {}, badge, element("span", { text: certificate.common_name })), facts,
    fingerprint("Fingerprint of the certificate", certificate.fingerprint));
}

function showCertificates() {
  const warnings = state.warnings.map((text) => element("div", { class: "banner problem", text: sentence(text) }));
  return warnings.concat(cards("certificates", state.certificates, certificateCard,
    (certificate) => [certificate.common_name, certificate.serial, certificate.purpose].join("\n")));
}

function capabilityNames(source) {
  if (source === null) return [];
  if (typeof source === "string") return [source];
  if (Array.isArray(source)) return source.flatMap(capabilityNames);
  return Object.entries(source).map(([name, restriction]) =>
    restriction === null ? name : `${name} ${JSON.stringify(restriction)}`);
}

function namedList(title, items, whatIsEmpty) {
  const filter = byId("filter").value.trim().toLowerCase();
  const kept = items.filter(([name, chips]) => [name, ...chips].join("\n").toLowerCase().includes(filter));
  const heading = element("h2", { class: "section", text: title });
  if (kept.length === 0) {
    return [heading, element("p", { class: "hint", text: items.length > 0 ? "Nothing matches." : whatIsEmpty })];
  }
  return [heading, element("ul", { class: "cards" }, ...kept.slice(0, kMostCards).map(([name, chips]) =>
    element("li", { class: "card" }, element("h3", { text: name }),
      element("div", { class: "chips" }, ...(chips.length > 0 ? chips : ["nothing"]).map((chip) =>
        element("span", { class: "chip", text: chip }))))))];
}

function showRules() {
  const topics = (list) => ((state.topics && state.topics[list]) || []).map((rule) => [rule.topic, rule.capabilities]);
  return [
    ...namedList("Roles", state.roles.map((role) => [role.name, capabilityNames(role.capabilities)]),
      "There are no roles."),
    ...namedList("Groups", state.groups.map((group) => [group.name, capabilityNames(group.roles)]),
      "There are no groups."),
    ...namedList("Topics to publish on with a capability only", topics("write-protect"),
      "Everybody may publish on every topic."),
    ...namedList("Topics to receive with a capability only", topics("read-protect"),
      "Everybody may receive every topic."),
  ];
}

// ---- What is on the page ----

function show() {
  const all = requests();
  for (const node of document.querySelectorAll("[data-count]")) {
    const count = all.filter((request) => request.status === node.dataset.count).length;
    node.textContent = String(count);
    node.classList.toggle("some", node.dataset.count === "PENDING" && count > 0);
    if (node.dataset.count === "PENDING") document.title = count > 0 ? `(${count}) vipauth` : "vipauth";
  }
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const isChosen = tab.dataset.tab === state.tab;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
  }
  byId("list").setAttribute("aria-labelledby", `tab-${state.tab}`);

  // Nothing is built anew that has not changed: focus and what is selected stay.
  const shown = JSON.stringify([state.tab, byId("filter").value, state.csrs, state.credentials, state.roles,
    state.groups, state.topics, state.certificates, state.warnings]);
  if (shown !== state.shown) {
    state.shown = shown;
    const focused = document.activeElement && document.activeElement.dataset.focus;
    const content = { certificates: showCertificates, rules: showRules }[state.tab] || (() => showRequests(state.tab));
    byId("list").replaceChildren(...content());
    if (focused) focusAgain(focused);
  }
  refreshAges();
  byId("freshness").textContent = state.refreshed
    ? `As of ${state.refreshed.toLocaleTimeString()}. Refreshes by itself.` : "";
}

/** The button that had the focus before the list was built; where it is gone, the list. */
function focusAgain(focused) {
  for (const button of document.querySelectorAll("[data-focus]")) {
    if (button.dataset.focus === focused) return button.focus();
  }
  byId("list").focus();
}

async function refresh() {
  try {
    const [csrs, credentials] = await Promise.all([ask("GET", "/api/csrs"), ask("GET", "/api/credentials")]);
    state.csrs = csrs.csrs;
    state.credentials = credentials.credentials;
    const trouble = csrs.warnings.map(sentence).join(" ");
    if (state.tab === "certificates") {
      const answer = await ask("GET", "/api/certificates");
      state.certificates = answer.certificates;
      state.warnings = answer.warnings;
    }
    if (state.tab === "rules") {
      const [roles, groups, topics] = await Promise.all(
        [ask("GET", "/api/roles"), ask("GET", "/api/groups"), ask("GET", "/api/protected-topics")]);
      Object.assign(state, { roles: roles.roles, groups: groups.groups, topics });
    }
    state.refreshed = new Date();
    tellTrouble(trouble);
    show();
  } catch (problem) {
    if (problem instanceof Refusal && problem.status === 401) return showLogin("You have been logged out.");
    tellTrouble(problem instanceof Refusal ? sentence(problem.message)
      : "The server does not answer. What you see may be old; the page tries again by itself.");
  }
}

let pollTimer = 0;

function poll() {
  clearTimeout(pollTimer);
  if (document.hidden || byId("console").hidden) return;
  pollTimer = setTimeout(async () => {
    await refresh();
    poll();
  }, kPollMilliseconds);
}

function choose(tab) {
  state.tab = tab;
  show();
  refresh();
}

// ---- Deciding ----

let chosen = null;

function summarise(node, request) {
  node.replaceChildren(
    element("div", { class: "name", text: request.name }),
    element("p", { class: "hint", text:
      (request.kind === "csr" ? "Certificate" : "ZeroMQ key") + (request.address ? `, asked from ${request.address}` : "") }),
    print(request) || "");
}

function choices(fieldset, names) {
  const box = fieldset.querySelector(".choices");
  fieldset.hidden = names.length === 0;
  box.replaceChildren(...names.map((name) =>
    element("label", { class: "choice" }, element("input", { type: "checkbox", value: name }),
      element("span", { text: name }))));
}

const checked = (fieldset) =>
  Array.from(fieldset.querySelectorAll("input:checked"), (box) => box.value);

async function openApproval(request) {
  chosen = request;
  summarise(byId("approve-summary"), request);
  byId("approve-problem").textContent = "";
  byId("approve-title").textContent = request.kind === "csr" ? "Approve this certificate?" : "Approve this peer?";
  byId("approve-fields").hidden = request.kind === "csr";
  if (request.kind === "key") {
    byId("approve-user").value = request.name;
    byId("approve-identity").value = "";
    byId("approve-any").checked = false;
    byId("approve-address").textContent = request.address || "the one that it asked from";
    try {
      const [roles, groups] = await Promise.all([ask("GET", "/api/roles"), ask("GET", "/api/groups")]);
      choices(byId("approve-roles"), roles.roles.map((role) => role.name));
      choices(byId("approve-groups"), groups.groups.map((group) => group.name));
    } catch (problem) {
      choices(byId("approve-roles"), []);
      choices(byId("approve-groups"), []);
      byId("approve-problem").textContent = `The roles cannot be read. ${sentence(problem.message)}`;
    }
  }
  open(byId("approve-dialog"), byId(request.kind === "csr" ? "approve-confirm" : "approve-user"));
}

function approvalOf(request) {
  if (request.kind === "csr") return { key_fingerprint: request.print };
  const out = {};
  // A denied peer may also be a pattern of keys.
  if (request.printName === "CURVE" && /^[\w-]{43}$/.test(request.print)) out.credentials = request.print;
  const user = byId("approve-user").value.trim();
  const identity = byId("approve-identity").value.trim();
  const roles = checked(byId("approve-roles"));
  const groups = checked(byId("approve-groups"));
  if (user !== "" && user !== request.name) out.user_id = user;
  if (identity !== "") out.identity = identity;
  if (roles.length > 0) out.roles = roles;
  if (groups.length > 0) out.groups = groups;
  if (byId("approve-any").checked) out.any_address = true;
  return out;
}

let confirmed = null;

function openConfirmation(request, title, text, yes, act, done) {
  chosen = request;
  confirmed = { act, done };
  summarise(byId("confirm-summary"), request);
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = yes;
  byId("confirm-problem").textContent = "";
  open(byId("confirm-dialog"), byId("confirm-cancel"));
}

function openDenial(request) {
  const text = request.kind === "csr"
    ? (request.status === "APPROVED" ? "Its certificate is revoked for good, and it is disconnected." :
      "It is told that an administrator has denied it.")
    : "Its key is put on the deny list, wherever it connects from.";
  openConfirmation(request, "Deny this request?", text, "Deny",
    () => ask("POST", `${request.path}/deny`, {}), "denied");
}

function openDeletion(request) {
  const text = request.status === "APPROVED" && request.kind === "csr"
    ? "Its certificate is revoked for good. It may ask again." : "It is forgotten, and may ask again.";
  openConfirmation(request, "Delete this request?", text, "Delete",
    () => ask("DELETE", request.path), "deleted");
}

let openedBy = null;

function open(dialog, first) {
  openedBy = document.activeElement && document.activeElement.dataset.focus;
  dialog.showModal();
  first.focus();
}

async function decide(dialog, problem, act, done) {
  const request = chosen;
  const buttons = dialog.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    const answer = await act();
    dialog.close();
    tell(answer.broker_problem ? `${request.name} is ${done}. ${sentence(answer.broker_problem)}`
      : `${request.name} is ${done}.`);
    await refresh();
  } catch (refusal) {
    if (refusal instanceof Refusal && refusal.status === 401) {
      dialog.close();
      showLogin("You have been logged out.");
    } else {
      problem.textContent = refusal instanceof Refusal ? sentence(refusal.message) : "The server does not answer.";
    }
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

// ---- Logging in ----

function showLogin(text) {
  clearTimeout(pollTimer);
  Object.assign(state, { csrf: null, csrs: [], credentials: [], roles: [], groups: [], topics: null,
    certificates: [], warnings: [], shown: "", refreshed: null });
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  byId("list").replaceChildren();
  byId("console").hidden = true;
  byId("who").hidden = true;
  byId("login").hidden = false;
  byId("login-problem").textContent = text || "";
  byId("password").value = "";
  document.title = "Log in - vipauth";
  (byId("user").value === "" ? byId("user") : byId("password")).focus();
}

async function showConsole(session) {
  state.csrf = session.csrf_token || null;
  byId("user-name").textContent = session.username;
  byId("log-out").hidden = session.by === "certificate";
  byId("password").value = "";
  byId("login").hidden = true;
  byId("who").hidden = false;
  byId("console").hidden = false;
  show();
  await refresh();
  poll();
}

async function logIn(event) {
  event.preventDefault();
  byId("log-in").disabled = true;
  byId("login-problem").textContent = "";
  try {
    await showConsole(await ask("POST", "/api/login",
      { username: byId("user").value.trim(), password: byId("password").value }));
    byId(`tab-${state.tab}`).focus();
  } catch (problem) {
    byId("login-problem").textContent =
      problem instanceof Refusal ? sentence(problem.message) : "The server does not answer.";
    byId("password").value = "";
    byId("password").focus();
  } finally {
    byId("log-in").disabled = false;
  }
}

async function logOut() {
  try {
    await ask("POST", "/api/logout", {});
    showLogin("");
  } catch (problem) {
    if (problem instanceof Refusal && problem.status === 401) showLogin("");
    else tell("The server does not answer: you are still logged in.");
  }
}

// ---- The keyboard, and the start ----

function moveInTabs(event) {
  const tabs = Array.from(document.querySelectorAll("[role=tab]"));
  const at = tabs.indexOf(event.target);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  const tab = tabs[(to + tabs.length) % tabs.length];
  choose(tab.dataset.tab);
  tab.focus();
  tab.scrollIntoView({ block: "nearest", inline: "nearest" });
}

async function start() {
  byId("login-form").addEventListener("submit", logIn);
  byId("log-out").addEventListener("click", logOut);
  byId("filter").addEventListener("input", show);
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.addEventListener("click", () => choose(tab.dataset.tab));
    tab.addEventListener("keydown", moveInTabs);
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("close", () => { if (openedBy) focusAgain(openedBy); });
    for (const button of dialog.querySelectorAll("[data-close]")) {
      button.addEventListener("click", () => dialog.close());
    }
  }
  byId("approve-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const request = chosen;
    decide(byId("approve-dialog"), byId("approve-problem"),
      () => ask("POST", `${request.path}/approve`, approvalOf(request)), "approved");
  });
  byId("confirm-form").addEventListener("submit", (event) => {
    event.preventDefault();
    decide(byId("confirm-dialog"), byId("confirm-problem"), confirmed.act, confirmed.done);
  });
  document.addEventListener("visibilitychange", async () => {
    if (!document.hidden && !byId("console").hidden) await refresh();
    poll();
  });

  try {
    const discovery = await ask("GET", "/discovery/");
    byId("instance").textContent = discovery["instance-name"] || "";
  } catch {
    byId("instance").textContent = "";
  }
  try {
    await showConsole(await ask("GET", "/api/session"));
  } catch {
    showLogin("");
  }
}

start();
