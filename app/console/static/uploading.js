// Pictures are chosen, dropped or taken here, sent, and those that were refused are told with the reason.

import { send } from "./api.js";
import { ask, show } from "./dialog.js";
import { check, el, field } from "./dom.js";
import { nameInput } from "./naming.js";
import { webcam } from "./webcam.js";
import { count } from "./words.js";

const MOST_BYTES = 10 * 1024 * 1024;

class Chosen {
  files = [];
  element = el("ul", { class: "chosen", "aria-label": "Chosen pictures" });

  add(files) {
    for (const file of files) {
      this.files.push(file);
      const remove = el("button", { type: "button", class: "plain", "aria-label": `Leave out ${file.name}` }, "×");
      const row = el("li", {}, preview(file), el("span", { class: "name" }, file.name), remove);
      remove.addEventListener("click", () => {
        this.files = this.files.filter((one) => one !== file);
        row.remove();
      });
      this.element.append(row);
    }
  }
}

function preview(file) {
  const canvas = el("canvas", { width: 56, height: 56, "aria-hidden": "true" });
  createImageBitmap(file).then(
    (picture) => {
      const side = Math.min(picture.width, picture.height);
      const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2];
      canvas.getContext("2d").drawImage(picture, x, y, side, side, 0, 0, 56, 56);
    },
    () => canvas.classList.add("unreadable"), // the program says why when it is sent
  );
  return canvas;
}

// person  whose pictures they are; null: of somebody who has to be named; undefined: of strangers
export async function upload(title, person) {
  const chosen = new Chosen();
  const named = person === null ? await nameInput() : null;
  const picker = el("input", { type: "file", multiple: true, accept: "image/*" });
  picker.addEventListener("change", () => {
    chosen.add(picker.files);
    picker.value = "";
  });
  const [unlike, known] = [el("input", { type: "checkbox" }), el("input", { type: "checkbox" })];
  const more = el(
    "details", {}, el("summary", {}, "Pictures that would be refused"),
    check("Take pictures that are unlike the others of this person", unlike),
    check("Take pictures that are like somebody else", known),
  );
  const camera = cameraPart(chosen);
  const content = el(
    "div", { class: "uploading" },
    named && [field("Name", named.input), named.list],
    field("Pictures", picker, "One face in each; several looks and lights are best. You can also drop files here."),
    camera.element, chosen.element, person === undefined ? null : more,
  );
  droppable(content, (files) => chosen.add(files));
  const act = () => sent(chosen.files, person === null ? named.input.value.trim() : person, unlike.checked, known.checked);
  const report = await ask({ title, content, action: "Add the pictures", act, wide: true });
  camera.stop();
  if (report) await tellReport(report);
  return report;
}

async function sent(files, name, unlike, known) {
  if (!files.length) throw told("No picture was chosen.", "choose a file, drop one here or take one with the camera");
  const large = files.find((file) => file.size > MOST_BYTES);
  if (large) throw told("This picture is too large.", "choose one of at most 10 MB", large.name);
  const form = new FormData();
  for (const file of files) form.append("pictures", file, file.name);
  if (name === undefined) return send("POST", "/api/strangers", { form });
  form.append("name", name);
  form.append("even_if_unlike", unlike);
  form.append("even_if_known", known);
  return send("POST", "/api/people", { form });
}

function told(what, fix, saw = "") {
  return Object.assign(new Error(what), { saw, fix });
}

function cameraPart(chosen) {
  const element = el("div", {});
  let on = null;
  const button = el("button", { type: "button" }, "Take one with this camera");
  const trouble = el("p", { role: "alert" });
  button.addEventListener("click", async () => {
    trouble.textContent = "";
    on?.stop();
    try {
      on = await webcam((file) => chosen.add([file]));
      element.append(on.box);
    } catch (error) {
      trouble.textContent = `No camera can be used: ${error.message}`;
    }
  });
  element.append(button, trouble);
  return { element, stop: () => on?.stop() };
}

function droppable(element, dropped) {
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over-it");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over-it"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over-it");
    dropped(event.dataTransfer.files);
  });
}

function tellReport({ kept, known, refused }) {
  const lines = [el("p", {}, `${count(kept, "picture")} added${known ? `, ${known} known before` : ""}.`)];
  if (refused.length) {
    const rows = refused.map(({ file, why }) => el("li", {}, el("strong", {}, file), `: ${why}`));
    lines.push(el("p", {}, `${count(refused.length, "picture was", "pictures were")} refused:`), el("ul", {}, rows));
  }
  return show({ title: refused.length ? "Some pictures were refused" : "Pictures added", content: el("div", {}, lines) });
}
