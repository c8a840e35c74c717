// Every request to the program goes through here: errors become sentences, changes carry the token of the session.

export class Problem extends Error {
  constructor(status, told) {
    super(told.what);
    this.status = status;
    this.saw = told.saw ?? "";
    this.fix = told.fix ?? "";
  }
}

const listeners = { away: () => {}, loginNeeded: () => {} };
let csrf = null;

export function onAway(listener) {
  listeners.away = listener;
}

export function onLoginNeeded(listener) {
  listeners.loginNeeded = listener;
}

export function useToken(token) {
  csrf = token;
}

export async function request(method, path, { json, form, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = json === undefined ? form : JSON.stringify(json);
  const response = await fetch(path, { method, headers, body, signal, credentials: "same-origin" }).catch(unreachable);
  listeners.away(false);
  if (response.ok) return response;
  const problem = new Problem(response.status, await told(response));
  if (response.status === 401 && path !== "/api/login") listeners.loginNeeded();
  throw problem;
}

function unreachable(error) {
  if (error.name === "AbortError") throw error;
  listeners.away(true);
  throw new Problem(0, {
    what: "The program does not answer.",
    saw: "no connection",
    fix: "see whether it still runs; this page goes on by itself when it is back",
  });
}

async function told(response) {
  const answer = await response.json().catch(() => null);
  if (answer && typeof answer.what === "string") return answer;
  return { what: "The program could not do this.", saw: `HTTP ${response.status}`, fix: "see what its log says" };
}

export async function get(path, signal) {
  return (await request("GET", path, { signal })).json();
}

export async function send(method, path, { json, form } = {}) {
  const response = await request(method, path, { json, form });
  return response.status === 204 ? null : response.json();
}

// Of a path's parts, each made safe, and of what is asked for, without what is empty.
export function address(parts, query = {}) {
  const wanted = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const asked = wanted.length ? `?${new URLSearchParams(wanted)}` : "";
  return `/api/${parts.map((part) => encodeURIComponent(part)).join("/")}${asked}`;
}
