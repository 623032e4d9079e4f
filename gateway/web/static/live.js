// Live regions: <ul id="ledger" data-live="tap transfer" …> stays true while the page stands still.
// An entry {kind, region, key, html} that carries its own row is placed at once; any other entry whose kind the
// region names makes us ask the server for the same page again and morph that region. One template, two ways.
import { morph, morphChildren } from "./morph.js";

const GATHER_MS = 120;
const stale = new Set();
let timer = 0;

function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // the server's own rendered row, from the same origin
  return template.content.firstElementChild;
}

/** Run `change` while what the person looks at stays where it is. */
function still(region, change) {
  const anchored = region.scrollTop > 8 ? region.scrollHeight - region.scrollTop : null;
  change();
  if (anchored !== null) region.scrollTop = region.scrollHeight - anchored;
}

/** Put a rendered row into its region: over the one with its key, else first (or last with data-live-end). */
export function place(region, key, html) {
  const row = fragment(html);
  if (!row) return;
  row.dataset.key = key;
  const known = region.querySelector(`:scope > [data-key="${CSS.escape(key)}"]`);
  if (known) {
    morph(known, row);
    return;
  }
  row.classList.add("is-new");
  still(region, () => {
    if (region.hasAttribute("data-live-end")) region.append(row);
    else region.prepend(row);
    const most = Number(region.dataset.liveMost);
    while (most > 0 && region.children.length > most) {
      (region.hasAttribute("data-live-end") ? region.firstElementChild : region.lastElementChild).remove();
    }
  });
}

/** Ask the server for this page again and morph the regions that grew stale. */
export async function refresh(regions = document.querySelectorAll("[data-live][id]")) {
  const wanted = [...regions];
  if (!wanted.length) return;
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  } catch {
    return; // offline: the next feed:open refreshes
  }
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const region of wanted) {
    const next = page.getElementById(region.id);
    if (next && region.isConnected) still(region, () => morphChildren(region, next));
  }
}

function refreshSoon(region) {
  stale.add(region);
  timer ||= setTimeout(() => {
    timer = 0;
    const regions = [...stale];
    stale.clear();
    refresh(regions);
  }, GATHER_MS);
}

document.addEventListener("feed:entry", ({ detail: entry }) => {
  if (entry.kind === "signed_out") {
    // Signed out elsewhere: what is shown here is nobody's any more. Signing out here goes on to its own next page.
    if (!document.querySelector("form[action$='/sign-out'][data-busy]")) location.reload();
    return;
  }
  const own = entry.region && document.getElementById(entry.region);
  if (own && entry.html) {
    place(own, String(entry.key), entry.html);
    return;
  }
  for (const region of document.querySelectorAll("[data-live][id]")) {
    if (region.dataset.live.split(" ").includes(entry.kind)) refreshSoon(region);
  }
});

// A short break is nobody's business; one that lasts is said in the bar under the header.
const SAY_AFTER_MS = 2500;
let lost = 0;
document.addEventListener("feed:lost", () => {
  lost ||= setTimeout(() => document.documentElement.classList.add("is-feed-lost"), SAY_AFTER_MS);
});
document.addEventListener("feed:open", () => {
  clearTimeout(lost);
  document.documentElement.classList.remove("is-feed-lost");
  if (lost) refresh();
  lost = 0;
});
