// How hard a QR code is to read: the penalties by which its mask is chosen (ISO/IEC 18004, 7.8.3).

/** 3 for five alike in a row, 1 for each further one. */
function runs(line) {
  let found = 0;
  let length = 0;
  line.forEach((module, at) => {
    length = at && module === line[at - 1] ? length + 1 : 1;
    if (length === 5) found += 3;
    else if (length > 5) found += 1;
  });
  return found;
}

// What looks like the corner's pattern with four light modules beside it.
const FALSE_CORNERS = [[1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1]];

function falseCorners(line) {
  let found = 0;
  for (let at = 0; at + 11 <= line.length; at += 1) {
    for (const pattern of FALSE_CORNERS) if (pattern.every((module, n) => module === line[at + n])) found += 40;
  }
  return found;
}

function blocks(rows) {
  let found = 0;
  for (let row = 0; row + 1 < rows.length; row += 1) {
    for (let column = 0; column + 1 < rows.length; column += 1) {
      const four = rows[row][column] + rows[row][column + 1] + rows[row + 1][column] + rows[row + 1][column + 1];
      if (four === 0 || four === 4) found += 3;
    }
  }
  return found;
}

function imbalance(rows) {
  const dark = rows.reduce((sum, row) => sum + row.reduce((one, module) => one + module, 0), 0);
  return Math.trunc(Math.abs((dark / rows.length ** 2) * 100 - 50) / 5) * 10;
}

/** The penalty of a matrix of 0 and 1. */
export function penalty(rows) {
  let found = blocks(rows) + imbalance(rows);
  for (let at = 0; at < rows.length; at += 1) {
    const column = rows.map((row) => row[at]);
    found += runs(rows[at]) + runs(column) + falseCorners(rows[at]) + falseCorners(column);
  }
  return found;
}
