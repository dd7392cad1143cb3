"""One pair's numbers from a method's pictures: the unit of work, here, after a kill, and on a cluster alike."""

from dataclasses import dataclass

import numpy as np

from evaluation.ledger import Record, digest_of
from evaluation.measuring import Instruments
from evaluation.methods import Method, null_sweeps
from evaluation.pairs import Picture
from evaluation.scores import ADAIN

PAINTED = "painted"
"""The row of the method itself in its record; the null methods' rows stand beside AdaIN's, whose pictures they use."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """One method, the strengths it is swept over, and what measures it."""

    method: Method
    strengths: tuple[float, ...]
    instruments: Instruments

    @property
    def key(self) -> str:
        """What the numbers depend on besides the pair: the name of the ledger that holds them."""
        with_nulls = self.method.name == ADAIN
        return digest_of([self.method.key, list(self.strengths), with_nulls, self.instruments.key])

    def score(self, photo: Picture, style: Picture) -> Record:
        """Paint one pair at every strength and measure every picture; AdaIN's null methods with it.

        Raises:
            MethodError: the method broke its contract.
        """
        pictures = [self.method.paint(photo, style, strength) for strength in self.strengths]
        sweeps = {PAINTED: pictures}
        if self.method.name == ADAIN:
            sweeps |= null_sweeps(photo.pixels, style.pixels, pictures[-1], self.strengths)
        found = self.instruments.measure_sweeps(sweeps, photo, style)
        return {
            name: {metric: np.asarray(values, dtype=np.float64) for metric, values in scores.items()}
            for name, scores in found.items()
        }


def pair_key(photo: Picture, style: Picture) -> str:
    """What names a pair in a ledger: the digests of its files, and the size at which they are judged."""
    return digest_of([photo.sha256, photo.boundaries_sha256, style.sha256, photo.short_side_px])[:32]
