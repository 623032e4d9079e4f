// A claim card's QR leads here with its code behind the "#", which no server ever sees: fill it in and show the form.
// Pressing the button stays the guest's, since the first party that claims has the photos.
const field = document.getElementById("f-code");

function fill() {
  const code = new URLSearchParams(location.hash.slice(1)).get("claim");
  if (!code || !field) return;
  field.value = code;
  field.focus();
  field.scrollIntoView({ block: "center" });
}

addEventListener("hashchange", fill);
fill();
