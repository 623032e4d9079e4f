// A QR code of our own, since a page without a network can't ask for one: text in, a matrix of 0 and 1 out (ISO/IEC 18004).
import { codewords, versionFor } from "./qr_codewords.js";
import { penalty } from "./qr_penalty.js";

const LEVEL_BITS = { L: 1, M: 0 };
/** Where the centres of the alignment patterns are, versions 1 to 20 (annex E). */
const ALIGNMENT = [
  [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50], [6, 30, 54],
  [6, 32, 58], [6, 34, 62], [6, 26, 46, 66], [6, 26, 48, 70], [6, 26, 50, 74], [6, 30, 54, 78], [6, 30, 56, 82],
  [6, 30, 58, 86], [6, 34, 62, 90],
];
const MASKS = [
  (row, column) => (row + column) % 2,
  (row) => row % 2,
  (_, column) => column % 3,
  (row, column) => (row + column) % 3,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2,
  (row, column) => ((row * column) % 2) + ((row * column) % 3),
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2,
  (row, column) => (((row * column) % 3) + ((row + column) % 2)) % 2,
];

/** The rest of `value`, shifted up by `degree`, over a polynomial, appended to it (annexes C and D). */
function withRest(value, polynomial, degree) {
  let rest = value << degree;
  for (let bit = 31 - Math.clz32(rest); bit >= degree; bit = 31 - Math.clz32(rest)) rest ^= polynomial << (bit - degree);
  return (value << degree) | rest;
}

function square(rows, top, left, size, dark) {
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const place = rows[top + row];
      if (place && left + column in place) place[left + column] = dark(row, column) ? 1 : 0;
    }
  }
}

/** What stands in every code of a version; null where data goes. Format and version are still light. */
function frame(version) {
  const size = version * 4 + 17;
  const rows = Array.from({ length: size }, () => new Array(size).fill(null));
  const ring = (row, column, centre) => Math.max(Math.abs(row - centre), Math.abs(column - centre));
  const corner = (row, column) => [0, 1, 3].includes(ring(row, column, 4));
  for (const [top, left] of [[-1, -1], [-1, size - 8], [size - 8, -1]]) square(rows, top, left, 9, corner);
  for (let at = 8; at < size - 8; at += 1) rows[6][at] = rows[at][6] = (at + 1) % 2;
  const centres = ALIGNMENT[version - 1];
  for (const row of centres) {
    for (const column of centres) {
      if (!cornerAt(row, column, size)) square(rows, row - 2, column - 2, 5, (r, c) => ring(r, c, 2) !== 1);
    }
  }
  writeFormat(rows, 0, 0);
  if (version >= 7) writeVersion(rows, 0);
  return rows;
}

/** Whether a centre would lie in one of the three big corners. */
const cornerAt = (row, column, size) => Math.min(row, column) === 6 && [6, size - 7].includes(Math.max(row, column));

function writeFormat(rows, bits, darkModule) {
  const size = rows.length;
  for (let n = 0; n < 15; n += 1) {
    const bit = (bits >> n) & 1;
    rows[n < 6 ? n : n < 8 ? n + 1 : size - 15 + n][8] = bit;
    rows[8][n < 8 ? size - 1 - n : n < 9 ? 7 : 14 - n] = bit;
  }
  rows[size - 8][8] = darkModule;
}

function writeVersion(rows, bits) {
  const edge = rows.length - 11;
  for (let n = 0; n < 18; n += 1) {
    rows[Math.floor(n / 3)][edge + (n % 3)] = (bits >> n) & 1;
    rows[edge + (n % 3)][Math.floor(n / 3)] = (bits >> n) & 1;
  }
}

/** The places of the data, in the order in which it is placed: two columns up, two down, past the timing column. */
function places(rows) {
  const found = [];
  let upwards = true;
  for (let right = rows.length - 1; right > 0; right -= 2, upwards = !upwards) {
    if (right === 6) right -= 1;
    for (let step = 0; step < rows.length; step += 1) {
      const row = upwards ? rows.length - 1 - step : step;
      for (const column of [right, right - 1]) if (rows[row][column] === null) found.push([row, column]);
    }
  }
  return found;
}

/** The code of a text: rows of 0 (light) and 1 (dark), without the quiet zone. */
export function qrMatrix(text, level = "L") {
  const version = versionFor(text, level);
  const words = codewords(text, level, version);
  const bare = frame(version);
  const order = places(bare);
  let best = null;
  MASKS.forEach((mask, number) => {
    const rows = bare.map((row) => [...row]);
    order.forEach(([row, column], at) => {
      const bit = ((words[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
      rows[row][column] = mask(row, column) === 0 ? 1 - bit : bit;
    });
    // Judged without format and version, as the library does that our other codes are drawn by: both give one picture.
    const points = penalty(rows);
    if (!best || points < best.points) best = { rows, points, number };
  });
  writeFormat(best.rows, withRest((LEVEL_BITS[level] << 3) | best.number, 0x537, 10) ^ 0x5412, 1);
  if (version >= 7) writeVersion(best.rows, withRest(version, 0x1f25, 12));
  return best.rows;
}
