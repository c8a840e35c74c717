// New events as they happen. While the tab is hidden nobody listens; what was missed is asked for afterwards.

import { pause, shown, whileShown } from "./repeat.js";

const AGAIN_S = 5;

// last  the id of the newest event that there was; null: not known
export async function arrivals(signal, last, heard) {
  let newest = last;
  while (!signal.aborted) {
    await shown(signal);
    await listen(whileShown(signal), newest, (event) => {
      newest = event.id;
      if (event.type === "identity") heard(event);
    });
  }
}

// After a break the browser's EventSource asks again by itself, from the last event that it heard.
function listen(signal, after, heard) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const source = new EventSource(`/api/events/stream${after === null ? "" : `?after=${after}`}`);
    source.addEventListener("message", (message) => heard(JSON.parse(message.data)));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) resolve(pause(AGAIN_S, signal)); // refused: it does not ask again
    });
    signal.addEventListener("abort", () => resolve(source.close()), { once: true });
  });
}
