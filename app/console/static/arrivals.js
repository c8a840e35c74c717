// New events as they happen; after a break the browser's EventSource asks again by itself.

export function arrivals(signal, heard) {
  if (signal.aborted) return;
  const source = new EventSource("/api/events/stream");
  source.addEventListener("message", (message) => heard(JSON.parse(message.data)));
  source.addEventListener("identity", (message) => heard(JSON.parse(message.data)));
  signal.addEventListener("abort", () => source.close(), { once: true });
}
