"""Style codes, kept in memory: a style is encoded once for each model, however often it is asked for."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from registry.styles import Style, StyleLibrary
from service.metrics import Metrics
from service.resident import Resident
from stylenet.codes import StyleCode, mix
from stylenet.images import Pixels


@dataclass(frozen=True, slots=True)
class WeightedStyle:
    """One style of a mixture."""

    style: Style
    weight: float


class StyleCodes:
    """The codes used last. Only for the lane: what is not kept is encoded by the model's engine.

    Args:
        library: keeps codes too, on disk.
        size: most codes that are kept; some KB each.
    """

    def __init__(self, library: StyleLibrary, metrics: Metrics, *, size: int) -> None:
        self._library = library
        self._metrics = metrics
        self._size = size
        self._kept: OrderedDict[tuple[str, str], StyleCode] = OrderedDict()

    def of_styles(self, model: Resident, styles: Sequence[WeightedStyle]) -> StyleCode:
        """The code of one style of the library, or of a mixture.

        Raises:
            UnknownStyle, StoreError: it was removed meanwhile, or cannot be read.
        """
        codes = [self._of_style(model, entry.style) for entry in styles]
        return codes[0] if len(codes) == 1 else mix(codes, [entry.weight for entry in styles])

    def of_picture(self, model: Resident, pixels: Pixels, digest: str) -> StyleCode:
        """The code of a client's own picture, whose file has that digest."""
        key = (model.digest, digest)
        code = self._known(key)
        return self._keep(key, model.engine.encode_style(pixels), "engine") if code is None else code

    def _of_style(self, model: Resident, style: Style) -> StyleCode:
        key = (model.digest, style.id)  # an id follows from the pictures
        code = self._known(key)
        return self._keep(key, self._library.code(style, model.engine), "library") if code is None else code

    def _known(self, key: tuple[str, str]) -> StyleCode | None:
        code = self._kept.get(key)
        if code is not None:
            self._kept.move_to_end(key)
            self._metrics.style_codes.labels("memory").inc()
        return code

    def _keep(self, key: tuple[str, str], code: StyleCode, found: str) -> StyleCode:
        self._metrics.style_codes.labels(found).inc()
        self._kept[key] = code
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return code
