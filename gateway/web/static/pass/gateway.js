// What a pass asks of the gateway, always by the guest's own session: a phone to be, its key registered, its credential.
import { command, commandId, get, request } from "../api.js";
import { makeKeys, registration, unhex } from "./device.js";
import { drop, keep } from "./store.js";

const API = "/api/v1";
const LOST = ["device_key_set", "medium_revoked", "no_phone"];

/** Whether a refusal says that this phone's key is good for nothing any more; any other may be over tomorrow. */
export const isLost = ({ status, code }) => status === 404 || LOST.includes(code);

/** Add this phone to the guest's token; returns the medium's id. */
export const addPhone = async (token_id) => (await command(`${API}/tokens/${token_id}/media`, { kind: "phone" })).medium_id;

/** A record with a key of its own for a medium; kept before it is registered, so that a lost answer loses no key. */
export async function prepare({ token: token_id, guest: guest_id, name }, medium_id) {
  const record = { token_id, guest_id, name, medium_id, keys: await makeKeys(), command_id: commandId(), bound: false };
  await keep(record);
  return record;
}

/** Register the record's key, once; another phone's medium makes the record worthless. Throws Problem. */
async function bind(record) {
  if (record.bound) return record;
  const body = await registration(record.keys, record.medium_id, record.command_id);
  await request(`${API}/media/${record.medium_id}/device-key`, { method: "PUT", body, key: record.command_id });
  const bound = { ...record, bound: true };
  await keep(bound);
  return bound;
}

/** Bring a record up to date: key registered, newest credential. Throws Problem; a lost key is dropped. */
export async function renew(record) {
  try {
    const bound = await bind(record);
    const told = await get(`${API}/tokens/${record.token_id}/pass?medium_id=${record.medium_id}`);
    const fresh = {
      ...bound,
      credential: unhex(told.credential),
      valid_until_ms: Date.parse(told.valid_until),
      clock_off_ms: Date.parse(told.now) - Date.now(),
      code_valid_s: told.code_valid_s,
      code_skew_s: told.code_skew_s,
      renewed_ms: Date.now(),
    };
    await keep(fresh);
    return fresh;
  } catch (problem) {
    if (isLost(problem)) await drop(record.token_id);
    throw problem;
  }
}
