"""Frames that hold together: what makes a painted film a film, and not a flicker.

A painting is split into colours (an affine map of the frame's own colours) and a layer of strokes. Three things are
held within a shot: the content statistics, measured in its first frame; the colour map, which follows slowly; and the
layer, which is carried along the optical flow and renewed a little in every frame, wholly where the flow cannot be
trusted. The grain that strokes grow from therefore moves with the things in the picture, not with the screen.
Letters: H height, W width.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motion.flow import Flow, optical_flow, warp
from motion.trust import consistent, untorn
from runtime.engine import Engine
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels
from stylenet.ledger import ContentStatistics
from video.colour_maps import ColourMap, apply_colours, fit_colours
from video.costs import Costs
from video.shots import is_cut

KEPT_SHARE = 0.9
"""How much of the carried layer stays where the flow can be trusted; docs/FILM.md shows what other shares do."""
LIKE_LEVELS = 20.0
"""A place counts as found again fully up to this difference in grey levels, and not at all at twice that."""
STRONGEST_GAIN = 1.05
"""Carrying softens strokes and averaging thins them: they are brought back to the strength of fresh ones, at most so
much per frame."""
FLOW_SIDE_PX = 960  # longer frames are searched at this size
_STROKE_PX = 17  # strokes are what differs from the mean of so large a square

Layer = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Held:
    """What one frame hands on to the next.

    Args:
        frame: the frame itself, uint8 (H, W, 3).
        first: the first frame of the shot, in which the statistics are measured.
        layer: float32 (H, W, 3): painting minus colours, in grey levels.
        colours: float32 (4, 3).
    """

    frame: Pixels
    first: Pixels
    layer: Layer
    colours: ColourMap


class FilmPainter:
    """Paints the frames of one film in their order.

    Args:
        engine: what paints.
        dials: the same for the whole film.
        held: of the last frame painted before, to go on from there; None begins a shot.
        costs: where the time goes.
    """

    def __init__(self, engine: Engine, dials: Dials, *, held: Held | None = None, costs: Costs | None = None) -> None:
        self.engine, self.dials = engine, dials
        self.held = held
        self.costs = costs or Costs()
        self.cuts = 0
        self._measured: tuple[Pixels, StyleCode, ContentStatistics] | None = None

    def paint(self, frame: Pixels, code: StyleCode) -> Pixels:
        """The next frame, painted.

        Args:
            frame: uint8 (H, W, 3), of the same size as all before.
            code: the style at this moment.

        Returns:
            uint8 (H, W, 3).
        """
        if self.dials.strength == 0:
            return frame.copy()
        with self.costs.timed("flow"):
            if self.held is not None and is_cut(self.held.frame, frame):
                self.held, self.cuts = None, self.cuts + 1
        first = frame if self.held is None else self.held.first
        with self.costs.timed("paint"):
            painting = self.engine.stylize(frame, code, self.dials, statistics=self._statistics(first, code))
        here, painted = frame.astype(np.float32), painting.astype(np.float32)
        colours = fit_colours(here, painted)
        if self.held is not None:
            colours = self.held.colours + (1 - KEPT_SHARE) * (colours - self.held.colours)
        base = apply_colours(colours, here)
        layer = painted - base
        if self.held is not None:
            layer = self._carry(self.held, frame, layer)
        self.held = Held(frame, first, layer, colours)
        return np.clip(np.rint(base + layer), 0, 255).astype(np.uint8)

    def _statistics(self, first: Pixels, code: StyleCode) -> ContentStatistics:
        """Of the shot's first frame; measured again while the style changes, since the deepest depend on it."""
        known = self._measured
        if known is None or known[0] is not first or known[1] is not code:
            self._measured = known = first, code, self.engine.measure(first, code, self.dials)
        return known[2]

    def _carry(self, held: Held, frame: Pixels, fresh: Layer) -> Layer:
        with self.costs.timed("flow"):
            forth, back = frame_flow(frame, held.frame), frame_flow(held.frame, frame)
            trust = trusted(held.frame, frame, forth, back)
        with self.costs.timed("blend"):
            carried = warp(held.layer, forth, sharp=True)
            share = np.float32(KEPT_SHARE) * trust[:, :, None]
            return with_strength_of(np.asarray(fresh + share * (carried - fresh), np.float32), fresh)


def frame_flow(here: Pixels, there: Pixels) -> Flow:
    """Optical flow between two frames of any size: that of a large film is searched in smaller frames.

    Returns:
        float32 (H, W, 2), in pixels of the frames as given.
    """
    import cv2

    height, width = here.shape[:2]
    scale = max(height, width) / FLOW_SIDE_PX
    if scale <= 1:
        return optical_flow(here, there)
    size = round(width / scale), round(height / scale)
    one, other = (
        np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8) for frame in (here, there)
    )
    small = optical_flow(one, other)
    factors = np.array([width / size[0], height / size[1]], dtype=np.float32)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR) * factors)


def trusted(before: Pixels, frame: Pixels, forth: Flow, back: Flow) -> NDArray[np.float32]:
    """How far each place of `frame` may take over what the frame before had there.

    Args:
        before, frame: uint8 (H, W, 3).
        forth: flow from `frame` to `before`. back: from `before` to `frame`.

    Returns:
        float32 (H, W), 0..1: 0 where it was covered, moves apart, or looks different now.
    """
    import cv2

    sure = (consistent(forth, back) & untorn(forth)).astype(np.uint8)
    sure = cv2.erode(sure, np.ones((3, 3), np.uint8)).astype(np.float32)
    gap = np.abs(frame.astype(np.float32) - warp(before.astype(np.float32), forth)).max(axis=2)
    alike = np.clip(2 - cv2.GaussianBlur(gap, (0, 0), 1.5) / LIKE_LEVELS, 0, 1)
    return np.asarray(cv2.GaussianBlur(sure, (0, 0), 1.0) * sure * alike, dtype=np.float32)


def with_strength_of(layer: Layer, fresh: Layer) -> Layer:
    """The layer with its strokes about as strong as those of a freshly painted one.

    Averaging moving strokes with standing ones thins them where anything moves; advected textures know the problem, and
    its cure, restoring the contrast (Neyret 2003).
    """
    import cv2

    window = (_STROKE_PX, _STROKE_PX)
    strokes = layer - cv2.blur(layer, window)
    wanted = fresh - cv2.blur(fresh, window)
    energy, needed = (cv2.blur(np.square(x).sum(axis=2), window) + 1.0 for x in (strokes, wanted))
    gain = np.clip(np.sqrt(needed / energy), 1.0, STRONGEST_GAIN)
    return np.asarray(layer + (gain[:, :, None] - 1) * strokes, dtype=np.float32)
