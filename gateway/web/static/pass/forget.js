// Signing out leaves no pass behind. The answer's Clear-Site-Data says the same to browsers that know it.
import { forget } from "./store.js";

document.addEventListener("submit", (event) => {
  if (event.target.getAttribute("action") === "/app/sign-out") forget();
});
