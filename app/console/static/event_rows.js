// A face that stays before a camera is told again and again; it is one row, from when to when it was seen.

import { el } from "./dom.js";
import { showWhy } from "./why.js";
import { exactly, fixed, when, whoIs } from "./words.js";

const STAYS_MS = 60_000;
const MOST_ROWS = 500;

export class EventRows {
  #rows = [];

  // list  the element that shows them, newest first
  constructor(list) {
    this.list = list;
  }

  clear() {
    this.#rows = [];
    this.list.replaceChildren();
  }

  get empty() {
    return !this.#rows.length;
  }

  // A page may be open for weeks: the oldest row goes when there are too many. Returns the id of its newest event then.
  addNewest(event) {
    const at_ms = Date.parse(event.t);
    const row = this.#rows.find((one) => one.key === keyOf(event) && Math.abs(at_ms - one.to_ms) < STAYS_MS);
    if (row) Object.assign(row, { event, to_ms: at_ms });
    const newest = row ?? { key: keyOf(event), event, from_ms: at_ms, to_ms: at_ms, element: el("li") };
    this.#rows = [newest, ...this.#rows.filter((one) => one !== row)];
    fill(newest);
    this.list.prepend(newest.element);
    return this.#rows.length > MOST_ROWS ? this.#drop() : null;
  }

  addOlder(event) {
    const at_ms = Date.parse(event.t);
    const row = this.#rows.find((one) => one.key === keyOf(event) && Math.abs(one.from_ms - at_ms) < STAYS_MS);
    if (row) row.from_ms = Math.min(row.from_ms, at_ms);
    const older = row ?? { key: keyOf(event), event, from_ms: at_ms, to_ms: at_ms, element: el("li") };
    fill(older);
    if (row) return;
    this.#rows.push(older);
    this.list.append(older.element);
  }

  #drop() {
    const row = this.#rows.pop();
    row.element.remove();
    return row.event.id;
  }
}

function keyOf(event) {
  return JSON.stringify([event.camera, event.track, event.state, event.name]);
}

function fill({ element, event, from_ms, to_ms }) {
  const crop = event.crop
    ? el("img", { src: `/api/events/${encodeURIComponent(event.id)}/crop`, alt: "", loading: "lazy", width: 56, height: 56 })
    : el("span", { class: "nocrop" });
  const who = el("strong", {}, whoIs(event));
  const facts = el("small", {}, `score ${fixed(event.score)}, quality ${fixed(event.quality)}`);
  const from = new Date(from_ms).toISOString();
  const stayed = to_ms - from_ms >= 1000 && ` – ${when(event.t)}`;
  const time = el("time", { datetime: from, title: exactly(from) }, when(from), stayed || "");
  const why = el("button", { type: "button", "aria-label": `Why ${whoIs(event)}, ${when(event.t)}?`, onclick: () => showWhy(event) }, "Why?");
  element.className = event.state;
  element.dataset.event = event.id;
  const focused = element.contains(document.activeElement);
  element.replaceChildren(crop, el("span", { class: "who" }, who, facts), el("span", { class: "where" }, event.camera, time), why);
  if (focused) why.focus();
}
