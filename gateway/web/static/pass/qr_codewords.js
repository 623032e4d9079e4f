// From a text to the codewords of a QR code (ISO/IEC 18004, 7.4 to 7.6): alphanumeric mode, levels L and M, versions 1 to 20.
import { ALPHABET } from "./base45.js";

const TOTAL = [26, 44, 70, 100, 134, 172, 196, 242, 292, 346, 404, 466, 532, 581, 655, 733, 815, 901, 991, 1085];
/** Per version: error correction codewords of each block, and the number of blocks (table 9). */
const LEVELS = {
  L: {
    correction: [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28],
    blocks: [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8],
  },
  M: {
    correction: [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26],
    blocks: [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16],
  },
};
const MODE = 2; // alphanumeric
const PADS = [0xec, 0x11];

// The field of 256 elements over x^8 + x^4 + x^3 + x^2 + 1.
const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power += 1) {
  EXP[power] = EXP[power + 255] = value;
  LOG[value] = power;
  value = value & 0x80 ? (value << 1) ^ 0x11d : value << 1;
}
const times = (a, b) => (a && b ? EXP[LOG[a] + LOG[b]] : 0);

/** The generator polynomial of `degree`, without its leading 1, highest power first. */
function generator(degree) {
  const found = new Uint8Array(degree);
  found[degree - 1] = 1;
  for (let power = 0; power < degree; power += 1) {
    for (let at = 0; at < degree; at += 1) {
      found[at] = times(found[at], EXP[power]) ^ (found[at + 1] ?? 0);
    }
  }
  return found;
}

function correctionOf(data, divisor) {
  const rest = new Uint8Array(divisor.length);
  for (const byte of data) {
    const factor = byte ^ rest[0];
    rest.copyWithin(0, 1);
    rest[rest.length - 1] = 0;
    divisor.forEach((value, at) => { rest[at] ^= times(value, factor); });
  }
  return rest;
}

const lengthBits = (version) => (version < 10 ? 9 : 11);
const neededBits = (text, version) => 4 + lengthBits(version) + 11 * (text.length >> 1) + 6 * (text.length & 1);

function roomOf(level, version) {
  const { correction, blocks } = LEVELS[level];
  return TOTAL[version - 1] - correction[version - 1] * blocks[version - 1];
}

/** The smallest version that holds the text. Throws RangeError where none does. */
export function versionFor(text, level) {
  for (let version = 1; version <= TOTAL.length; version += 1) {
    if (neededBits(text, version) <= roomOf(level, version) * 8) return version;
  }
  throw new RangeError("the text is too long for a code");
}

function dataOf(text, version, room) {
  const data = new Uint8Array(room);
  let at = 0;
  const put = (value, bits) => {
    for (let bit = bits - 1; bit >= 0; bit -= 1, at += 1) {
      if ((value >> bit) & 1) data[at >> 3] |= 0x80 >> (at & 7);
    }
  };
  const values = [...text].map((character) => {
    const value = ALPHABET.indexOf(character);
    if (value < 0) throw new RangeError("a character that alphanumeric mode does not have");
    return value;
  });
  put(MODE, 4);
  put(values.length, lengthBits(version));
  for (let n = 0; n + 1 < values.length; n += 2) put(values[n] * 45 + values[n + 1], 11);
  if (values.length & 1) put(values.at(-1), 6);
  const full = Math.ceil(Math.min(at + 4, room * 8) / 8); // the terminator's zeros are there already
  for (let n = full; n < room; n += 1) data[n] = PADS[(n - full) & 1];
  return data;
}

/** All codewords in the order in which they are placed. */
export function codewords(text, level, version) {
  const { correction, blocks } = LEVELS[level];
  const [each, count] = [correction[version - 1], blocks[version - 1]];
  const room = roomOf(level, version);
  const data = dataOf(text, version, room);
  const divisor = generator(each);
  const [short, long] = [Math.floor(room / count), room % count];
  const parts = [];
  for (let n = 0, at = 0; n < count; n += 1) {
    const size = short + (n >= count - long ? 1 : 0);
    const part = data.subarray(at, at + size);
    parts.push({ part, rest: correctionOf(part, divisor) });
    at += size;
  }
  const placed = [];
  for (let at = 0; at <= short; at += 1) for (const { part } of parts) if (at < part.length) placed.push(part[at]);
  for (let at = 0; at < each; at += 1) for (const { rest } of parts) placed.push(rest[at]);
  return placed;
}
