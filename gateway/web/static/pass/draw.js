// The code as a picture: one path, dark on white whatever the scheme, with its quiet zone of four modules.
import { qrMatrix } from "./qr.js";

const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4;

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** Dark modules that touch in a row as one stroke each. */
function strokes(rows) {
  let path = "";
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue;
      const from = x;
      while (row[x + 1]) x += 1;
      path += `M${from + QUIET} ${y + QUIET}h${x - from + 1}v1H${from + QUIET}z`;
    }
  });
  return path;
}

/** Draw a code's text into `place`. */
export function drawCode(place, text) {
  const rows = qrMatrix(text);
  const size = rows.length + 2 * QUIET;
  const svg = element("svg", { viewBox: `0 0 ${size} ${size}`, "aria-hidden": "true", focusable: "false" });
  svg.append(element("rect", { width: size, height: size, fill: "#fff" }));
  svg.append(element("path", { d: strokes(rows), fill: "#000" }));
  place.replaceChildren(svg);
}

/** Let the ring run out over the time a code is shown; who wants no motion sees it stand. */
export function runRing(circle, lasts_ms) {
  circle.getAnimations().forEach((running) => running.cancel());
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  circle.animate([{ strokeDashoffset: 0 }, { strokeDashoffset: 1 }], { duration: lasts_ms, fill: "forwards" });
}
