// Forms that already work without script get three things: a busy button, one send per press, and errors in place.
// <form data-enhance> is sent by fetch with its own action and method, and the server answers as it does to a browser:
// a redirect is followed (the page we land on replaces this one), a page with errors is morphed in. Nothing here
// knows what a form means, so no rule lives twice.
import { reachable, toast } from "./api.js";
import { morphChildren } from "./morph.js";

function busy(form, button, yes) {
  form.toggleAttribute("data-busy", yes);
  button?.setAttribute("aria-busy", String(yes));
  if (!yes) button?.removeAttribute("aria-busy");
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const next = page.getElementById("main");
  const main = document.getElementById("main");
  if (!next || !main) return false;
  document.title = page.title;
  morphChildren(main, next);
  const first = main.querySelector("[aria-invalid='true']") ?? main.querySelector(".notice");
  if (first) {
    if (!first.matches("input, select, textarea")) first.tabIndex = -1;
    first.focus();
  }
  return true;
}

async function send(form, button) {
  const body = new FormData(form, button);
  const action = button?.hasAttribute("formaction") ? button.formAction : form.action;
  const files = form.enctype === "multipart/form-data";
  busy(form, button, true);
  try {
    const answer = await fetch(action, {
      method: "POST",
      body: files ? body : new URLSearchParams(body),
      headers: { Accept: "text/html" },
      credentials: "same-origin",
    });
    reachable(true);
    // Nobody knows whether that was done. The form stays with its command id: pressing again counts once, while a form
    // opened anew would be another command (and a payment taken twice).
    if (answer.status >= 500 || answer.status === 429) {
      toast("We are not sure that it arrived. Press again: it counts once.");
      return;
    }
    // To another page by the browser, so that it brings its own scripts; back to this one in place, without a jump.
    const landed = new URL(answer.url);
    if (answer.redirected && landed.pathname !== location.pathname) {
      if (!landed.hash) landed.hash = location.hash; // as a browser does: a claim card's code outlives the sign-in
      location.assign(landed);
      return;
    }
    if (answer.redirected) history.replaceState(null, "", landed);
    if (!show(await answer.text())) toast("Something went wrong on our side. Please try again.");
  } catch {
    // The hidden command id stays as it is: pressing again repeats the same command, which counts once.
    reachable(false);
    toast("We can't reach the resort just now. Nothing is lost: press again when you are connected.");
  } finally {
    busy(form, button, false);
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.hasAttribute("data-busy")) {
    event.preventDefault();
    return;
  }
  if (!form.hasAttribute("data-enhance")) {
    busy(form, event.submitter, true); // an ordinary send: the next page ends it
    return;
  }
  event.preventDefault();
  send(form, event.submitter);
});

// Coming back by the back button must not find a button that turns for ever.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-busy]")) {
    form.removeAttribute("data-busy");
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});

// A closed confirm gives the focus back to what opened it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-close]");
  const details = button?.closest("details");
  if (!details) return;
  event.preventDefault();
  details.open = false;
  details.querySelector("summary").focus();
});

// Filters send themselves where a choice is the whole form.
document.addEventListener("change", (event) => {
  event.target.closest("form[data-auto]")?.requestSubmit();
});
