// What the program was started with, and what each setting means.

import { get } from "../api.js";
import { el, table } from "../dom.js";

export const title = "Settings";

export async function open({ place, signal }) {
  const sections = await get("/api/settings", signal);
  const input = el("input", { type: "search", "aria-label": "Find a setting", placeholder: "Find a setting" });
  const body = el("div", {});
  const hint = "Settings are read when the program starts: from its command line, the environment and the file .env.";
  place.append(el("h1", {}, title), el("p", { class: "quiet" }, hint), el("div", { class: "search" }, input), body);
  const fill = () => {
    const wanted = input.value.trim().toLowerCase();
    const fits = (one) => `${one.name} ${one.flag ?? ""} ${one.help}`.toLowerCase().includes(wanted);
    const parts = sections.map(({ section, settings }) => ({ section, settings: settings.filter(fits) }));
    body.replaceChildren(...parts.filter(({ settings }) => settings.length).map(part));
    if (!body.children.length) body.append(el("p", { class: "quiet" }, "No setting has this in its name or meaning."));
  };
  input.addEventListener("input", fill);
  fill();
}

function part({ section, settings }) {
  return el("section", {}, el("h2", {}, section), table(section, ["Setting", "Value", "Default", "Meaning"], settings.map(row)));
}

function row(one) {
  const text = (value) => (value === null || value === "" ? "–" : String(value));
  const flag = one.flag && el("small", {}, one.flag);
  const value = el("td", {}, el("code", {}, text(one.value)), one.given && el("small", { class: "given" }, " set"));
  return el("tr", {}, el("th", { scope: "row" }, el("code", {}, one.name), flag), value, el("td", {}, el("code", {}, text(one.default))), el("td", {}, one.help));
}
