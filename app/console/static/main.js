// Which page is shown: the part of the address behind #. A page is left by its signal, which ends all that it began.

import { get, onAway, onLoginNeeded, send, useToken } from "./api.js";
import { el } from "./dom.js";
import { complain, explained } from "./notice.js";
import * as events from "./pages/events.js";
import * as health from "./pages/health.js";
import * as latency from "./pages/latency.js";
import * as live from "./pages/live.js";
import * as login from "./pages/login.js";
import * as people from "./pages/people.js";
import * as person from "./pages/person.js";
import * as settings from "./pages/settings.js";
import * as unknowns from "./pages/unknowns.js";

const PAGES = { live, people, unknowns, events, latency, settings, health };
const main = document.getElementById("main");
const nav = document.getElementById("nav");
let leaving = new AbortController();
let session = { login_needed: false, role: null, csrf: null };

function wanted() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  return { name: name || "live", rest, query: new URLSearchParams(query) };
}

async function route() {
  const { name, rest, query } = wanted();
  const page = !session.role ? login : name === "people" && rest[0] ? person : (PAGES[name] ?? live);
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  mark(name);
  const place = el("div", { class: "page" });
  main.replaceChildren(place);
  document.title = `${page.title} · Facewire`;
  try {
    const mayChange = session.role === "admin";
    await page.open({ place, signal, rest, query, mayChange, signedIn, again: route });
  } catch (problem) {
    if (signal.aborted || problem.name === "AbortError") return;
    if (problem.status === undefined) throw problem;
    fail(place, page, problem);
  }
}

function fail(place, page, problem) {
  const again = el("button", { type: "button", class: "main", onclick: route }, "Try again");
  place.replaceChildren(el("h1", {}, page.title), el("div", { class: "failed", role: "alert" }, explained(problem), again));
}

function mark(name) {
  nav.hidden = !session.role;
  for (const link of nav.querySelectorAll("a")) {
    if (link.hash === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function signedIn(now) {
  session = now;
  useToken(session.csrf);
  const account = document.getElementById("account");
  account.replaceChildren();
  if (session.login_needed && session.role) {
    const leave = el("button", { type: "button", onclick: signOut }, "Sign out");
    account.append(el("span", { class: "quiet" }, `Signed in as ${session.role}`), leave);
  }
  route();
}

async function signOut() {
  try {
    await send("POST", "/api/logout");
    signedIn(await get("/api/session"));
  } catch (problem) {
    complain(problem);
  }
}

async function begin(pause_s = 1) {
  try {
    signedIn(await get("/api/session"));
  } catch (problem) {
    main.replaceChildren(el("div", { class: "failed", role: "alert" }, explained(problem)));
    setTimeout(begin, pause_s * 1000, Math.min(2 * pause_s, 16));
  }
}

onAway((away) => (document.getElementById("away").hidden = !away));
onLoginNeeded(() => session.role && signedIn({ login_needed: true, role: null, csrf: null }));
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part behind # is the page's name
  main.focus();
});
window.addEventListener("hashchange", () => {
  route();
  main.focus();
  window.scrollTo(0, 0);
});
begin();
