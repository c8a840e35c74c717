// How times, numbers and states are told to people.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const MINUTE = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export function exactly(iso) {
  const moment = new Date(iso);
  return Number.isNaN(moment.getTime()) ? String(iso) : `${YEAR.format(moment)}, ${CLOCK.format(moment)}`;
}

// The further away, the less exact.
export function when(iso) {
  const [moment, now] = [new Date(iso), new Date()];
  if (Number.isNaN(moment.getTime())) return String(iso);
  if (moment.toDateString() === now.toDateString()) return CLOCK.format(moment);
  const day = moment.getFullYear() === now.getFullYear() ? DAY : YEAR;
  return `${day.format(moment)}, ${MINUTE.format(moment)}`;
}

export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

export function ms(value) {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

export function fixed(value, digits = 2) {
  return Number(value ?? 0).toFixed(digits);
}

export function whoIs(face) {
  if (face.state === "known") return face.name;
  return face.state === "unknown" ? "Unknown" : "Not decided yet";
}

export function cameraState(camera) {
  const age_s = camera.age_s ?? 0;
  if (camera.state === "stale") return `stale for ${Math.round(age_s)} s`;
  return camera.state;
}
