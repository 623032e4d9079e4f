// The workbench: taps, PINs and cuts without leaving the page, and dragging a medium onto a reader.
// The page is one plain form, which the server answers as well; here each press becomes one command.
// The verdict comes back from the edge, as its lamp shows it, also while the edge is cut off; this script never invents one.
import { command, commandId, toast } from "./api.js";
import { refresh } from "./live.js";

const bench = document.querySelector("form[data-bench]");

async function press(url, body, source) {
  source?.setAttribute("aria-busy", "true");
  try {
    await command(url, body, commandId());
    await refresh(document.querySelectorAll("#edges, #totals, #tray"));
  } catch (problem) {
    toast(problem.message);
  } finally {
    source?.removeAttribute("aria-busy");
  }
}

function tap(reader, medium, source) {
  const item = bench.elements[`item-${reader}`]?.value;
  press(bench.action, { reader, medium, ...(item ? { item } : {}) }, source);
}

bench.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (button?.name === "link") {
    press(button.formAction, { link: button.value }, button);
  } else if (button?.name === "reader" && button.hasAttribute("formaction")) {
    const pin = bench.elements[`pin-${button.value}`];
    press(button.formAction, { reader: button.value, pin: pin.value }, button);
    pin.value = "";
  } else if (button?.name === "reader") {
    tap(button.value, new FormData(bench).get("medium"), button);
  }
});

// Enter inside a PIN field belongs to its own reader, not to the form's first button.
bench.addEventListener("keydown", (event) => {
  const reader = event.target.closest(".reader");
  if (event.key !== "Enter" || !reader || !event.target.matches("input")) return;
  event.preventDefault();
  bench.requestSubmit(reader.querySelector(".reader-extra button") ?? reader.querySelector(".reader-tap"));
});

bench.addEventListener("dragstart", (event) => {
  const medium = event.target.closest?.("[data-medium]");
  if (!medium) return;
  event.dataTransfer.setData("text/plain", medium.dataset.medium);
  event.dataTransfer.effectAllowed = "copy";
  medium.querySelector("input").checked = true;
  medium.classList.add("is-dragged");
});
bench.addEventListener("dragend", () => {
  for (const each of bench.querySelectorAll(".is-dragged, .is-target")) each.classList.remove("is-dragged", "is-target");
});
bench.addEventListener("dragover", (event) => {
  const reader = event.target.closest("[data-reader]");
  for (const each of bench.querySelectorAll(".is-target")) if (each !== reader) each.classList.remove("is-target");
  if (!reader) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  reader.classList.add("is-target");
});
bench.addEventListener("drop", (event) => {
  const reader = event.target.closest("[data-reader]");
  if (!reader) return;
  event.preventDefault();
  tap(reader.dataset.reader, event.dataTransfer.getData("text/plain"), reader.querySelector(".reader-tap"));
});

// A tile's ground follows its ring, also when the ring settles back to rest by itself.
bench.addEventListener("ring:change", (event) => {
  const reader = event.target.closest(".reader");
  if (!reader) return;
  reader.dataset.state = event.detail.state;
  if (event.detail.state === "rest") reader.querySelector(".reader-words").textContent = "";
});
