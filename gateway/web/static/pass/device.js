// The phone's own key, and what it signs: once that it has the key, then each code. Byte for byte what wallet/device_key.py
// and wallet/phone.py expect.
import { base45 } from "./base45.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const PREFIX = "PB1:";
const FORM = 2;
const text = new TextEncoder();

/** Whether this browser can keep a key. Without https (or localhost) none can. */
export const canSign = () => Boolean(globalThis.isSecureContext && globalThis.crypto?.subtle && globalThis.indexedDB);

export const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const unhex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** A new key pair, whose private half never leaves the browser. */
export const makeKeys = () => crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);

const sign = async (keys, bytes) => new Uint8Array(await crypto.subtle.sign(SIGNING, keys.privateKey, bytes));

function joined(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** What registers the key for a medium in the command of this id. */
export async function registration(keys, medium_id, command_id) {
  const point = await crypto.subtle.exportKey("raw", keys.publicKey);
  const claim = text.encode(["passband device key 1", medium_id, command_id].join("\n"));
  return { public_key: hex(point), signature: hex(await sign(keys, claim)) };
}

/** The text of the code that this phone shows at an instant (ms since 1970). */
export async function codeText(keys, credential, at_ms) {
  const instant = new Uint8Array(4);
  new DataView(instant.buffer).setUint32(0, Math.floor(at_ms / 1000));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", credential));
  const signature = await sign(keys, joined(text.encode("passband phone code 1"), instant, digest));
  return PREFIX + base45(joined([FORM], instant, signature, credential));
}
