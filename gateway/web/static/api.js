// Talking to the gateway: JSON, one Idempotency-Key per command, problem+json turned into words a person can use.

/** A command or question that failed. `title` and `detail` are for the person, `fields` says which input is meant. */
export class Problem extends Error {
  constructor({ title, detail = "", status = 0, type = "about:blank", code = "", errors = [], retryAfter_s = null }) {
    super(detail ? `${title} ${detail}` : title);
    Object.assign(this, { title, detail, status, type, code, retryAfter_s });
    this.fields = Object.fromEntries(errors.filter((each) => each.field).map((each) => [each.field, each.message]));
  }
}

const PLAIN = {
  0: "We can't reach the resort just now. Your change was not sent; please try again.",
  401: "Please sign in again.",
  403: "You are not allowed to do that.",
  404: "That is no longer here.",
  409: "That was changed meanwhile. Please look again.",
  413: "That file is too large.",
  429: "Many people are asking at once. Please try again in a moment.",
};

/** A new id for one command. The same id goes with every retry of the same press of a button. */
export function commandId() {
  return crypto.randomUUID();
}

async function problemOf(answer) {
  let body = {};
  try {
    if (answer.headers.get("Content-Type")?.includes("json")) body = await answer.json();
  } catch {
    body = {}; // a proxy's broken body: the status alone must do
  }
  const retryAfter_s = Number(answer.headers.get("Retry-After")) || null;
  if (body.detail) body = { ...body, title: body.detail, detail: "" }; // the title only names the HTTP status
  const title = body.title || PLAIN[answer.status] || "Something went wrong on our side. Please try again.";
  return new Problem({ ...body, title, status: answer.status, retryAfter_s });
}

/** Tell page and style whether the resort answers; the browser's own idea of "online" is only a hint. */
export function reachable(yes) {
  document.documentElement.classList.toggle("is-offline", !yes);
}

/**
 * Send one request and return its JSON (null for none). Throws Problem, status 0 when nothing answered.
 * @param {{method?: string, body?: object|FormData, key?: string, signal?: AbortSignal}} options
 */
export async function request(url, { method = "GET", body, key, signal } = {}) {
  const headers = { Accept: "application/json, application/problem+json" };
  if (key) headers["Idempotency-Key"] = key;
  const token = document.body.dataset.csrf;
  if (token && method !== "GET") headers["X-CSRF-Token"] = token;
  const plain = body !== undefined && !(body instanceof FormData);
  if (plain) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(url, {
      method, headers, signal, credentials: "same-origin", body: plain ? JSON.stringify(body) : body,
    });
  } catch (cause) {
    if (cause.name === "AbortError") throw cause;
    reachable(false);
    throw new Problem({ title: PLAIN[0] });
  }
  reachable(true);
  if (!answer.ok) throw await problemOf(answer);
  if (answer.status === 204 || !answer.headers.get("Content-Type")?.includes("json")) return null;
  return answer.json();
}

export const get = (url, options = {}) => request(url, options);
export const command = (url, body, key = commandId()) => request(url, { method: "POST", body, key });

/** Say something in passing; screen readers hear it politely. */
export function toast(text, { stays_ms = 6000 } = {}) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const note = document.createElement("p");
  note.className = "toast";
  note.textContent = text;
  place.append(note);
  setTimeout(() => note.remove(), stays_ms);
}

addEventListener("offline", () => reachable(false));
addEventListener("online", () => reachable(true));
if (navigator.onLine === false) reachable(false);
