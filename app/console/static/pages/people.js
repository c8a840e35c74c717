// Everybody who has a name, with the best picture of each.

import { address, get } from "../api.js";
import { el, empty } from "../dom.js";
import { upload } from "../uploading.js";
import { count, when } from "../words.js";

export const title = "People";

export async function open({ place, signal, mayChange, again }) {
  const [people, strangers] = await Promise.all([
    get("/api/people", signal),
    get("/api/strangers", signal).catch(() => ({ pictures: 0 })),
  ]);
  const head = el("div", { class: "page-head" }, el("h1", {}, title));
  const list = el("ul", { class: "cards", "aria-label": "People" });
  const found = el("p", { class: "quiet", role: "status" });
  place.append(head);
  if (mayChange) head.append(button("Add a person", () => added(null, again)));
  if (people.length) place.append(search(people, list, found), found, list);
  else place.append(nobody(mayChange));
  place.append(negative(strangers.pictures, mayChange && (() => added(undefined, again))));
  fill(list, people, found);
}

async function added(person, again) {
  const report = await upload(person === null ? "Add a person" : "Add negative examples", person);
  if (!report) return;
  if (report.person && report.kept) location.hash = `#/people/${encodeURIComponent(report.person.id)}`;
  else again();
}

function button(text, onclick) {
  return el("button", { type: "button", class: "main", onclick }, text);
}

function nobody(mayChange) {
  const how = mayChange ? "Add somebody with photographs, or click an unknown face on the live page." : "An admin can add people.";
  return empty("Nobody has a name yet", how, el("a", { class: "button", href: "#/unknowns" }, "Unknown faces"));
}

function search(people, list, found) {
  const input = el("input", { type: "search", "aria-label": "Find a person", placeholder: "Find a person" });
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLocaleLowerCase();
    fill(list, people.filter((one) => one.name.toLocaleLowerCase().includes(wanted)), found);
  });
  return el("div", { class: "search" }, input);
}

function fill(list, people, found) {
  found.textContent = count(people.length, "person", "people");
  list.replaceChildren(...people.map(card));
}

function card(person) {
  const letter = el("span", { class: "nopicture", "aria-hidden": "true" }, person.name.slice(0, 1).toLocaleUpperCase());
  const src = address(["people", person.id, "picture"]);
  const face = el("img", { src, alt: "", loading: "lazy", width: 160, height: 160, onerror: () => face.replaceWith(letter) });
  const about = el("small", {}, `${count(person.pictures, "picture")}, since ${when(person.since)}`);
  const link = el("a", { href: `#/people/${encodeURIComponent(person.id)}` }, face, el("strong", {}, person.name), about);
  return el("li", { class: "card" }, link);
}

function negative(pictures, addMore) {
  const text = `Pictures of people who must never get a name: ${pictures}. Whoever looks like one of them stays unnamed.`;
  const add = addMore && el("button", { type: "button", onclick: addMore }, "Add negative examples");
  return el("section", { class: "panel" }, el("h2", {}, "Negative examples"), el("p", {}, text), add);
}
