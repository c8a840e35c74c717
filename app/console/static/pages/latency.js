// How long frames take, and where.

import { get, request } from "../api.js";
import { el, empty, renew, table } from "../dom.js";
import { complain } from "../notice.js";
import { every } from "../repeat.js";
import { legend, waterfall } from "../waterfall.js";
import { count, fixed, ms } from "../words.js";

export const title = "Latency";
const EVERY_S = 1;

export async function open({ place, signal, mayChange }) {
  const body = el("div", {});
  let held = false;
  const hold = el("button", { type: "button", "aria-pressed": "false" }, "Hold");
  hold.addEventListener("click", () => {
    held = !held;
    hold.setAttribute("aria-pressed", String(held));
  });
  const save = mayChange && el("button", { type: "button", onclick: () => saved(save) }, "Save a trace");
  const head = el("div", { class: "page-head" }, el("h1", {}, title), el("div", { class: "actions" }, hold, save));
  const hint = "Frames as they went through the stages. A trace opens in ui.perfetto.dev or chrome://tracing.";
  place.append(head, el("p", { class: "quiet" }, hint), body);
  render(body, await get("/api/latency", signal));
  every(EVERY_S, signal, async () => {
    const now = held ? null : await get("/api/latency", signal).catch(() => null);
    if (now && !held && !body.contains(document.activeElement)) render(body, now);
  });
}

async function saved(button) {
  button.disabled = true;
  try {
    const trace = await (await request("POST", "/api/trace")).blob();
    const link = el("a", { href: URL.createObjectURL(trace), download: "trace.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (problem) {
    complain(problem);
  } finally {
    button.disabled = false;
  }
}

function render(body, now) {
  const stages = now.stages.map((one) => one.stage);
  if (!now.frames) return body.replaceChildren(empty("No frame yet", "Figures come with the first frame that went all the way."));
  renew(
    body,
    facts(now),
    el("section", {}, el("h2", {}, "The last frames"), legend(stages), waterfall(now.recent, stages)),
    el("section", {}, el("h2", {}, "Stages"), stageTable(now)),
    el("section", {}, el("h2", {}, "Processes"), processTable(now.processes)),
  );
}

function facts(now) {
  const drops = Object.values(now.drops).reduce((sum, one) => sum + one, 0);
  const each = Object.entries(now.drops).filter(([, number]) => number).map(([camera, number]) => `${camera} ${number}`);
  const fact = (name, value, more = "") => el("div", {}, el("dt", {}, name), el("dd", {}, value, more && el("small", {}, ` ${more}`)));
  return el(
    "dl", { class: "facts" },
    fact("Frames per second", fixed(now.fps, 1)),
    fact("Capture to draw, p50", `${ms(now.total.p50)} ms`),
    fact("p95", `${ms(now.total.p95)} ms`),
    fact("p99", `${ms(now.total.p99)} ms`),
    fact("Frames", String(now.frames)),
    fact("Dropped", String(drops), each.join(", ")),
  );
}

function stageTable(now) {
  const cells = (figures) => [figures.p50, figures.p95, figures.p99].map((value) => el("td", { class: "number" }, ms(value)));
  const rows = now.stages.map((one) => el("tr", {}, el("th", { scope: "row" }, one.stage), cells(one.wait), cells(one.work)));
  rows.push(el("tr", { class: "total" }, el("th", { scope: "row" }, "all"), el("td"), el("td"), el("td"), cells(now.total)));
  return table("Milliseconds in each stage", ["Stage", "wait p50", "p95", "p99", "work p50", "p95", "p99"], rows);
}

function processTable(processes) {
  const figure = (value, unit) => (value === null ? "–" : `${fixed(value, 0)} ${unit}`); // some systems do not tell
  const rows = processes.map((one) => {
    const figures = [figure(one.cpu_percent, "%"), figure(one.memory_mb, "MB"), String(one.restarts)];
    const cells = figures.map((text) => el("td", { class: "number" }, text));
    return el("tr", {}, el("th", { scope: "row" }, one.name), cells, el("td", {}, one.state));
  });
  const headings = ["Process", "CPU", "Memory", "Restarts", "State"];
  return table(count(processes.length, "process", "processes"), headings, rows);
}
