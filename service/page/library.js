// The style library: pages of tiles, found by words or by what suits the photograph. Which ones are chosen: palette.js.
import { askJson, pictureAddress } from "./api.js";

const PAGE = 48;
const TYPING_MS = 220;
const byId = (id) => document.getElementById(id);

export class Library {
  #palette;
  #next = null;
  #asked = 0;
  #typing = 0;
  #photo = "";

  constructor(palette) {
    this.#palette = palette;
    byId("search").addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.load(), TYPING_MS);
    });
    byId("suits").addEventListener("change", () => this.load());
    byId("more").addEventListener("click", () => this.#more());
    byId("styles").addEventListener("change", (event) => this.#picked(event.target));
    palette.addEventListener("change", () => this.#mark());
  }

  // The photograph's name at the service: from then on styles can be suggested for it.
  set photo(name) {
    this.#photo = name;
    byId("suits-choice").hidden = !name;
    if (byId("suits").checked) this.load();
  }

  async load() {
    const mine = ++this.#asked;
    const page = await this.#page("");
    if (mine !== this.#asked) return;
    byId("styles").replaceChildren();
    this.#add(page);
    if (!this.#palette.styles.length && page.styles.length) this.#palette.pick(page.styles[0]);
  }

  async #more() {
    const mine = ++this.#asked;
    const first = byId("styles").children.length;
    const page = await this.#page(this.#next);
    if (mine !== this.#asked) return;
    this.#add(page);
    byId("styles").children[first]?.querySelector("input").focus(); // the button may have gone
  }

  #page(after) {
    if (byId("suits").checked && this.#photo) return askJson(`v1/photos/${this.#photo}/styles?limit=12`);
    const wanted = new URLSearchParams({ limit: PAGE });
    const query = byId("search").value.trim();
    if (query) wanted.set("query", query);
    if (after) wanted.set("after", after);
    return askJson(`v1/styles?${wanted}`);
  }

  #add({ styles, next = null, total = styles.length }) {
    byId("styles").append(...styles.map((style) => this.#tile(style)));
    this.#next = next;
    const shown = byId("styles").children.length;
    byId("more").hidden = !next;
    byId("found").textContent = shown ? `${total.toLocaleString()} ${total === 1 ? "style" : "styles"}` : "";
    byId("nothing").hidden = shown > 0;
    byId("nothing").textContent = byId("search").value.trim()
      ? "No style answers to that. Fewer letters find more."
      : "The library is empty. Add a style of your own below.";
  }

  #tile(style) {
    const tile = byId("tile").content.firstElementChild.cloneNode(true);
    const input = tile.querySelector("input");
    input.value = style.name;
    input.about = style;
    tile.querySelector("span").textContent = style.title;
    tile.title = [style.title, style.author, style.tags.join(", ").replaceAll("-", " ")].filter(Boolean).join(" · ");
    const picture = tile.querySelector("img");
    pictureAddress(style.thumbnail).then((address) => { picture.src = address; }, () => {});
    this.#markOne(input);
    return tile;
  }

  #picked(input) {
    if (input.type === "radio" || input.checked) this.#palette.pick(input.about);
    else this.#palette.drop(input.about.name);
  }

  #mark() {
    for (const input of byId("styles").querySelectorAll("input")) this.#markOne(input);
  }

  #markOne(input) {
    input.type = this.#palette.mixing ? "checkbox" : "radio";
    input.checked = this.#palette.has(input.value);
    input.disabled = this.#palette.mixing && this.#palette.full && !input.checked;
  }
}
