"""Photographs that the installed scientific libraries carry in their own wheels. Nothing is ever fetched.

They are found as files next to the libraries rather than through the libraries' loaders, because those may download
what is missing, and because importing scikit-learn takes a second that reading a file does not need.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from samples.errors import SampleError
from samples.scene import Pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """Where a photograph lies, and whom to thank for it."""

    library: str
    path: str
    credit: str


_SOURCES: dict[str, _Source] = {
    "astronaut": _Source(library="skimage", path="data/astronaut.png", credit="Eileen Collins, by NASA, public domain"),
    "chelsea": _Source(library="skimage", path="data/chelsea.png", credit="a cat, by Stefan van der Walt, CC0"),
    "coffee": _Source(library="skimage", path="data/coffee.png", credit="a cup, by Rachel Michetti, CC0"),
    "rocket": _Source(library="skimage", path="data/rocket.jpg", credit="a launch, by SpaceX, CC0"),
    "motorcycle": _Source(
        library="skimage", path="data/motorcycle_left.png", credit="a garage, from the Middlebury 2014 stereo set"
    ),
    "hubble": _Source(library="skimage", path="data/hubble_deep_field.jpg", credit="galaxies, by NASA, public domain"),
    "china": _Source(
        library="sklearn", path="datasets/images/china.jpg", credit="a palace, by danielbuechele on Flickr, CC BY 2.0"
    ),
    "flower": _Source(
        library="sklearn", path="datasets/images/flower.jpg", credit="a dahlia, by vultilion on Flickr, CC BY 2.0"
    ),
}

PHOTOGRAPHS: tuple[str, ...] = tuple(_SOURCES)


def photograph(name: str) -> Pixels:
    """One of `PHOTOGRAPHS`.

    Returns:
        uint8 (H, W, 3) RGB, at the size in which the library ships it.

    Raises:
        SampleError: no such name, or the library or its file is not installed here.
    """
    if name not in _SOURCES:
        raise SampleError(f"no photograph {name!r} in the sample (have: {', '.join(PHOTOGRAPHS)})")
    path = _path(_SOURCES[name])
    try:
        with Image.open(path) as picture:
            return np.array(picture.convert("RGB"))
    except OSError as error:
        raise SampleError(
            f"photograph {name!r} is not readable at {path}; reinstall {_SOURCES[name].library}"
        ) from error


def _path(source: _Source) -> Path:
    spec = find_spec(source.library)
    if spec is None or spec.origin is None:
        raise SampleError(f"the sample's photographs come with {source.library}, which is not installed: make install")
    return Path(spec.origin).parent / source.path
