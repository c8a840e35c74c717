// Work that is done again and again while a page is open; a hidden tab does nothing and holds no connection.

export function shown(signal) {
  return new Promise((resolve) => {
    if (!document.hidden || signal.aborted) return resolve();
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look, { once: true });
  });
}

export function pause(seconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    signal.addEventListener("abort", end);
  });
}

export async function every(seconds, signal, work) {
  while (!signal.aborted) {
    await shown(signal);
    if (signal.aborted) return;
    await work();
    await pause(seconds, signal);
  }
}

// Aborted with the page, and also when its tab is hidden.
export function whileShown(signal) {
  const controller = new AbortController();
  const end = () => {
    if (!signal.aborted && !document.hidden) return;
    document.removeEventListener("visibilitychange", end);
    controller.abort();
  };
  document.addEventListener("visibilitychange", end);
  signal.addEventListener("abort", end, { once: true });
  end();
  return controller.signal;
}
