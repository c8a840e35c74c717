// Whether all is well, and what is not.

import { el, renew, table } from "../dom.js";
import { every } from "../repeat.js";
import { cameraState, fixed } from "../words.js";

export const title = "Health";
const EVERY_S = 2;

export async function open({ place, signal }) {
  const verdict = el("p", { class: "verdict", role: "status" }, "Asking…");
  const body = el("div", {});
  place.append(el("h1", {}, title), verdict, body);
  await look(verdict, body, signal);
  every(EVERY_S, signal, () => look(verdict, body, signal));
}

// 503 is an answer here, not a failure.
async function look(verdict, body, signal) {
  const response = await fetch("/healthz", { signal }).catch(() => null);
  const health = response && (await response.json().catch(() => null));
  const well = health?.status === "ok";
  const text = !health ? "The program does not answer." : well ? "All is well." : "Something is wrong.";
  if (verdict.textContent !== text) verdict.textContent = text;
  verdict.classList.toggle("good", well);
  verdict.classList.toggle("bad", !well);
  if (!health || body.contains(document.activeElement)) return;
  renew(body, ...[problems(health.problems ?? []), stages(health.stages ?? []), cameras(health.cameras ?? []), outlets(health.outlets ?? [])].filter(Boolean));
}

function problems(list) {
  if (!list.length) return null;
  return el("section", { class: "panel bad" }, el("h2", {}, "What is wrong"), el("ul", {}, list.map((one) => el("li", {}, one))));
}

function cells(...texts) {
  const [first, ...rest] = texts;
  return el("tr", {}, el("th", { scope: "row" }, first), rest.map((text) => el("td", {}, String(text))));
}

function stages(list) {
  const rows = list.map((one) => cells(one.name, one.state, one.restarts));
  return el("section", {}, el("h2", {}, "Stages"), table("Stages", ["Stage", "State", "Restarts"], rows));
}

function cameras(list) {
  const rows = list.map((one) => cells(one.name, cameraState(one), one.age_s === null ? "–" : `${fixed(one.age_s, 1)} s`, one.source ?? ""));
  return el("section", {}, el("h2", {}, "Cameras"), table("Cameras", ["Camera", "State", "Age of the picture", "Source"], rows));
}

function outlets(list) {
  if (!list.length) return null;
  const rows = list.map((one) => cells(one.name, one.said || one.state, one.delivered, one.waiting, one.dropped));
  const headings = ["To", "State", "Delivered", "Waiting", "Given up"];
  return el("section", {}, el("h2", {}, "Events go to"), table("Where events go", headings, rows));
}
