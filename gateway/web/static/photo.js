// Uploading photos: drop, progress, and a retry that repeats the same command, so that no photo is stored twice.
import { commandId, reachable, toast } from "./api.js";
import { refresh } from "./live.js";

const form = document.querySelector("form[data-drop]");
const input = form.querySelector("input[type=file]");
const bar = form.querySelector("progress");
const button = form.querySelector("button[type=submit]");

/** Send the form with progress; fetch cannot tell how far an upload is. */
function upload(body) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json, application/problem+json");
    request.setRequestHeader("Idempotency-Key", body.get("command_id"));
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
    });
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () => reject(new Error("unreachable")));
    request.send(body);
  });
}

function wordsOf(request) {
  try {
    const { title, detail } = JSON.parse(request.responseText);
    return detail || title; // the title only names the HTTP status
  } catch {
    return request.status === 413 ? "That photo is too large." : "The photo was not taken. Please try again.";
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!input.files.length || button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  bar.value = 0;
  bar.hidden = false;
  try {
    const answer = await upload(new FormData(form));
    reachable(true);
    if (answer.status >= 400) {
      toast(wordsOf(answer));
      return;
    }
    const many = input.files.length;
    toast(many > 1 ? `${many} photos are in.` : "The photo is in.");
    input.value = "";
    form.elements.command_id.value = commandId();
    await refresh();
  } catch {
    reachable(false);
    toast("No connection. The photo is still chosen: press Upload again when you are connected.");
  } finally {
    button.removeAttribute("aria-busy");
    bar.hidden = true;
  }
});

// Other files are another command: only a retry of the same ones repeats the id.
input.addEventListener("change", () => { form.elements.command_id.value = commandId(); });
form.addEventListener("dragover", (event) => {
  event.preventDefault();
  form.classList.add("is-target");
});
form.addEventListener("dragleave", () => form.classList.remove("is-target"));
form.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("is-target");
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change"));
});
