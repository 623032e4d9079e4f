// What this phone keeps of its passes, one record per guest: its key (which no script can read out), the credential,
// and until when it is good. Nothing of it is ever sent.
const NAME = "passband-pass";
const STORE = "passes";

function open() {
  return new Promise((done, failed) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "token_id" });
    asked.onsuccess = () => {
      // Signing out in another tab must not wait for this one.
      asked.result.onversionchange = () => asked.result.close();
      done(asked.result);
    };
    asked.onerror = () => failed(asked.error);
  });
}

async function within(mode, act) {
  const database = await open();
  try {
    return await new Promise((done, failed) => {
      const change = database.transaction(STORE, mode);
      const asked = act(change.objectStore(STORE));
      change.oncomplete = () => done(asked.result);
      change.onerror = change.onabort = () => failed(change.error);
    });
  } finally {
    database.close();
  }
}

export const passOf = (token_id) => within("readonly", (store) => store.get(token_id));
export const passes = () => within("readonly", (store) => store.getAll());
export const keep = (record) => within("readwrite", (store) => store.put(record));
export const drop = (token_id) => within("readwrite", (store) => store.delete(token_id));

/** Drop the passes of whoever used this browser before. */
export async function dropOthers(token_ids) {
  for (const { token_id } of await passes()) if (!token_ids.includes(token_id)) await drop(token_id);
}

/** Leave nothing of any pass in this browser. */
export async function forget() {
  indexedDB.deleteDatabase(NAME);
  for (const name of (await globalThis.caches?.keys()) ?? []) if (name.startsWith(NAME)) await caches.delete(name);
}
