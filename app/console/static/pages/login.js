// Who may look: a password, asked for once in a session.

import { send } from "../api.js";
import { el, field } from "../dom.js";
import { explained } from "../notice.js";

export const title = "Sign in";

export function open({ place, signedIn }) {
  const password = el("input", { type: "password", name: "password", autocomplete: "current-password", required: true });
  const trouble = el("div", { role: "alert" });
  const button = el("button", { type: "submit", class: "main" }, "Sign in");
  const form = el("form", { class: "login" }, el("h1", {}, "Sign in"), field("Password", password), trouble, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    trouble.replaceChildren();
    try {
      signedIn(await send("POST", "/api/login", { json: { password: password.value } }));
    } catch (problem) {
      trouble.replaceChildren(explained(problem));
      password.select();
    } finally {
      button.disabled = false;
    }
  });
  place.append(form);
  password.focus();
}
