// The page: choose, turn, compare, download. Previews are small and abort one another; the download is full size.
const PREVIEW_PX = 720;
const SETTLE_MS = 180;
const byId = (id) => document.getElementById(id);
const stage = byId("stage");
const panel = byId("panel");
const DIALS = ["strength", "fidelity", "texture", "semantics"];

let limits = { max_pixels: 2048 * 2048, formats_in: [] };
let photo = null; // {full: Blob, small: Blob, name, width, height}
let newest = 0; // the number of the newest preview: an older one that comes late is dropped
let running = null;
let settling = 0;
const shown = { before: "", after: "" };

function say(text, wrong = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("wrong", wrong);
}

async function problemOf(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return `the service answered ${answer.status}`;
  }
}

async function getJson(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(await problemOf(answer));
  return answer.json();
}

function show(id, blob) {
  if (shown[id]) URL.revokeObjectURL(shown[id]);
  shown[id] = URL.createObjectURL(blob);
  const picture = byId(id);
  picture.src = shown[id];
  picture.decode().then(() => {
    picture.parentElement.style.setProperty("--aspect", picture.naturalWidth / picture.naturalHeight);
  }, () => {});
}

// A picture no larger than so many pixels and so long a side; the very same file where it fits already.
async function fitted(file, bitmap, { pixels = Infinity, side = Infinity, type = "image/jpeg" }) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height), Math.sqrt(pixels / (bitmap.width * bitmap.height)));
  if (scale === 1) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(16, Math.floor(bitmap.width * scale));
  canvas.height = Math.max(16, Math.floor(bitmap.height * scale));
  const brush = canvas.getContext("2d");
  brush.imageSmoothingQuality = "high";
  brush.fillStyle = "#fff"; // transparency is laid on white, as the service does
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, type, 0.95));
}

async function take(file) {
  if (!file) return;
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    // The browser cannot show it (TIFF, say): the service may still read it, so its answer decides.
  }
  const name = file.name || "photograph";
  if (bitmap === null) {
    photo = { full: file, small: file, name };
  } else {
    const full = await fitted(file, bitmap, { pixels: limits.max_pixels });
    const small = await fitted(file, bitmap, { side: PREVIEW_PX });
    photo = { full, small, name, width: bitmap.width, height: bitmap.height, shrunk: full !== file };
    bitmap.close();
    show("before", small);
    show("after", small);
    stage.dataset.state = "photo";
  }
  byId("download").disabled = false;
  say(photo.shrunk ? "The photograph is larger than the service takes; it is made smaller first." : "");
  preview();
}

function order(blob, format) {
  const form = new FormData();
  const style = panel.elements.style?.value;
  if (!style) throw new Error("The style library is empty; `pentimento styles add` fills it.");
  form.set("image", blob, photo.name);
  form.set("style", style);
  for (const dial of DIALS) form.set(dial, panel.elements[dial].value);
  form.set("keep_color", panel.elements.keep_color.checked);
  form.set("format", format);
  return form;
}

async function paint(blob, format, signal) {
  const answer = await fetch("v1/stylize", { method: "POST", body: order(blob, format), signal });
  if (!answer.ok) throw new Error(await problemOf(answer));
  return { blob: await answer.blob(), timing: answer.headers.get("Server-Timing") ?? "" };
}

function preview() {
  if (!photo) return;
  clearTimeout(settling);
  settling = setTimeout(async () => {
    const mine = ++newest;
    running?.abort();
    running = new AbortController();
    stage.setAttribute("aria-busy", "true");
    const begun = performance.now();
    try {
      const painted = await paint(photo.small, "jpeg", running.signal);
      if (mine !== newest) return;
      if (stage.dataset.state === "empty") show("before", painted.blob); // no way to show the original
      show("after", painted.blob);
      stage.dataset.state = "painted";
      say(timingInWords(painted.timing, performance.now() - begun));
    } catch (error) {
      if (error.name !== "AbortError") say(error.message, true);
    } finally {
      if (mine === newest) stage.removeAttribute("aria-busy");
    }
  }, SETTLE_MS);
}

function timingInWords(header, totalMs) {
  const stylize = /stylize;dur=([\d.]+)/.exec(header)?.[1];
  const size = photo.width ? `${photo.width} × ${photo.height} px, shown smaller. ` : "";
  return `${size}Preview in ${Math.round(totalMs)} ms${stylize ? `, of which ${Math.round(stylize)} ms painting` : ""}.`;
}

async function download() {
  const button = byId("download");
  const format = byId("format").value;
  button.disabled = true;
  stage.setAttribute("aria-busy", "true");
  say("Painting at full size …");
  try {
    const painted = await paint(photo.full, format);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(painted.blob);
    link.download = `${photo.name.replace(/\.[^.]*$/, "")}-${panel.elements.style.value}.${format === "jpeg" ? "jpg" : format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    say(`Painted at full size: ${Math.max(1, Math.round(painted.blob.size / 1024)).toLocaleString()} KB.`);
  } catch (error) {
    say(error.message, true);
  } finally {
    button.disabled = false;
    stage.removeAttribute("aria-busy");
  }
}

function showDials() {
  for (const dial of DIALS) {
    panel.querySelector(`output[for="${dial}"]`).value = Number(panel.elements[dial].value).toFixed(2);
  }
}

function tile(style, first) {
  const label = document.createElement("label");
  label.className = "style";
  const radio = Object.assign(document.createElement("input"), { type: "radio", name: "style", value: style.name, checked: first });
  radio.defaultChecked = first;
  const picture = Object.assign(document.createElement("img"), { src: style.thumbnail.replace(/^\//, ""), alt: "", loading: "lazy" });
  const name = Object.assign(document.createElement("span"), { textContent: style.title, title: style.title });
  label.append(radio, picture, name);
  label.dataset.about = [style.title, style.tags.join(", ").replaceAll("-", " "), style.author].filter(Boolean).join(" · ");
  return label;
}

function showChosen() {
  byId("chosen").textContent = panel.querySelector(".style:has(input:checked)")?.dataset.about ?? "";
}

async function showStyles() {
  const { styles } = await getJson("v1/styles");
  byId("styles").replaceChildren(...styles.map((style, index) => tile(style, index === 0)));
  showChosen();
  if (!styles.length) say("The style library is empty; `pentimento styles add` fills it.", true);
}

async function showModel() {
  const model = await getJson("v1/model");
  limits = model.limits;
  byId("model").textContent = model.version
    ? `${model.version} on ${model.engine.name} ${model.engine.precision}`
    : `Not ready: ${model.reason}`;
  byId("model").title = model.digest ? `package ${model.digest}` : "";
  if (model.version) await showStyles();
  else setTimeout(() => showModel().catch((error) => say(error.message, true)), 2000);
}

byId("file").addEventListener("change", (event) => take(event.target.files[0]));
byId("download").addEventListener("click", download);
byId("divide").addEventListener("input", (event) => {
  event.target.parentElement.style.setProperty("--cut", `${event.target.value}%`);
});
panel.addEventListener("submit", (event) => event.preventDefault());
panel.addEventListener("input", () => { showDials(); showChosen(); preview(); });
panel.addEventListener("reset", (event) => {
  const style = panel.elements.style?.value;
  setTimeout(() => { if (style) panel.elements.style.value = style; showDials(); showChosen(); preview(); });
});
document.addEventListener("paste", (event) => take([...event.clipboardData.files].find((file) => file.type.startsWith("image/"))));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    stage.classList.toggle("over", kind === "dragover");
    if (kind === "drop") take(event.dataTransfer.files[0]);
  });
}
showDials();
showModel().catch((error) => say(error.message, true));
