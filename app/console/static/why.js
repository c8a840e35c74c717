// Why a face has its name: what was needed, what was found, and the looks that it rests on.

import { show } from "./dialog.js";
import { el, table } from "./dom.js";
import { count, exactly, fixed, whoIs } from "./words.js";

export function showWhy(event) {
  const crop = event.crop && el("img", { src: `/api/events/${encodeURIComponent(event.id)}/crop`, alt: "", class: "cut", width: 160, height: 160 });
  const facts = el("p", {}, `Camera ${event.camera}, frame ${event.frame}, ${exactly(event.t)}.`);
  const content = el("div", { class: "naming" }, crop, el("div", {}, facts, event.why ? evidence(event, event.why) : noEvidence()));
  return show({ title: `Why “${whoIs(event)}”?`, content, wide: true });
}

function noEvidence() {
  return el("p", {}, "No evidence is kept with this event: it repeats a name that was told before, or no look was good enough yet.");
}

function evidence(event, why) {
  const runnerUp = why.runner_up ? `The runner-up is ${why.runner_up}.` : "There is no runner-up with a name.";
  const figures =
    `${count(event.votes, "vote")}; mean score ${fixed(event.score)}, ${fixed(event.margin)} ahead of the second. ` +
    `A name needs ${fixed(why.threshold)}, and ${fixed(why.margin)} more than the second. ${runnerUp}`;
  const rows = why.shots.map((shot) => {
    const near = shot.nearest.map(([name, score]) => `${name ?? "a stranger"} ${fixed(score)}`).join(", ");
    return el("tr", {}, [shot.frame, fixed(shot.quality), near || "nobody to compare with"].map((text) => el("td", {}, String(text))));
  });
  const stranger = why.stranger && el("p", {}, "It is most like somebody among the negative examples, who are given no name.");
  return [el("p", {}, figures), stranger, table("The clearest looks", ["Frame", "Quality", "Most like"], rows)];
}
