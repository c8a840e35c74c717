// One person: all pictures, when it was seen before it had a name, and what can be done with it.

import { address, get, send } from "../api.js";
import { ask } from "../dialog.js";
import { el, field, table } from "../dom.js";
import { tell } from "../notice.js";
import { upload } from "../uploading.js";
import { count, fixed, when } from "../words.js";

export const title = "Person";

export async function open({ place, signal, rest, mayChange, again }) {
  const person = await get(address(["people", rest[0]]), signal);
  document.title = `${person.name} · Facewire`;
  const events = el("a", { class: "button", href: `#/events?${new URLSearchParams({ person: person.name })}` }, "Events");
  const actions = el("div", { class: "actions" }, events, mayChange && changes(person, again));
  place.append(
    el("p", {}, el("a", { href: "#/people" }, "← People")),
    el("div", { class: "page-head" }, el("h1", {}, person.name), actions),
    el("p", { class: "quiet" }, `${count(person.pictures, "picture")}, since ${when(person.since)}`),
    el("ul", { class: "cards small", "aria-label": "Pictures" }, person.kept.map((kept) => picture(person, kept, mayChange && again))),
  );
  if (person.sightings.length) place.append(sightings(person.sightings));
}

function changes(person, again) {
  const button = (text, onclick, kind = null) => el("button", { type: "button", class: kind, onclick }, text);
  return [
    button("Add pictures", async () => (await upload(`Add pictures of ${person.name}`, person.name)) && again()),
    button("Rename", () => rename(person, again)),
    button("Merge", () => merge(person, again)),
    button("Delete", () => erase(person), "danger"),
  ];
}

function picture(person, kept, again) {
  const text = `${kept.source || "no source"}, quality ${fixed(kept.quality)}, ${when(kept.enrolled)}`;
  const src = address(["people", person.id, "picture"], { picture: kept.id });
  const face = kept.cutout
    ? el("img", { src, alt: `${person.name}: ${text}`, loading: "lazy", width: 112, height: 112 })
    : el("span", { class: "nopicture" }, "no cut-out");
  const label = `Erase the picture ${kept.source || kept.id}`;
  const remove = again && el("button", { type: "button", "aria-label": label, onclick: () => erasePicture(person, kept, again) }, "Erase");
  return el("li", { class: "card" }, face, el("small", {}, text), remove);
}

function sightings(seen) {
  const rows = seen.map((one) => el("tr", {}, [when(one.first), when(one.last), one.camera].map((text) => el("td", {}, text))));
  const heading = "Seen before the name was known";
  return el("section", {}, el("h2", {}, heading), table(heading, ["From", "To", "Camera"], rows));
}

async function erasePicture(person, kept, again) {
  const last = person.kept.length === 1 && ` It is the last one: ${person.name} is forgotten with it.`;
  const content = el("p", {}, "This picture and what was learnt from it are erased for good.", last || "");
  const act = () => send("DELETE", address(["people", person.id, "pictures", kept.id]));
  if (!(await ask({ title: "Erase this picture?", content, action: "Erase", act, dangerous: true }))) return;
  if (last) location.hash = "#/people";
  else again();
}

async function rename(person, again) {
  const input = el("input", { name: "name", required: true, maxlength: 100, value: person.name, autocomplete: "off" });
  const hint = "Events that were written keep the old name.";
  const act = () => send("PATCH", address(["people", person.id]), { json: { name: input.value.trim() } });
  const renamed = await ask({ title: `Rename ${person.name}`, content: field("New name", input, hint), action: "Rename", act });
  if (!renamed) return;
  tell(`${person.name} is ${renamed.name} now.`);
  moved(person, renamed, again);
}

async function merge(person, again) {
  const others = (await get("/api/people")).filter((one) => one.id !== person.id);
  const select = el("select", { required: true }, others.map((one) => el("option", { value: one.id }, one.name)));
  const hint = `All pictures of ${person.name} become pictures of that person, and the name ${person.name} is gone.`;
  const act = () => send("POST", address(["people", person.id, "merge"]), { json: { into: select.value } });
  const merged = await ask({ title: `Merge ${person.name}`, content: field("Is the same person as", select, hint), action: "Merge", act });
  if (!merged) return;
  tell(`${person.name} is ${merged.name} now.`);
  moved(person, merged, again);
}

function moved(before, now, again) {
  if (now.id === before.id) again();
  else location.hash = `#/people/${encodeURIComponent(now.id)}`;
}

async function erase(person) {
  const what = await get(address(["people", person.id, "erasure"]));
  const parts = [count(what.pictures, "picture"), count(what.sightings, "sighting"), count(what.events, "event")];
  const text = `These are erased for good: ${parts.join(", ")}. Exports, backups and recordings are yours to erase.`;
  const act = () => send("DELETE", address(["people", person.id]));
  const erased = await ask({ title: `Forget ${person.name}?`, content: el("p", {}, text), action: "Erase", act, dangerous: true });
  if (!erased) return;
  tell(`${person.name} is forgotten.`);
  location.hash = "#/people";
}
