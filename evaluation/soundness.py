"""A package whose weights hold NaN or infinity is refused before anything is painted.

Its pictures need not give it away: leaky ReLU by maximum, and NaN turned into bytes, hide it in some engines.
"""

import torch

from evaluation.errors import MethodError
from runtime.package import WEIGHTS_NAME, Package
from stylenet.weights import read_safetensors


def check_weights(package: Package) -> None:
    """Look at every number of the weights.

    Raises:
        MethodError: some are NaN or infinite; the message names the first tensor.
    """
    path = package.path(WEIGHTS_NAME)
    tensors = read_safetensors(path.read_bytes(), str(path))
    bad = {name: int((~torch.isfinite(values)).sum()) for name, values in sorted(tensors.items())}
    bad = {name: count for name, count in bad.items() if count}
    if bad:
        name, count = next(iter(bad.items()))
        more = f", and {len(bad) - 1} more tensors" if len(bad) > 1 else ""
        raise MethodError(
            f"{path}: {name} holds NaN or infinity in {count} of {tensors[name].numel()} numbers{more}; "
            "its training diverged: take an earlier checkpoint, or train with a smaller learning rate"
        )
