// The page of the pass: shows what this phone kept at once, brings it up to date where there is a network, and signs a
// new code every few seconds, with a network or without.
import { reachable } from "../api.js";
import { canSign, codeText } from "./device.js";
import { drawCode, runRing } from "./draw.js";
import { addPhone, isLost, prepare, renew } from "./gateway.js";
import { dropOthers, passes, passOf } from "./store.js";
import { WORDS, clockWords, untilWords } from "./words.js";

const RENEW_AFTER_MS = 10 * 60_000;
const TURN_MS = { least: 5000, most: 10_000 };

const place = document.getElementById("pass-live");
const part = (name) => place.querySelector(`[data-pass="${name}"]`);
const { token: token_id, zone } = place.dataset; // no token in the shell, which knows nobody
let { free } = place.dataset;
let record = null;
let timer = 0;
let renewing = false;

const now_ms = () => Date.now() + (record?.clock_off_ms ?? 0);

function say(name, text) {
  // A screen reader hears a status only when it changes.
  if (part(name).textContent !== text) part(name).textContent = text;
  part(name).hidden = !text;
}

function state(name, sentence = "") {
  place.dataset.state = name;
  say("status", sentence || WORDS[name]);
  const shown = name === "live" || name === "offline";
  part("code").hidden = part("ring").hidden = !shown;
  if (!shown) part("code").replaceChildren();
  part("setup").hidden = name !== "setup";
  say("until", shown ? untilWords(record.valid_until_ms, zone) : "");
  say("hint", record ? clockWords(record.clock_off_ms, record.code_skew_s) : "");
}

/** Show a new code, and plan the next. */
async function turn() {
  clearTimeout(timer);
  if (!record?.credential || document.hidden) return;
  if (Date.now() - record.renewed_ms > RENEW_AFTER_MS && navigator.onLine) update();
  if (now_ms() >= record.valid_until_ms) {
    state("expired");
    return;
  }
  const lasts_ms = Math.min(TURN_MS.most, Math.max(TURN_MS.least, (record.code_valid_s * 1000) / 2));
  drawCode(part("code"), await codeText(record.keys, record.credential, now_ms()));
  runRing(part("ring").querySelector(".pass-ring-run"), lasts_ms);
  state(document.documentElement.classList.contains("is-offline") ? "offline" : "live");
  clearTimeout(timer);
  timer = setTimeout(turn, lasts_ms);
}

/** Ask the gateway for the newest credential; without an answer what is kept goes on. */
async function update() {
  if (!record || renewing) return;
  renewing = true;
  try {
    record = await renew(record);
    navigator.serviceWorker?.register("/app/pass-worker.js", { scope: "/app/pass" }).catch(() => {});
  } catch (problem) {
    if (isLost(problem)) record = null; // turned off, or another phone's
    if (!record?.credential) {
      clearTimeout(timer);
      state("setup", problem.message);
      return;
    }
  } finally {
    renewing = false;
  }
  await turn();
}

/** Make this browser the guest's phone: the one that waits for its key, once, else a new one. */
async function become() {
  const waiting = free;
  free = "";
  return prepare(place.dataset, waiting || (await addPhone(token_id)));
}

async function setUp(event) {
  event.preventDefault();
  if (!token_id) return location.reload();
  state("loading");
  try {
    record = (await passOf(token_id)) ?? (await become());
    await update();
  } catch (problem) {
    state("setup", problem.message);
  }
}

/** The pass that the shell shows, and links to the others. */
function choose(kept) {
  const usable = kept.filter((each) => each.credential).sort((a, b) => b.renewed_ms - a.renewed_ms);
  const wanted = new URLSearchParams(location.search).get("guest");
  const chosen = usable.find((each) => each.guest_id === wanted) ?? usable[0];
  part("name").textContent = chosen?.name ?? "";
  const links = usable.map((each) => {
    const link = Object.assign(document.createElement("a"), { className: "chip", textContent: each.name });
    link.href = `?guest=${encodeURIComponent(each.guest_id)}`;
    if (each === chosen) link.setAttribute("aria-current", "true");
    return link;
  });
  const others = document.getElementById("pass-others");
  others.replaceChildren(...links);
  others.hidden = links.length < 2;
  return chosen;
}

async function start() {
  if (!token_id) {
    // The network did not answer: whoever's passes this phone kept.
    reachable(false);
    record = choose(await passes());
    if (!record) return state("empty");
  } else {
    await dropOthers(place.dataset.tokens.split(" "));
    // Looking at another guest's pass must not take the phone that waits for that guest's own browser.
    record = (await passOf(token_id)) ?? (free && "own" in place.dataset ? await become() : null);
    if (!record) return state("setup");
  }
  await turn();
  await update();
}

if (canSign()) {
  part("setup").addEventListener("submit", setUp);
  addEventListener("online", update);
  addEventListener("offline", () => turn());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (Date.now() - (record?.renewed_ms ?? 0) > RENEW_AFTER_MS) update();
    turn();
  });
  document.addEventListener("feed:entry", ({ detail: entry }) => {
    if (entry.kind === "medium") update();
  });
  start();
} else {
  location.replace(place.dataset.drawn); // nothing here can keep a key: the gateway draws
}
