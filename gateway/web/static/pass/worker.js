// Lets the page of the pass open without a network. It keeps the files of the page and a shell without anybody's name,
// PASS_FILES, which the gateway writes above this line together with their version; no answer that says anything of a
// guest is ever kept.
const CACHE = `passband-pass-${PASS_VERSION}`;
const WAIT_MS = 3000;
const AWAY_MS = 20_000;
let away_until = 0;

self.addEventListener("install", (event) => {
  const files = PASS_FILES.map((file) => new Request(file, { cache: "reload", credentials: "omit" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)).then(() => self.skipWaiting()));
});

async function becomeTheOne() {
  for (const name of await caches.keys()) {
    if (name.startsWith("passband-pass-") && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(becomeTheOne()));

function fromNetwork(request) {
  if (Date.now() < away_until) return Promise.reject(new Error("away"));
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error("slow")), WAIT_MS);
    fetch(request).then(done, failed).finally(() => clearTimeout(timer));
  });
}

/** The network's answer where there is one in time, else what was kept under `name`. */
async function answer(request, name) {
  let told = null;
  try {
    told = await fromNetwork(request);
    if (![502, 503, 504].includes(told.status)) return told;
  } catch {
    away_until = Math.max(away_until, Date.now() + AWAY_MS); // the page's other files need not wait again
  }
  return (await caches.match(name, { cacheName: CACHE })) ?? told ?? Response.error();
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && pathname === "/app/pass") {
    away_until = 0; // whoever opens the page asks the network anew
    event.respondWith(answer(request, PASS_SHELL));
  } else if (PASS_FILES.includes(pathname)) {
    event.respondWith(answer(request, pathname));
  }
});
