// Who was seen where and when: filtered, exported, explained, and new ones without a reload.

import { address, get } from "../api.js";
import { arrivals } from "../arrivals.js";
import { el, empty, field } from "../dom.js";
import { EventRows } from "../event_rows.js";
import { complain } from "../notice.js";

export const title = "Events";
const PORTION = 50;
const STATES = [["", "any"], ["known", "known"], ["unknown", "unknown"], ["undecided", "not decided"]];

export async function open({ place, signal, query }) {
  const form = filter(query, await names(signal));
  const list = el("ol", { class: "events", "aria-label": title });
  const none = empty("No events", "Nothing was seen that fits these filters.");
  const more = el("button", { type: "button" }, "Show older ones");
  const exports = el("div", { class: "actions" });
  place.append(el("div", { class: "page-head" }, el("h1", {}, title), exports), form, none, list, more);
  const rows = new EventRows(list);
  let next = null;
  const load = async (after) => {
    const found = await get(address(["events"], { ...wanted(form), limit: PORTION, after }), signal);
    if (!after) rows.clear();
    for (const event of found.events) rows.addOlder(event);
    next = found.next;
    more.hidden = !next;
    none.hidden = !rows.empty;
    exports.replaceChildren(...["csv", "jsonl"].map((format) => exported(form, format)));
  };
  form.addEventListener("change", () => load().catch(complain));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load().catch(complain);
  });
  more.addEventListener("click", () => load(next).catch(complain));
  const newest = (await get(address(["events"], { limit: 1 }), signal)).events[0]?.id ?? 0;
  await load();
  arrivals(signal, newest, (event) => {
    if (!fits(event, wanted(form))) return;
    const dropped = rows.addNewest(event);
    if (dropped !== null) next = dropped + 1;
    more.hidden = next === null;
    none.hidden = true;
  });
}

async function names(signal) {
  const [people, cameras] = await Promise.all([get("/api/people", signal), get("/api/cameras", signal)]);
  return { people: people.map((one) => one.name), cameras: cameras.map((one) => one.name) };
}

function filter(query, { people, cameras }) {
  const choice = (name, choices) => {
    const options = choices.map(([value, text]) => el("option", { value, selected: query.get(name) === value }, text));
    return el("select", { name }, options);
  };
  const both = (names) => [["", "any"], ...names.map((name) => [name, name])];
  const given = query.get("person");
  const everybody = given && !people.includes(given) ? [given, ...people] : people;
  return el(
    "form", { class: "filter", "aria-label": "Filters" },
    field("Person", choice("person", both(everybody))),
    field("Camera", choice("camera", both(cameras))),
    field("State", choice("state", STATES)),
    field("From", el("input", { type: "datetime-local", name: "since" })),
    field("Until", el("input", { type: "datetime-local", name: "until" })),
    el("button", { type: "reset", onclick: (event) => setTimeout(() => event.target.form.requestSubmit()) }, "All"),
  );
}

// Times are asked for in UTC, as events tell them.
function wanted(form) {
  const given = Object.fromEntries(new FormData(form));
  const utc = (text) => (text ? new Date(text).toISOString() : "");
  return { ...given, since: utc(given.since), until: utc(given.until) };
}

function fits(event, { person, camera, state, since, until }) {
  const at = (text) => new Date(text).getTime();
  return (
    (!person || event.name === person) &&
    (!camera || event.camera === camera) &&
    (!state || event.state === state) &&
    (!since || at(event.t) >= at(since)) &&
    (!until || at(event.t) < at(until))
  );
}

function exported(form, format) {
  const text = format === "csv" ? "Export CSV" : "Export JSONL";
  return el("a", { class: "button", download: `events.${format}`, href: address(["events", "export"], { ...wanted(form), format }) }, text);
}
