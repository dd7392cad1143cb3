// The chosen styles and how much of each. Tells with "change".
import { pictureAddress } from "./api.js";

const byId = (id) => document.getElementById(id);

export class Palette extends EventTarget {
  #chosen = new Map(); // name -> {style, weight 0..100}
  #own = null; // {blob, title}: a style picture that is not in the library
  most = 8;

  constructor() {
    super();
    byId("mode").addEventListener("change", () => this.#modeChanged());
  }

  get mixing() {
    return byId("mode").elements.mode.value === "mix";
  }

  get styles() {
    return [...this.#chosen.values()];
  }

  get full() {
    return this.#chosen.size >= this.most;
  }

  get empty() {
    return !this.#own && !this.styles.some(({ weight }) => weight > 0);
  }

  has(name) {
    return this.#chosen.has(name);
  }

  pick(style, weight = 50) {
    if (!this.mixing) this.#chosen.clear();
    this.#own = null;
    if (!this.full) this.#chosen.set(style.name, { style, weight });
    this.#changed();
  }

  drop(name) {
    this.#chosen.delete(name);
    this.#changed();
  }

  useOwn(blob, title) {
    this.#chosen.clear();
    this.#own = { blob, title };
    this.#changed();
  }

  // What goes into the order: one library style, several with weights, or a picture of the user's own.
  fill(form) {
    if (this.#own) {
      form.set("style_image", this.#own.blob, "style");
    } else {
      const used = this.styles.filter(({ weight }) => weight > 0);
      form.set("style", used.length === 1
        ? used[0].style.name
        : used.map(({ style, weight }) => `${style.name}:${weight / 100}`).join(","));
    }
  }

  get title() {
    return this.#own ? this.#own.title : this.styles.map(({ style }) => style.title).join(" + ");
  }

  get slug() {
    return this.#own ? "own-style" : this.styles.map(({ style }) => style.name).join("+").slice(0, 80);
  }

  #modeChanged() {
    if (!this.mixing && this.#chosen.size > 1) {
      const heaviest = this.styles.reduce((one, other) => (other.weight > one.weight ? other : one));
      this.#chosen = new Map([[heaviest.style.name, heaviest]]);
    }
    this.#changed();
  }

  #changed() {
    byId("mix").hidden = !this.mixing || Boolean(this.#own);
    byId("mix-empty").hidden = this.#chosen.size > 1;
    byId("chosen").textContent = this.#own ? `${this.#own.title} (your own picture)` : this.title;
    if (this.mixing) this.#list();
    this.dispatchEvent(new Event("change"));
  }

  // Rows that stay keep their slider, so that its thumb is not lost under a finger.
  #list() {
    const list = byId("weights");
    for (const row of [...list.children]) if (!this.#chosen.has(row.dataset.name)) row.remove();
    const there = new Set([...list.children].map((row) => row.dataset.name));
    for (const { style, weight } of this.styles) if (!there.has(style.name)) list.append(this.#row(style, weight));
    this.#shares();
  }

  #row(style, weight) {
    const row = byId("weight").content.firstElementChild.cloneNode(true);
    row.dataset.name = style.name;
    row.querySelector(".weight-title").textContent = style.title;
    const slider = row.querySelector("input");
    slider.value = weight;
    slider.setAttribute("aria-label", `Weight of ${style.title}`);
    slider.addEventListener("input", () => {
      this.#chosen.get(style.name).weight = Number(slider.value);
      this.#shares();
      this.dispatchEvent(new Event("change"));
    });
    const remove = row.querySelector("button");
    remove.setAttribute("aria-label", `Remove ${style.title} from the mix`);
    remove.addEventListener("click", () => {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      this.drop(style.name);
      (next?.querySelector("button") ?? byId("search")).focus();
    });
    pictureAddress(style.thumbnail).then((address) => { row.querySelector("img").src = address; }, () => {});
    return row;
  }

  #shares() {
    const sum = this.styles.reduce((total, { weight }) => total + weight, 0);
    for (const row of byId("weights").children) {
      const slider = row.querySelector("input");
      const share = sum ? Math.round((100 * this.#chosen.get(row.dataset.name).weight) / sum) : 0;
      row.querySelector("output").value = `${share} %`;
      slider.style.setProperty("--at", `${slider.value}%`);
      slider.setAttribute("aria-valuetext", `${share} % of the mix`);
    }
  }
}
