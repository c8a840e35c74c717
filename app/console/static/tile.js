// One camera on the live page: its newest picture, a button on each face, and how the camera is.

import { address } from "./api.js";
import { el } from "./dom.js";
import { cameraState, fixed, whoIs } from "./words.js";

const SILENT_MS = 3000;

export class Tile {
  #canvas = el("canvas", { width: 16, height: 9, role: "img" });
  #faces = el("div", { class: "faces" });
  #state = el("span", { class: "state" });
  #rate = el("span", { class: "quiet" });
  #over = el("div", { class: "over" }, "No picture yet");
  #buttons = new Map();
  #next = null;
  #busy = false;
  #heard_ms = 0;
  #drawn = false;
  #live = false;

  // chosen(face, picture): somebody clicked a face
  constructor(name, chosen) {
    this.name = name;
    this.chosen = chosen;
    this.#canvas.setAttribute("aria-label", `Picture of camera ${name}`);
    const stage = el("div", { class: "stage" }, this.#canvas, this.#faces, this.#over);
    const shot = { href: address(["cameras", name, "snapshot"]), download: `${name}.jpg`, class: "button" };
    const full = el("button", { type: "button", onclick: () => this.#fullScreen() }, "Full screen");
    const tools = el("span", { class: "tools" }, el("a", shot, "Snapshot"), full);
    const caption = el("figcaption", {}, el("strong", {}, name), this.#state, this.#rate, tools);
    this.element = el("figure", { class: "tile" }, stage, caption);
  }

  // The newest frame wins: while one is being drawn, only the last of those that came is kept.
  frame(about, jpeg) {
    this.#next = { about, jpeg };
    this.#heard_ms = performance.now();
    if (!this.#busy) this.#draw();
  }

  // What the program says of the camera, or null when the program itself is silent. A picture that does not move is
  // never called live, whoever is at fault.
  is(camera) {
    const silent_ms = performance.now() - this.#heard_ms;
    const stuck = this.#heard_ms > 0 && silent_ms > SILENT_MS;
    const told = camera?.state === "live" && stuck ? { state: "stale", age_s: silent_ms / 1000 } : camera;
    const text = told ? cameraState(told) : "no answer";
    const live = text === "live";
    if (this.#state.textContent !== text) this.#state.textContent = text;
    this.#state.classList.toggle("good", live);
    this.element.classList.toggle("old", !live);
    this.#rate.textContent = live && camera.fps ? `${fixed(camera.fps, 1)} fps` : "";
    this.#over.textContent = live ? "No picture yet" : text;
    this.#live = live;
    this.#uncover();
  }

  #uncover() {
    this.#over.hidden = this.#live && this.#drawn;
  }

  async #draw() {
    this.#busy = true;
    while (this.#next) {
      const { about, jpeg } = this.#next;
      this.#next = null;
      const picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" })).catch(() => null);
      if (!picture) continue; // a broken picture; the next one comes at once
      this.#show(about, picture);
      picture.close();
    }
    this.#busy = false;
  }

  #show(about, picture) {
    if (this.#canvas.width !== picture.width || this.#canvas.height !== picture.height) {
      this.#canvas.width = picture.width;
      this.#canvas.height = picture.height;
    }
    this.#canvas.getContext("2d").drawImage(picture, 0, 0);
    this.#drawn = true;
    this.#uncover();
    const [width, height] = about.size ?? [picture.width, picture.height];
    const there = new Set();
    for (const face of about.faces ?? []) {
      there.add(face.track);
      this.#place(face, width, height);
    }
    for (const [track, button] of this.#buttons) {
      if (there.has(track)) continue;
      button.remove();
      this.#buttons.delete(track);
    }
  }

  #place(face, width, height) {
    const button = this.#buttons.get(face.track) ?? this.#newButton(face.track);
    const [left, top, right, bottom] = face.box;
    button.style.left = `${(100 * left) / width}%`;
    button.style.top = `${(100 * top) / height}%`;
    button.style.width = `${(100 * (right - left)) / width}%`;
    button.style.height = `${(100 * (bottom - top)) / height}%`;
    const text = whoIs(face);
    if (button.firstChild.textContent !== text) button.firstChild.textContent = text;
    button.className = `face ${face.state}${face.expected ? " expected" : ""}`;
    button.face = { ...face, camera: this.name, share: [left / width, top / height, right / width, bottom / height] };
  }

  #newButton(track) {
    const button = el("button", { type: "button", class: "face", "data-track": track }, el("span", {}));
    button.addEventListener("click", () => this.chosen(button.face, this.#cut(button.face.share)));
    this.#faces.append(button);
    this.#buttons.set(track, button);
    return button;
  }

  // The face as it is seen now, with a little around it, for the question who it is.
  #cut([left, top, right, bottom]) {
    const { width, height } = this.#canvas;
    const side = 1.4 * Math.max((right - left) * width, (bottom - top) * height, 1);
    const x = ((left + right) / 2) * width - side / 2;
    const y = ((top + bottom) / 2) * height - side / 2;
    const cut = el("canvas", { width: 160, height: 160, class: "cut", role: "img", "aria-label": "The face" });
    cut.getContext("2d").drawImage(this.#canvas, x, y, side, side, 0, 0, 160, 160);
    return cut;
  }

  #fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.element.requestFullscreen();
  }
}
