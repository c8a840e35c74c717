// Elements are made here and never from text, so that no name and no reason can become markup.

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

// A table that may be wider than the page can be scrolled with the keyboard, too.
export function table(label, headings, rows) {
  const head = headings.map((heading) => el("th", { scope: "col" }, heading));
  return el(
    "div",
    { class: "scroller", tabindex: "0", role: "region", "aria-label": label },
    el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)),
  );
}

// What is shown anew stays scrolled as it was.
export function renew(body, ...children) {
  const before = [...body.querySelectorAll(".scroller")].map((one) => one.scrollLeft);
  body.replaceChildren(...children);
  [...body.querySelectorAll(".scroller")].forEach((one, place) => (one.scrollLeft = before[place] ?? 0));
}

let last = 0;

export function newId(word) {
  last += 1;
  return `${word}-${last}`;
}

// A field with its label, and with a hint that screen readers read along with it.
export function field(label, input, hint = null) {
  input.id ||= newId("field");
  const about = hint && el("small", { id: newId("hint") }, hint);
  if (about) input.setAttribute("aria-describedby", about.id);
  return el("div", { class: "field" }, el("label", { for: input.id }, label), input, about);
}

export function check(label, input) {
  input.id ||= newId("field");
  return el("div", { class: "check" }, input, el("label", { for: input.id }, label));
}

export function empty(title, text, action = null) {
  return el("div", { class: "empty" }, el("h2", {}, title), el("p", {}, text), action);
}
