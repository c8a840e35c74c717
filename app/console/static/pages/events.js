// Who was seen where and when: filtered, exported, explained, and new ones without a reload.

import { address, get } from "../api.js";
import { arrivals } from "../arrivals.js";
import { el, empty, field } from "../dom.js";
import { complain } from "../notice.js";
import { showWhy } from "../why.js";
import { exactly, fixed, when, whoIs } from "../words.js";

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
  let next = null;
  const load = async (after) => {
    const found = await get(address(["events"], { ...wanted(form), limit: PORTION, after }), signal);
    if (!after) list.replaceChildren();
    list.append(...found.events.map(row));
    next = found.next;
    more.hidden = !next;
    none.hidden = list.children.length > 0;
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
    if (!fits(event, wanted(form)) || list.querySelector(`[data-event="${CSS.escape(event.id)}"]`)) return;
    list.prepend(row(event));
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

function row(event) {
  const crop = event.crop
    ? el("img", { src: `/api/events/${encodeURIComponent(event.id)}/crop`, alt: "", loading: "lazy", width: 56, height: 56 })
    : el("span", { class: "nocrop" });
  const who = el("strong", {}, whoIs(event));
  const facts = el("small", {}, `score ${fixed(event.score)}, quality ${fixed(event.quality)}`);
  const time = el("time", { datetime: event.t, title: exactly(event.t) }, when(event.t));
  const why = el("button", { type: "button", "aria-label": `Why ${whoIs(event)}, ${when(event.t)}?`, onclick: () => showWhy(event) }, "Why?");
  return el(
    "li", { class: event.state, "data-event": event.id },
    crop, el("span", { class: "who" }, who, facts), el("span", { class: "where" }, event.camera, time), why,
  );
}
