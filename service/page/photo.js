// From a file to what is sent: the very same bytes where the service takes them, otherwise the nearest that it takes.
export const NEUTRAL = "photograph";

export async function open(file, limits) {
  const name = (file.name || NEUTRAL).replace(/\.[^.]*$/, "");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file); // upright: the camera's orientation is applied
  } catch {
    return { file, name, shown: null, width: 0, height: 0, changed: "" }; // TIFF, say: the service may still read it
  }
  const { width, height } = bitmap;
  const fits = width * height <= limits.max_pixels && file.size <= limits.max_bytes * 0.98; // the form needs some too
  const known = limits.formats_in.some((format) => file.type === `image/${format}`);
  const sent = fits && known ? file : await redrawn(bitmap, limits.max_pixels);
  bitmap.close();
  return { file: sent, name, shown: sent, width, height, changed: fits ? "" : "larger than the service takes, so it is made smaller first" };
}

// The same picture with at most so many pixels, as JPEG; transparency is laid on white, as the service does.
export async function redrawn(bitmap, pixels, quality = 0.95) {
  const scale = Math.min(1, Math.sqrt(pixels / (bitmap.width * bitmap.height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(bitmap.width * scale));
  canvas.height = Math.max(1, Math.floor(bitmap.height * scale));
  const brush = canvas.getContext("2d");
  brush.imageSmoothingQuality = "high";
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done, "image/jpeg", quality); });
}

// A style picture of the user's own goes along with every preview, so it is sent small.
export async function asStyle(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const small = bitmap.width * bitmap.height > 768 * 768 ? await redrawn(bitmap, 768 * 768, 0.92) : file;
    bitmap.close();
    return small;
  } catch {
    return file;
  }
}

export function pictureIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}
