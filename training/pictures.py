"""Training pictures: which files, their digest, and random crops of them that depend on seed and step alone."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage.exposure import match_histograms
from torch import Tensor

from stylenet.errors import ConfigError, PictureError
from stylenet.images import Pixels, to_image
from stylenet.pictures import SUFFIXES, read_picture, resize_short_side

CONTENT_FOLDERS = ("coco-sample", "photos-classic", "bsds500/images", "photographs")
STYLE_FOLDERS = ("wikiart-sample", "paintings-classic", "paintings")
LOAD_SIDE_PX = 448  # pictures are held at this short side: 600 of them fit in 0.5 GB, and crops still vary in scale


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Decoded pictures, held in memory, with the digest of the files that they came from."""

    names: tuple[str, ...]
    pictures: tuple[Pixels, ...]
    digest: str
    skipped: tuple[str, ...] = ()


def load_pictures(root: Path, kind: str, *, side_px: int = LOAD_SIDE_PX) -> PictureSet:
    """Every training picture of a kind below a data folder.

    A folder with an `index.csv` (columns path, split) gives only its `train` split; test pictures are never trained on.
    Unreadable files are skipped and named.

    Args:
        root: a folder with `photographs/` and `paintings/`, or the assets' layout.
        kind: "content" or "style".
        side_px: the short side at which pictures are held.

    Raises:
        ConfigError: no usable picture was found.
    """
    folders = CONTENT_FOLDERS if kind == "content" else STYLE_FOLDERS
    allowed = _train_split(root)
    paths = sorted(
        path
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.suffix.lower() in SUFFIXES
        and "panoptic" not in path.parts
        and (allowed is None or path.relative_to(root).as_posix() in allowed)
    )
    names, pictures, skipped = [], [], []
    digest = hashlib.sha256()
    for path in paths:
        name = path.relative_to(root).as_posix()
        try:
            pixels = read_picture(path, max_pixels=8192 * 8192)
        except PictureError as error:
            skipped.append(str(error))
            continue
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        names.append(name)
        pictures.append(resize_short_side(pixels, side_px))
    if not pictures:
        raise ConfigError(
            f"no {kind} pictures in {root}: expected {' or '.join(folders)} with PNG, JPEG or WebP files; "
            "`pentimento sample DIR` writes the embedded sample in this layout"
        )
    return PictureSet(tuple(names), tuple(pictures), digest.hexdigest(), tuple(skipped))


def join(sets: Sequence[PictureSet]) -> PictureSet:
    """Several sets as one, in their order."""
    if len(sets) == 1:
        return sets[0]
    digest = hashlib.sha256("\n".join(part.digest for part in sets).encode()).hexdigest()
    return PictureSet(
        tuple(name for part in sets for name in part.names),
        tuple(picture for part in sets for picture in part.pictures),
        digest,
        tuple(reason for part in sets for reason in part.skipped),
    )


def _train_split(root: Path) -> set[str] | None:
    index = root / "index.csv"
    if not index.is_file():
        return None
    with open(index, newline="", encoding="utf-8") as stream:
        return {row["path"] for row in csv.DictReader(stream) if row.get("split") == "train"}


def random_crop(pixels: Pixels, side_px: int, rng: np.random.Generator, *, rotation_deg: float = 15.0) -> Tensor:
    """A square crop of random scale, place, rotation and handedness.

    Rotated first, and cut only where the rotated picture has no empty corner.

    Args:
        pixels: uint8 (H, W, 3).
        side_px: side of the crop.
        rng: where the chance comes from.
        rotation_deg: rotates by up to this much either way (the article: 15).

    Returns:
        (1, 3, side, side) float32, -1..1.
    """
    height, width = pixels.shape[:2]
    angle = np.deg2rad(rng.uniform(-rotation_deg, rotation_deg))
    # A square of side s stays inside a rotated square of side s * (|cos| + |sin|).
    growth = abs(np.cos(angle)) + abs(np.sin(angle))
    largest = min(min(height, width) / growth, side_px * 1.8)
    smallest = min(largest, side_px * 0.8)
    source_side = rng.uniform(smallest, largest)
    half = source_side * growth / 2
    centre_x = rng.uniform(half, width - half)
    centre_y = rng.uniform(half, height - half)
    scale = source_side / side_px
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    middle = (side_px - 1) / 2
    # Pillow maps an output pixel (x, y) to (a x + b y + c, d x + e y + f) in the input.
    a, b = cos * mirror, -sin
    d, e = sin * mirror, cos
    c = centre_x - a * middle - b * middle
    f = centre_y - d * middle - e * middle
    crop = Image.fromarray(pixels).transform(
        (side_px, side_px), Image.Transform.AFFINE, (a, b, c, d, e, f), resample=Image.Resampling.BICUBIC
    )
    return to_image(np.asarray(crop))


def match_histogram(style: Tensor, content: Tensor) -> Tensor:
    """The style picture with the photograph's colour histogram (Gatys et al. 2017): its strokes without its colours.

    Args:
        style, content: (1, 3, H, W) float32, -1..1.

    Returns:
        (1, 3, H, W) float32, -1..1.
    """
    matched = match_histograms(style[0].numpy(), content[0].numpy(), channel_axis=0)
    return torch.from_numpy(np.ascontiguousarray(matched, dtype=np.float32)).unsqueeze(0).clamp(-1, 1)
