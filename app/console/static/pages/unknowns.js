// Faces that were seen and have no name: those that seem to be of one person are shown as one.

import { address, get, send } from "../api.js";
import { ask } from "../dialog.js";
import { el, empty } from "../dom.js";
import { namePromoted } from "../naming.js";
import { complain, tell } from "../notice.js";
import { count, when } from "../words.js";

export const title = "Unknown faces";

export async function open({ place, signal, mayChange }) {
  const reload = async () => {
    const unknowns = await get("/api/unknowns", signal);
    list.replaceChildren(...unknowns.map((one) => card(one, mayChange, reload)));
    none.hidden = unknowns.length > 0;
  };
  const list = el("ul", { class: "cards", "aria-label": title });
  const none = empty("No unknown faces", "Faces that nobody has a name for appear here as cameras see them.");
  const refresh = el("button", { type: "button", onclick: () => reload().catch(complain) }, "Look again");
  place.append(el("div", { class: "page-head" }, el("h1", {}, title), refresh), none, list);
  await reload();
}

function image(unknown, side) {
  if (!unknown.picture) return el("span", { class: "nopicture" }, "no cut-out");
  return el("img", { src: address(["unknowns", unknown.id, "picture"]), alt: "", loading: "lazy", width: side, height: side });
}

function card(unknown, mayChange, reload) {
  const where = unknown.cameras.length ? unknown.cameras.join(", ") : "no camera";
  const about = el(
    "small", {},
    `${count(unknown.faces, "picture")}, ${count(unknown.sightings, "sighting")}`, el("br"),
    where, el("br"),
    `${when(unknown.first)} – ${when(unknown.last)}`,
  );
  const name = `Unknown ${unknown.id}`;
  return el("li", { class: "card" }, image(unknown, 160), el("strong", {}, name), about, mayChange && buttons(unknown, reload));
}

function buttons(unknown, reload) {
  const button = (text, work, kind = null) =>
    el("button", { type: "button", class: kind, "aria-label": `${text}: ${unknown.id}`, onclick: () => work().catch(complain) }, text);
  const promote = async () => {
    const done = await namePromoted(unknown, image(unknown, 160));
    if (!done) return;
    tell(`This is ${done.person.name} now: ${count(done.pictures, "picture")}.`);
    await reload();
  };
  return el(
    "div", { class: "actions" },
    button("Give a name", promote, "main"),
    button("Never name", () => asStranger(unknown, reload)),
    button("Delete", () => erase(unknown, reload), "danger"),
  );
}

async function asStranger(unknown, reload) {
  const text = "The pictures become negative examples: whoever looks like this stays unnamed. Past sightings are erased.";
  const act = () => send("POST", address(["unknowns", unknown.id, "stranger"]));
  const done = await ask({ title: "Never give this face a name?", content: el("p", {}, text), action: "Never name", act });
  if (!done) return;
  tell("This face is given no name from now on.");
  await reload();
}

async function erase(unknown, reload) {
  const text = `These are erased for good: ${count(unknown.faces, "picture")} and ${count(unknown.sightings, "sighting")}.`;
  const act = () => send("DELETE", address(["unknowns", unknown.id]));
  const done = await ask({ title: "Erase this unknown face?", content: el("p", {}, text), action: "Erase", act, dangerous: true });
  if (!done) return;
  tell("The unknown face is erased.");
  await reload();
}
