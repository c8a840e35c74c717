// "Who is this?": the one question that makes an unknown face a person, from wherever it is asked.

import { get, send } from "./api.js";
import { ask } from "./dialog.js";
import { el, field, newId } from "./dom.js";
import { count } from "./words.js";

// The names there are, offered while one is typed.
export async function nameInput(value = "") {
  const list = el("datalist", { id: newId("names") });
  const input = el("input", { name: "name", required: true, maxlength: 100, autocomplete: "off", list: list.id, value });
  const people = await get("/api/people").catch(() => []); // a name can be typed without them
  list.append(...people.map((person) => el("option", { value: person.name })));
  return { input, list };
}

export async function askName({ title, picture, text, act, value = "" }) {
  const { input, list } = await nameInput(value);
  const content = el("div", { class: "naming" }, picture, el("div", {}, text && el("p", {}, text), field("Name", input), list));
  const asked = ask({ title, content, action: "Save the name", act: () => act(input.value.trim()) });
  input.focus();
  input.select();
  return asked;
}

export function nameFace(face, picture) {
  const known = face.state === "known";
  return askName({
    title: known ? `Is this not ${face.name}?` : "Who is this?",
    picture,
    text: known
      ? "If the name is wrong, say who it is: this picture then belongs to that person."
      : "A name of the list adds this face to that person; another name makes a new person.",
    act: (name) => send("POST", "/api/faces/enrol", { json: { camera: face.camera, track: face.track, name } }),
  });
}

export function namePromoted(unknown, picture) {
  return askName({
    title: "Who is this?",
    picture,
    text: `${count(unknown.faces, "picture")} of this face and its past sightings get the name.`,
    act: (name) => send("POST", `/api/unknowns/${encodeURIComponent(unknown.id)}/promote`, { json: { name } }),
  });
}
