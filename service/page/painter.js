// Pictures from the service: quick drafts while a dial turns, a finer one when it rests, the whole one on request.
//
// One preview is under way at a time, and only the newest wish waits behind it. A draft is as large as the speed seen so
// far lets it be within DRAFT_MS, so turning a dial answers within a quarter of a second on any machine.
import { Problem, ask, askJson } from "./api.js";

const DRAFT_MS = 170;
const FINE_MS = 900;
const REST_MS = 320;
const SIDES = { draft: 224, first: 320, fine: 640, largest: 1280 };

export class Painter {
  #photo = null; // what `open` in photo.js gives
  #kept = ""; // the name under which the service keeps it
  #order; // () => FormData with style and dials, or null
  #tell; // {painted(blob, how), problem(problem, again), busy(bool), waiting(problem)}
  #msPerPixel = 0;
  #wish = 0;
  #done = 0;
  #running = null; // {fine, controller}
  #resting = 0;

  constructor(order, tell) {
    this.#order = order;
    this.#tell = tell;
  }

  get photo() {
    return this.#photo;
  }

  // The photograph is sent once; from then on it has a name there. One that is refused leaves everything as it was.
  async take(photo) {
    const kept = await send(photo);
    this.#running?.controller.abort();
    this.#photo = photo;
    this.#kept = kept;
    this.turn();
    return kept;
  }

  // Something was turned: paint anew.
  turn() {
    this.#wish += 1;
    clearTimeout(this.#resting);
    if (this.#running?.fine) this.#running.controller.abort();
    if (!this.#running || this.#running.fine) this.#loop();
  }

  async whole(format) {
    const form = this.#order();
    form.set("format", format);
    return this.#patiently(() => this.#paint(form));
  }

  async untouched(side) { // for a file that the browser cannot show
    const form = this.#order();
    for (const [name, value] of Object.entries({ strength: 0, max_side: side, format: "jpeg" })) form.set(name, value);
    return this.#paint(form);
  }

  async #loop() {
    while (this.#photo && this.#done !== this.#wish) {
      if (!await this.#preview(false)) return;
    }
    this.#resting = setTimeout(() => this.#preview(true), REST_MS);
  }

  // Returns whether to go on.
  async #preview(fine) {
    const form = this.#order();
    if (!form || !this.#photo) return false;
    const [mine, photo] = [this.#wish, this.#photo];
    const side = fine ? this.#side(FINE_MS, SIDES.fine) : this.#side(DRAFT_MS, SIDES.draft);
    const mineRunning = { fine, controller: new AbortController() };
    this.#running = mineRunning;
    form.set("format", "jpeg");
    form.set("max_side", side);
    this.#tell.busy(true);
    const begun = performance.now();
    try {
      const blob = await this.#paint(form, mineRunning.controller.signal);
      const ms = performance.now() - begun;
      if (photo !== this.#photo) return false;
      this.#learn(side, ms);
      this.#done = Math.max(this.#done, mine);
      this.#tell.painted(blob, { fine, ms, side });
      return true;
    } catch (error) {
      if (error.name === "AbortError") return false;
      if (!(error instanceof Problem)) throw error;
      this.#done = this.#wish; // what is wished next starts anew
      if (error.passes) this.#wait(error);
      else this.#tell.problem(error, () => this.turn());
      return false;
    } finally {
      if (this.#running === mineRunning) {
        this.#running = null;
        this.#tell.busy(false);
      }
    }
  }

  #wait(problem) {
    this.#tell.waiting(problem);
    this.#resting = setTimeout(() => this.turn(), problem.retryAfter * 1000);
  }

  async #paint(form, signal) {
    form.set("photo", this.#kept);
    try {
      return await (await ask("v1/stylize", { method: "POST", form, signal })).blob();
    } catch (error) {
      if (error.kind !== "unknown-photo") throw error; // forgotten, or another replica has it: send it again, once
      this.#kept = await send(this.#photo, signal);
      form.set("photo", this.#kept);
      return (await ask("v1/stylize", { method: "POST", form, signal })).blob();
    }
  }

  // A whole picture is worth waiting for: busy or starting, it is tried again when the service says so.
  async #patiently(work, tries = 5) {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        tries -= 1;
        if (!error.passes || tries === 0) throw error;
        this.#tell.waiting(error);
        await new Promise((done) => { setTimeout(done, error.retryAfter * 1000); });
      }
    }
  }

  #side(budgetMs, smallest) {
    const { sentWidth, sentHeight } = this.#photo;
    const longest = Math.max(sentWidth, sentHeight);
    if (!this.#msPerPixel) return Math.min(SIDES.first, longest);
    const aspect = Math.min(sentWidth, sentHeight) / longest;
    const side = Math.sqrt(budgetMs / this.#msPerPixel / aspect);
    const snapped = Math.floor(side / 32) * 32; // few different sizes: the engine keeps its buffers
    return Math.min(longest, Math.max(smallest, Math.min(SIDES.largest, snapped)));
  }

  #learn(side, ms) {
    const { sentWidth, sentHeight } = this.#photo;
    const scale = side / Math.max(sentWidth, sentHeight);
    const seen = ms / (sentWidth * sentHeight * scale * scale);
    this.#msPerPixel = this.#msPerPixel ? this.#msPerPixel + 0.4 * (seen - this.#msPerPixel) : seen;
  }
}

async function send(photo, signal) {
  const form = new FormData();
  form.set("image", photo.file, photo.name);
  const kept = await askJson("v1/photos", { method: "POST", form, signal });
  Object.assign(photo, { sentWidth: kept.width, sentHeight: kept.height });
  return kept.photo;
}
