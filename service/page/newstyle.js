// A style of the user's own: used once from here, or put into the library where that is allowed.
import { Problem, askJson } from "./api.js";
import { asStyle, pictureIn } from "./photo.js";

const byId = (id) => document.getElementById(id);

export function slug(title) {
  const plain = title.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  return plain.slice(0, 64).replace(/-+$/, "") || "style";
}

export class NewStyle {
  #dialog = byId("newstyle");
  #form = byId("newstyle-form");
  #done; // {used(blob, title), added(style)}
  #previews = [];

  constructor(done) {
    this.#done = done;
    byId("add").addEventListener("click", () => this.open());
    byId("newstyle-cancel").addEventListener("click", () => this.#dialog.close());
    byId("newstyle-pictures").addEventListener("change", () => this.#chosen());
    this.#form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.#dialog.addEventListener("close", () => this.#forget());
    this.#dialog.addEventListener("dragover", (event) => { event.preventDefault(); event.stopPropagation(); });
    this.#dialog.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (pictureIn(event.dataTransfer)) this.#take(event.dataTransfer.files);
    });
  }

  set writable(writable) {
    byId("keep-choice").hidden = !writable;
    this.#form.elements.keep.checked = writable;
  }

  get isOpen() {
    return this.#dialog.open;
  }

  open(files = null) {
    this.#dialog.showModal();
    if (files) this.#take(files);
  }

  #take(files) {
    byId("newstyle-pictures").files = files;
    this.#chosen();
  }

  #chosen() {
    const files = [...byId("newstyle-pictures").files];
    const title = this.#form.elements.title;
    if (!title.value && files.length) title.value = files[0].name.replace(/\.[^.]*$/, "").replaceAll(/[-_]+/g, " ");
    for (const address of this.#previews) URL.revokeObjectURL(address);
    this.#previews = files.slice(0, 6).map((file) => URL.createObjectURL(file));
    byId("newstyle-previews").replaceChildren(...this.#previews.map((src) => Object.assign(new Image(), { src, alt: "" })));
    this.#complain("");
  }

  async #submit() {
    const files = [...byId("newstyle-pictures").files];
    const title = this.#form.elements.title.value.trim();
    if (!files.length) return this.#complain("Choose a picture first: a painting, a drawing, a fabric.");
    if (!this.#form.elements.keep.checked) {
      this.#done.used(await asStyle(files[0]), title || "Your picture");
      return this.#dialog.close();
    }
    const form = new FormData();
    form.set("name", slug(title || files[0].name));
    if (title) form.set("title", title);
    for (const file of files) form.append("picture", file, file.name);
    const button = byId("newstyle-use");
    button.disabled = true;
    try {
      const style = await askJson("v1/styles", { method: "POST", form });
      this.#dialog.close();
      this.#done.added(style);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#complain(error.message);
    } finally {
      button.disabled = false;
    }
    return undefined;
  }

  #complain(text) {
    byId("newstyle-problem").textContent = text;
    byId("newstyle-problem").hidden = !text;
  }

  #forget() {
    const kept = this.#form.elements.keep.checked;
    this.#form.reset();
    this.#form.elements.keep.checked = kept;
    this.#chosen();
  }
}
