// What the cameras see now. A click on a face asks who it is.

import { get } from "../api.js";
import { arrivals } from "../arrivals.js";
import { el, empty } from "../dom.js";
import { nameFace } from "../naming.js";
import { tell } from "../notice.js";
import { every, pause, shown, whileShown } from "../repeat.js";
import { Broken, frames } from "../stream.js";
import { Tile } from "../tile.js";
import { when, whoIs } from "../words.js";

export const title = "Live";
const STATE_EVERY_S = 2;
const SEEN = 12;

export async function open({ place, signal, mayChange }) {
  const tiles = new Map();
  const grid = el("div", { class: "tiles" });
  const seen = el("ol", { class: "seen", "aria-label": "Just seen" });
  const aside = el("aside", {}, el("h2", {}, "Just seen"), seen, el("a", { href: "#/events" }, "All events"));
  place.append(el("h1", {}, title), el("div", { class: "live" }, grid, aside));
  const cameras = await get("/api/cameras", signal);
  for (const camera of cameras) {
    const tile = new Tile(camera.name, (face, picture) => chosen(face, picture, mayChange));
    tiles.set(camera.name, tile);
    grid.append(tile.element);
    tile.is(camera);
  }
  grid.classList.toggle("alone", tiles.size === 1);
  if (!tiles.size) grid.append(empty("No camera yet", "The program was started without a source that it can show."));
  every(STATE_EVERY_S, signal, () => states(tiles, signal));
  watch(tiles, signal);
  justSeen(seen, signal);
}

async function chosen(face, picture, mayChange) {
  if (!mayChange) return tell("Only an admin may give names.");
  const done = await nameFace(face, picture);
  if (done) tell(`Saved: this is ${done.person?.name ?? "known now"}.`);
}

async function states(tiles, signal) {
  const cameras = await get("/api/cameras", signal).catch(() => []);
  const byName = new Map(cameras.map((camera) => [camera.name, camera]));
  for (const [name, tile] of tiles) tile.is(byName.get(name) ?? null);
}

// Begins again, later and later up to ten seconds, when the program was away.
async function watch(tiles, signal) {
  let wait_s = 0.5;
  while (!signal.aborted) {
    await shown(signal);
    try {
      for await (const { about, jpeg } of frames("/api/live", whileShown(signal))) {
        tiles.get(about.camera)?.frame(about, jpeg);
        wait_s = 0.5;
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
    await pause(wait_s, signal);
    wait_s = Math.min(2 * wait_s, 10);
  }
}

async function justSeen(list, signal) {
  const add = (event) => {
    list.querySelector(".quiet")?.remove();
    list.querySelector(`[data-face="${CSS.escape(`${event.camera}/${event.track}`)}"]`)?.remove();
    list.prepend(one(event));
    while (list.children.length > SEEN) list.lastChild.remove();
  };
  const { events } = await get(`/api/events?limit=${SEEN}`, signal).catch(() => ({ events: null }));
  if (!events?.length) list.append(el("li", { class: "quiet" }, "Nobody yet"));
  for (const event of [...(events ?? [])].reverse()) add(event);
  await arrivals(signal, events && (events[0]?.id ?? 0), add);
}

function one(event) {
  const crop = event.crop && el("img", { src: `/api/events/${encodeURIComponent(event.id)}/crop`, alt: "", width: 44, height: 44 });
  const text = el("span", {}, el("strong", {}, whoIs(event)), el("br"), el("small", {}, `${event.camera}, ${when(event.t)}`));
  return el("li", { class: event.state, "data-face": `${event.camera}/${event.track}` }, crop || el("span", { class: "nocrop" }), text);
}
