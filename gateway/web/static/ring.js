// The ring, the light of every touchpoint: <pb-ring state="rest|approved|waiting|asks|offline" label="Main gate 1">.
// The server already draws the SVG (macro `ring`), and ring.css shows the state by the attribute, so the ring is
// right before this script arrives. The script adds what needs one: the spoken change, the tone, the way back to rest.
import { play } from "./sound.js";

const WORDS = {
  en: { rest: "Ready", approved: "Approved", waiting: "Please wait", asks: "PIN, please", offline: "Offline" },
  es: { rest: "Listo", approved: "Aprobado", waiting: "Espere, por favor", asks: "PIN, por favor", offline: "Sin conexión" },
};

const SHAPES = [
  ["circle", { class: "ring-halo", cx: 50, cy: 50, r: 44 }],
  ["circle", { class: "ring-fill", cx: 50, cy: 50, r: 44 }],
  ["circle", { class: "ring-track", cx: 50, cy: 50, r: 44 }],
  ["path", { class: "ring-tick", d: "M30 51.5 44.5 66 71 37", pathLength: 1 }],
  ["path", { class: "ring-key", d: "M50 51a11 11 0 1 0-.1 0M50 51v25M50 75h10M50 65h7" }],
  ["path", { class: "ring-slash", d: "M36 36 64 64M64 36 36 64" }],
];
const DOTS = [[50, 6], [73.3, 12.7], [89.1, 30.6]];
const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function drawing() {
  const svg = shape("svg", { viewBox: "0 0 100 100", "aria-hidden": "true", focusable: "false" });
  for (const [name, attributes] of SHAPES) svg.append(shape(name, attributes));
  const dots = shape("g", { class: "ring-dots" });
  for (const [cx, cy] of DOTS) dots.append(shape("circle", { cx, cy, r: 8 }));
  svg.append(dots);
  return svg;
}

/** The page's one polite voice, so that many rings never talk over each other. */
function announcer() {
  let voice = document.getElementById("ring-voice");
  if (!voice) {
    voice = document.createElement("p");
    voice.id = "ring-voice";
    voice.className = "visually-hidden";
    voice.setAttribute("aria-live", "polite");
    document.body.append(voice);
  }
  return voice;
}

export class Ring extends HTMLElement {
  static observedAttributes = ["state", "label", "words"];
  #rest = 0;

  connectedCallback() {
    if (!this.querySelector("svg")) this.append(drawing());
    this.#name();
  }

  disconnectedCallback() {
    clearTimeout(this.#rest);
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    this.#name();
    if (name === "state" && before !== null) this.#changed();
  }

  get state() {
    return this.getAttribute("state") ?? "rest";
  }

  set state(value) {
    this.setAttribute("state", value);
  }

  /** What the ring says in words: those of the verdict where given, else the plain word for the state. */
  get words() {
    const language = WORDS[document.documentElement.lang.slice(0, 2)] ?? WORDS.en;
    return this.getAttribute("words") || language[this.state] || language.rest;
  }

  /** Show a verdict: its state and its words together, spoken once. */
  show(state, words = "") {
    if (words) this.setAttribute("words", words);
    else this.removeAttribute("words");
    this.state = state;
  }

  #name() {
    const label = this.getAttribute("label");
    this.setAttribute("role", "img");
    this.setAttribute("aria-label", label ? `${label}: ${this.words}` : this.words);
  }

  #changed() {
    clearTimeout(this.#rest);
    this.dispatchEvent(new CustomEvent("ring:change", { bubbles: true, detail: { state: this.state } }));
    if (this.state === "rest") return;
    if (!this.hasAttribute("quiet")) announcer().textContent = this.getAttribute("aria-label");
    if (this.hasAttribute("sound")) play(this.state);
    // "settles" gives the milliseconds after which a shown verdict goes back to rest by itself.
    const settles = Number(this.getAttribute("settles"));
    if (settles > 0 && (this.state === "approved" || this.state === "waiting")) {
      this.#rest = setTimeout(() => this.show("rest"), settles);
    }
  }
}

customElements.define("pb-ring", Ring);
