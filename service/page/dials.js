// The dials. Their ranges and defaults are the form's own; Reset is the form's own too.
const NAMES = ["strength", "fidelity", "texture", "semantics"];

export class Dials extends EventTarget {
  #form = document.getElementById("dials");

  constructor() {
    super();
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("input", () => this.#changed());
    this.#form.addEventListener("reset", () => setTimeout(() => this.#changed()));
    this.#show();
  }

  fill(form) {
    for (const name of NAMES) form.set(name, this.#form.elements[name].value);
    form.set("keep_color", this.#form.elements.keep_color.checked);
  }

  #changed() {
    this.#show();
    this.dispatchEvent(new Event("change"));
  }

  #show() {
    for (const name of NAMES) {
      const slider = this.#form.elements[name];
      const percent = `${Math.round(slider.value * 100)} %`;
      this.#form.querySelector(`output[for="${name}"]`).value = percent;
      slider.setAttribute("aria-valuetext", percent);
      slider.style.setProperty("--at", `${slider.value * 100}%`);
    }
  }
}
