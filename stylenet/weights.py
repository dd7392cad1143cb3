"""Where other people's weights come from, and that they are the ones we know.

Three places, in this order: the folder `PENTIMENTO_WEIGHTS`, the development assets beside the repository, torch's hub
cache (with torchvision's own download). What is found is used only if its sha256 is one that we know.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from stylenet.errors import WeightsError

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class KnownWeights:
    """A file of weights that we can feed correctly.

    Args:
        name: path below the weights folder.
        sha256: of the whole file.
    """

    name: str
    sha256: str


VGG19_OXFORD = KnownWeights(
    "vgg19_oxford_conv1_1-conv3_4.safetensors", "ba03dbd0e5a3c111d86f61deb71348ae492145e476d99dffb512e2056a91a50a"
)
SQUEEZENET = KnownWeights(
    "squeezenet1_1_features.safetensors", "7846b4202b1a05bef776d719a42cf93c54c023c8fa34bc350b86403dd6115b45"
)


def weight_folders() -> list[Path]:
    """The folders that are searched, first to last; they need not exist."""
    folders = [Path(os.environ["PENTIMENTO_WEIGHTS"])] if os.environ.get("PENTIMENTO_WEIGHTS") else []
    assets = Path(os.environ.get("PENTIMENTO_ASSETS", ROOT.parent / "shared" / "assets"))
    return [*folders, assets / "weights"]


def find_weights(name: str) -> Path | None:
    """The first file of that name in the folders that are searched, or None."""
    return next((folder / name for folder in weight_folders() if (folder / name).is_file()), None)


def load_known(known: KnownWeights, path: Path) -> dict[str, Tensor]:
    """Read weights after checking that they are the very file we know.

    Raises:
        WeightsError: the file is unreadable or another one.
    """
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror}); fetch the file again") from error
    if hashlib.sha256(blob).hexdigest() != known.sha256:
        raise WeightsError(f"{path} is not the {known.name} that we know (sha256 differs); fetch the file again")
    return read_safetensors(blob, str(path))


def what_is_unsound(tensors: Mapping[str, Tensor]) -> str | None:
    """Which tensors hold NaN or infinity, in words that name the first and the cure; None where all are numbers."""
    bad = {name: int((~torch.isfinite(values)).sum()) for name, values in sorted(tensors.items())}
    bad = {name: count for name, count in bad.items() if count}
    if not bad:
        return None
    name, count = next(iter(bad.items()))
    more = f", and {len(bad) - 1} more tensors" if len(bad) > 1 else ""
    return (
        f"{name} holds NaN or infinity in {count} of {tensors[name].numel()} numbers{more}; "
        "its training diverged: take an earlier checkpoint, or train with a smaller learning rate"
    )


def read_safetensors(blob: bytes, name: str) -> dict[str, Tensor]:
    """Tensors by name.

    Raises:
        WeightsError: not a safetensors file.
    """
    try:
        return load_safetensors(blob)
    except SafetensorError as error:
        raise WeightsError(f"{name} is not a safetensors file ({error}); fetch it again") from error
