// Pictures and faces of all cameras come in one answer that never ends: parts of JPEG, each with a header that says
// whose frame it is and what was found in it. One connection, because browsers open six to a server at most.

const END_OF_HEAD = [13, 10, 13, 10];

export class Broken extends Error {}

export async function* frames(path, signal) {
  const response = await fetch(path, { signal, credentials: "same-origin" }).catch(broken);
  if (!response.ok) throw new Broken(`HTTP ${response.status}`);
  const reader = response.body.getReader();
  let waiting = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read().catch(broken);
    if (done) return;
    waiting = joined(waiting, value);
    for (let part = first(waiting); part; part = first(waiting)) {
      yield { about: part.about, jpeg: waiting.slice(part.begin, part.end) };
      waiting = waiting.subarray(part.end);
    }
  }
}

function broken(error) {
  throw new Broken(error.message);
}

function joined(before, after) {
  if (!before.length) return after;
  const both = new Uint8Array(before.length + after.length);
  both.set(before);
  both.set(after, before.length);
  return both;
}

function first(bytes) {
  const end = endOfHead(bytes);
  if (end < 0) return null;
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, end));
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
  if (!Number.isInteger(length)) throw new Broken("a part of the live stream does not say how long it is");
  const begin = end + END_OF_HEAD.length;
  if (bytes.length < begin + length) return null;
  const about = JSON.parse(/^x-frame: *(.+?)\r?$/im.exec(head)?.[1] ?? "{}");
  return { about, begin, end: begin + length };
}

function endOfHead(bytes) {
  for (let at = bytes.indexOf(13); at >= 0; at = bytes.indexOf(13, at + 1)) {
    if (END_OF_HEAD.every((value, place) => bytes[at + place] === value)) return at;
  }
  return -1;
}
