// Questions in a dialog of the browser's own: it keeps the focus inside, closes with Escape and gives the focus back.

import { el, newId } from "./dom.js";
import { explained } from "./notice.js";

// Asks with a form. `act` does what is wished; when it fails, the dialog stays and says why.
// Returns what `act` returned, or null for a dialog that was closed.
export function ask({ title, content, action, act, dangerous = false, wide = false }) {
  const heading = el("h2", { id: newId("title") }, title);
  const trouble = el("div", { role: "alert" });
  const submit = el("button", { type: "submit", class: dangerous ? "danger" : "main" }, action);
  const cancel = el("button", { type: "button" }, "Cancel");
  const form = el("form", {}, heading, content, trouble, el("div", { class: "actions" }, cancel, submit));
  const dialog = el("dialog", { "aria-labelledby": heading.id, class: wide ? "wide" : null }, form);
  cancel.addEventListener("click", () => dialog.close());
  return new Promise((resolve) => {
    let result = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      submit.disabled = true;
      trouble.replaceChildren();
      try {
        result = (await act(form)) ?? true;
        dialog.close();
      } catch (problem) {
        trouble.replaceChildren(explained(problem));
      } finally {
        submit.disabled = false;
      }
    });
    open(dialog, () => resolve(result));
  });
}

export function show({ title, content, wide = false }) {
  const heading = el("h2", { id: newId("title") }, title);
  const close = el("button", { type: "button", class: "main" }, "Close");
  const dialog = el("dialog", { "aria-labelledby": heading.id, class: wide ? "wide" : null }, heading, content);
  dialog.append(el("div", { class: "actions" }, close));
  close.addEventListener("click", () => dialog.close());
  return new Promise((resolve) => open(dialog, resolve));
}

function open(dialog, closed) {
  document.body.append(dialog);
  const leave = () => dialog.close();
  window.addEventListener("hashchange", leave, { once: true });
  dialog.addEventListener("close", () => {
    window.removeEventListener("hashchange", leave);
    dialog.remove();
    closed();
  });
  dialog.showModal();
}
