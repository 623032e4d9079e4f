// The booking bar says what will be booked before it is: who, where, when. The form works without it.

function say(form) {
  const line = form.querySelector("[data-choice]");
  const button = form.querySelector(".book-bar button");
  if (!line || !button) return;
  const window = form.querySelector("[name=window]:checked");
  const members = [...form.querySelectorAll("[name=member]:checked")].map((box) => box.closest("label").textContent.trim());
  button.disabled = !window || members.length === 0;
  if (!window) line.textContent = "Choose a time above";
  else if (!members.length) line.textContent = "Choose who is coming";
  else line.textContent = `${window.dataset.name} for ${members.join(", ")}`;
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-find]");
  if (form) say(form);
});
for (const form of document.querySelectorAll("form[data-find]")) say(form);

// After an answer in place the form is a new one in the same spot.
const main = document.getElementById("main");
new MutationObserver(() => {
  for (const form of main.querySelectorAll("form[data-find]")) say(form);
}).observe(main, { childList: true });
