"""Sixteen paintings, one module each; every module has a `paint(sheet)` that returns colour, always the same.

Start with `harbour` for the brush, `lagoon` for washes, `glass` for pieces, and `wave` for flat colour.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from samples.errors import SampleError
from samples.paintings import (
    boulevard,
    charcoal,
    cubist,
    drips,
    fauve,
    glass,
    goldtree,
    harbour,
    lagoon,
    liner,
    millpond,
    mosaic,
    riverside,
    starry,
    sumi,
    wave,
)
from samples.scene import Array, Pixels, Sheet, to_pixels

SMALLEST_PX, LARGEST_PX = 16, 4096
ARTIST, YEAR = "pentimento", 2026

LANDSCAPE, SQUARE = 1.25, 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Painting:
    """A painting that can be painted again at any size."""

    name: str  # a slug, for example "harbour-impasto"
    title: str
    movement: str  # spelt as WikiArt spells the folder of that style, where it has one
    description: str
    aspect: float = LANDSCAPE  # width / height
    paint: Callable[[Sheet], Array] = field(repr=False, compare=False)

    def sheet(self, short_side_px: int) -> Sheet:
        long_side_px = round(short_side_px * max(self.aspect, 1 / self.aspect))
        if self.aspect < 1:
            return Sheet(width_px=short_side_px, height_px=long_side_px)
        return Sheet(width_px=long_side_px, height_px=short_side_px)

    @property
    def file_name(self) -> str:
        """As WikiArt names its files: artist, title, year."""
        return f"{ARTIST}_{self.title.lower().replace(' ', '-')}-{YEAR}.png"


PAINTINGS: tuple[Painting, ...] = (
    Painting(
        name="harbour-impasto", title="Harbour at Sunset", movement="Impressionism", paint=harbour.paint,
        description="short loaded strokes in thick relief; orange sun, violet haze, blue water",
    ),
    Painting(
        name="night-swirls", title="Night over the Village", movement="Post_Impressionism", paint=starry.paint,
        description="long strokes winding around every star; ultramarine and yellow",
    ),
    Painting(
        name="riverside-dots", title="Sunday by the River", movement="Pointillism", paint=riverside.paint,
        description="nothing but round dots of pure, complementary colour",
    ),
    Painting(
        name="red-trees", title="The Red Trees", movement="Fauvism", paint=fauve.paint,
        description="broad bristly strokes, colour set free of nature, dark broken contours",
    ),
    Painting(
        name="great-wave", title="Wave and Mountain", movement="Ukiyo_e", paint=wave.paint,
        description="flat Prussian blues with carved outlines on grained, worn paper",
    ),
    Painting(
        name="mountains-ink", title="Mountains in Mist", movement="Sumi_e", aspect=8 / 11, paint=sumi.paint,
        description="one black ink, much water and bare warm paper",
    ),
    Painting(
        name="stained-glass", title="Sunrise Window", movement="Gothic", aspect=7 / 9, paint=glass.paint,
        description="saturated glowing panes between heavy black lead",
    ),
    Painting(
        name="dove-mosaic", title="Bird with Olive Branch", movement="Byzantine", paint=mosaic.paint,
        description="stone and gold tiles in rows that follow every outline",
    ),
    Painting(
        name="golden-tree", title="Tree of Spirals", movement="Art_Nouveau_Modern", aspect=SQUARE, paint=goldtree.paint,
        description="gold leaf, curling branches and jewel-like ornament",
    ),
    Painting(
        name="guitar-planes", title="Guitar and Bottle", movement="Analytical_Cubism", paint=cubist.paint,
        description="a table broken into shaded planes of ochre, slate and umber",
    ),
    Painting(
        name="lagoon-watercolour", title="Morning on the Lagoon", movement="Romanticism", paint=lagoon.paint,
        description="transparent washes with dark drying edges on rough white paper",
    ),
    Painting(
        name="oak-charcoal", title="The Winter Oak", movement="Realism", paint=charcoal.paint,
        description="rubbed charcoal on grey paper, heightened with white chalk",
    ),
    Painting(
        name="mill-hatching", title="Mill on the Canal", movement="Baroque", paint=millpond.paint,
        description="sepia pen lines, all tone by cross-hatching, on old cream paper",
    ),
    Painting(
        name="liner-poster", title="The Liner", movement="Art_Deco", aspect=16 / 21, paint=liner.paint,
        description="airbrushed geometric poster in teal, navy, coral and cream",
    ),
    Painting(
        name="palms-halftone", title="Palms at Sundown", movement="Pop_Art", paint=boulevard.paint,
        description="coarse printed dots, inked outlines, pink, yellow and cyan",
    ),
    Painting(
        name="poured-enamel", title="Dance Number Five", movement="Action_painting", paint=drips.paint,
        description="black, white and ochre enamel poured in skeins over raw canvas",
    ),
)  # fmt: skip

_BY_NAME = {one.name: one for one in PAINTINGS}


def painting(name: str, *, short_side_px: int = 512) -> Pixels:
    """Paint one of `PAINTINGS`. The same name and size give the same bytes.

    Args:
        name: a `Painting.name`.
        short_side_px: 16 to 4096; the long side follows from the painting's aspect.

    Returns:
        uint8 (H, W, 3) RGB.

    Raises:
        SampleError: no such name, or a size outside the range.
    """
    if name not in _BY_NAME:
        raise SampleError(f"no painting {name!r} in the sample (have: {', '.join(_BY_NAME)})")
    if not SMALLEST_PX <= short_side_px <= LARGEST_PX:
        raise SampleError(f"short_side_px={short_side_px} is out of range; use {SMALLEST_PX} to {LARGEST_PX}")
    return _painted(name, short_side_px).copy()


@lru_cache(maxsize=32)  # a painting takes a second, and the data folder and the style library want the same sixteen
def _painted(name: str, short_side_px: int) -> Pixels:
    work = _BY_NAME[name]
    return to_pixels(work.paint(work.sheet(short_side_px)))
