// The picture before and after, the divider between them, and what is said about them.
const byId = (id) => document.getElementById(id);

export class Easel {
  #addresses = { before: "", after: "" };
  #stage = byId("stage");
  #divider = byId("divide");
  #passing = false;

  constructor() {
    this.#divider.addEventListener("input", () => this.#divide());
    this.#divide();
  }

  get state() {
    return this.#stage.dataset.state;
  }

  set state(state) { // empty, photo, painted
    this.#stage.dataset.state = state;
    this.#divider.disabled = state !== "painted";
  }

  set busy(busy) {
    this.#stage.setAttribute("aria-busy", String(busy));
  }

  set inviting(inviting) {
    this.#stage.classList.toggle("over", inviting);
  }

  async show(which, blob) { // which: before or after
    const address = URL.createObjectURL(blob);
    const picture = byId(which);
    const previous = this.#addresses[which];
    this.#addresses[which] = address;
    picture.src = address;
    try {
      await picture.decode();
      if (which === "before" || this.state === "empty") {
        picture.parentElement.style.setProperty("--aspect", picture.naturalWidth / picture.naturalHeight);
      }
    } catch {
      // a newer picture took its place
    }
    if (previous) URL.revokeObjectURL(previous);
  }

  caption(text) {
    byId("caption").textContent = text;
  }

  // For eyes and ears: said once, where the caption changes with every preview.
  announce(text) {
    byId("status").textContent = text;
  }

  // A passing complaint goes with the next preview that succeeds; others stay until they are dismissed.
  complain(problem, { again = null, passing = false } = {}) {
    this.#passing = passing;
    byId("problem").hidden = false;
    byId("problem-title").textContent = TITLES[problem.kind] ?? (problem.title || "That did not work");
    byId("problem-text").textContent = problem.message;
    byId("again").hidden = !again;
    byId("again").onclick = again && (() => { this.calm(); again(); });
  }

  calm({ passing = false } = {}) {
    if (!passing || this.#passing) byId("problem").hidden = true;
  }

  #divide() {
    const share = Number(this.#divider.value);
    this.#divider.parentElement.style.setProperty("--cut", `${share}%`);
    this.#divider.setAttribute("aria-valuetext", `${Math.round(share)} % photograph, ${Math.round(100 - share)} % painting`);
  }
}

const TITLES = {
  "unreadable-picture": "This file is not a picture that can be read",
  "too-large": "This picture is too large",
  "unsupported-media-type": "This kind of picture is not taken",
  "unusable-picture": "This picture cannot be painted",
  "queue-full": "The service is busy",
  "not-ready": "The service is starting",
  "no-model": "The service has no model",
  "deadline-passed": "That took too long",
  "unauthorized": "A token is needed",
  "forbidden": "That is not allowed here",
  "conflict": "There is such a style already",
};
