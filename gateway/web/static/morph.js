// Change a piece of the page into its new shape without replacing what stayed the same: focus, typed text, open
// details, scroll position and a ring in mid-flight survive.

const KEPT = new Set(["open"]); // what the person changed by hand is theirs

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id || "" : "";
}

function alike(left, right) {
  return left.nodeType === right.nodeType && left.nodeName === right.nodeName && keyOf(left) === keyOf(right);
}

function morphAttributes(current, next) {
  for (const { name } of [...current.attributes]) {
    if (!next.hasAttribute(name) && !KEPT.has(name)) current.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
}

/** Make `current` look like `next`, both elements of the same kind. */
export function morph(current, next) {
  // A ring sets its own name from label and words: leave role and aria-label to it.
  if (current.localName === "pb-ring") {
    for (const name of ["role", "aria-label"]) {
      if (current.hasAttribute(name)) next.setAttribute(name, current.getAttribute(name));
    }
    // Words before state, so that the spoken change carries the new words.
    if (next.hasAttribute("words")) current.setAttribute("words", next.getAttribute("words"));
  }
  morphAttributes(current, next);
  if (current.localName === "pb-ring") return;
  morphChildren(current, next);
}

/** Make the children of `current` those of `next`, matching keyed ones (data-key or id) wherever they moved. */
export function morphChildren(current, next) {
  const keyed = new Map();
  for (const child of current.children) if (keyOf(child)) keyed.set(keyOf(child), child);
  let place = current.firstChild;
  for (const wanted of [...next.childNodes]) {
    const known = keyOf(wanted) && keyed.get(keyOf(wanted));
    const match = known || (place && alike(place, wanted) ? place : null);
    if (!match || !alike(match, wanted)) {
      current.insertBefore(document.importNode(wanted, true), place);
      continue;
    }
    if (match !== place) current.insertBefore(match, place);
    else place = place.nextSibling;
    if (match.nodeType === Node.ELEMENT_NODE) morph(match, wanted);
    else if (match.nodeValue !== wanted.nodeValue) match.nodeValue = wanted.nodeValue;
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}
