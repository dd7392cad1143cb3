// Where the operator asks for a token, the page asks for it once and keeps it until the tab is closed.
import { keepToken } from "./api.js";

const byId = (id) => document.getElementById(id);

export function askForToken(why) {
  const dialog = byId("token");
  byId("token-why").textContent = why;
  byId("token-value").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      const token = dialog.returnValue === "use" ? byId("token-value").value.trim() : "";
      if (token) keepToken(token);
      done(token);
    }, { once: true });
  });
}
