"""A package whose weights hold NaN or infinity is refused before anything is painted.

Its pictures need not give it away: leaky ReLU by maximum, and NaN turned into bytes, hide it in some engines.
"""

from evaluation.errors import MethodError
from runtime.package import WEIGHTS_NAME, Package
from stylenet.weights import read_safetensors, what_is_unsound


def check_weights(package: Package) -> None:
    """Look at every number of the weights.

    Raises:
        MethodError: some are NaN or infinite; the message names the first tensor.
    """
    path = package.path(WEIGHTS_NAME)
    unsound = what_is_unsound(read_safetensors(path.read_bytes(), str(path)))
    if unsound:
        raise MethodError(f"{path}: {unsound}")
