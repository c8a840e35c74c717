// Short news at the edge of the page, read out by screen readers; problems stay until they are put away.

import { el } from "./dom.js";

const STAYS_S = 6;

export function tell(text) {
  const note = el("div", { class: "notice" }, text);
  document.getElementById("notices").append(note);
  setTimeout(() => note.remove(), STAYS_S * 1000);
}

export function complain(problem) {
  if (problem.name === "AbortError") return;
  const close = el("button", { type: "button", class: "plain", "aria-label": "Put this away" }, "×");
  const note = el("div", { class: "notice bad" }, explained(problem), close);
  close.addEventListener("click", () => note.remove());
  document.getElementById("notices").append(note);
}

export function explained(problem) {
  const lines = [el("strong", {}, problem.message)];
  if (problem.saw) lines.push(el("span", { class: "saw" }, problem.saw));
  if (problem.fix) lines.push(el("span", {}, `What to do: ${problem.fix}`));
  return el("div", { class: "problem" }, lines);
}
