// A pass code lives for a moment: ask for a new one before it ends, and at once when the phone wakes with an old one.
import { refresh } from "./live.js";

let timer = 0;
let due = 0;

async function renew() {
  const place = document.getElementById("pass");
  if (!place?.dataset.renew) return;
  await refresh([place]);
  plan();
}

function plan() {
  const wait_ms = Number(document.getElementById("pass")?.dataset.renew) * 1000;
  clearTimeout(timer);
  if (!(wait_ms > 0)) return;
  due = Date.now() + wait_ms;
  timer = setTimeout(renew, wait_ms);
}

plan();
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && due && Date.now() >= due) renew();
});
