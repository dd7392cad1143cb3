// The page: puts its parts together. Read easel.js (what is shown), painter.js (how previews are paced) and api.js next.
import { Problem, askJson, onTokenWanted } from "./api.js";
import { Dials } from "./dials.js";
import { Easel } from "./easel.js";
import { Library } from "./library.js";
import { NewStyle } from "./newstyle.js";
import { Painter } from "./painter.js";
import { Palette } from "./palette.js";
import { open, pictureIn } from "./photo.js";
import { askForToken } from "./token.js";

const STARTING_MS = 2000;
const BEFORE_PX = 1280;
const byId = (id) => document.getElementById(id);

let limits = { max_pixels: 2048 * 2048, max_bytes: 32 * 2 ** 20, formats_in: ["png", "jpeg", "webp", "tiff", "bmp"] };
let announced = 0; // a painting that rests is announced once

onTokenWanted(askForToken);
const easel = new Easel();
const palette = new Palette();
const dials = new Dials();
const library = new Library(palette);
const painter = new Painter(order, {
  painted: (blob, how) => shown(blob, how).catch(fail),
  problem: (problem, again) => easel.complain(problem, { again, passing: true }),
  waiting: (problem) => easel.caption(`${problem.message}`),
  busy: (busy) => { easel.busy = busy; },
});
const newStyle = new NewStyle({
  used: (blob, title) => palette.useOwn(blob, title),
  added: (style) => { palette.pick(style); run(library.load()); },
});

function order() {
  if (palette.empty) return null;
  const form = new FormData();
  palette.fill(form);
  dials.fill(form);
  return form;
}

function fail(error) {
  easel.busy = false;
  if (error instanceof Problem) easel.complain(error);
  else if (error.name !== "AbortError") throw error;
}

function run(promise) {
  promise.catch(fail);
}

async function take(file) {
  if (!file) return;
  easel.calm();
  easel.busy = true;
  const photo = await open(file, limits);
  if (photo.shown) {
    await Promise.all([easel.show("before", photo.shown), easel.show("after", photo.shown)]);
    easel.state = "photo";
  }
  easel.caption(photo.changed ? `The photograph is ${photo.changed}.` : "Sending the photograph …");
  try {
    library.photo = await painter.take(photo);
  } catch (error) {
    await putBack();
    throw error;
  }
  if (!photo.shown) await easel.show("before", await painter.untouched(BEFORE_PX));
  byId("name").textContent = `${photo.name} · ${photo.sentWidth} × ${photo.sentHeight} px`;
  byId("download").disabled = false;
  byId("change").hidden = false;
  if (document.activeElement === document.body) byId("change").focus({ preventScroll: true }); // its button has gone
}

// The photograph was refused: what was on the easel before it stands there again.
async function putBack() {
  const { photo } = painter;
  easel.caption("");
  if (!photo) easel.state = "empty";
  else if (photo.shown) await easel.show("before", photo.shown);
  painter.turn();
}

async function shown(blob, { fine, ms, side }) {
  easel.calm({ passing: true });
  await easel.show("after", blob);
  easel.state = "painted";
  easel.caption(`${fine ? "Preview" : "Draft"} at ${side} px in ${Math.round(ms)} ms`);
  if (fine && announced !== side) easel.announce(`Painted in ${palette.title}.`);
  announced = fine ? side : 0;
}

async function download() {
  const button = byId("download");
  const format = byId("format").value;
  easel.calm();
  button.disabled = true;
  easel.busy = true;
  easel.announce("Painting at full size …");
  easel.caption("Painting at full size …");
  try {
    const blob = await painter.whole(format);
    save(blob, `${painter.photo.name}-${palette.slug}.${format === "jpeg" ? "jpg" : format}`);
    await easel.show("after", blob); // what was saved is what is shown
    easel.caption(`Full size, ${Math.max(1, Math.round(blob.size / 1024)).toLocaleString()} KB, saved`);
    easel.announce("The painting is saved at full size.");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    easel.complain(error, { again: () => run(download()) });
  } finally {
    button.disabled = false;
    easel.busy = false;
  }
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function begin() {
  const model = await askJson("v1/model");
  ({ limits } = model);
  palette.most = limits.max_styles ?? palette.most;
  newStyle.writable = model.styles_writable;
  if (!model.version) {
    byId("model").textContent = `Not ready: ${model.reason}`;
    setTimeout(() => run(begin()), STARTING_MS);
    return;
  }
  byId("model").textContent = `${model.version} · ${model.engine.name} ${model.engine.precision}`;
  byId("model").title = `package ${model.digest}`;
  await library.load();
}

byId("file").addEventListener("change", (event) => { run(take(event.target.files[0])); event.target.value = ""; });
for (const id of ["choose", "change"]) byId(id).addEventListener("click", () => byId("file").click());
byId("download").addEventListener("click", () => run(download()));
byId("dismiss").addEventListener("click", () => easel.calm());
palette.addEventListener("change", () => painter.turn());
dials.addEventListener("change", () => painter.turn());
document.addEventListener("paste", (event) => {
  const picture = pictureIn(event.clipboardData);
  if (picture && !newStyle.isOpen) run(take(picture));
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    const onStyles = Boolean(event.target.closest?.(".library"));
    easel.inviting = kind === "dragover" && !onStyles;
    if (kind === "drop" && onStyles) newStyle.open(event.dataTransfer.files);
    else if (kind === "drop") run(take(pictureIn(event.dataTransfer)));
  });
}
run(begin());
