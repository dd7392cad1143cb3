"""LPIPS (Zhang et al. 2018) by a backbone of one's choice; every backbone is used only if it lies on this machine.

The lpips package ships its linear heads; the backbones are torchvision's and would be downloaded. They are looked for
in `PENTIMENTO_WEIGHTS`, the development assets, and torch's hub cache, and never fetched. Numbers of different
backbones are not comparable, so reports name theirs.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from evaluation.content_metrics import Views, views_of
from evaluation.errors import NotMeasured
from stylenet.torchvision_guard import import_lpips
from stylenet.weights import SQUEEZENET, find_weights, load_known

Backbone = Literal["squeeze", "alex", "vgg"]
BACKBONES: tuple[Backbone, ...] = get_args(Backbone)
SOURCE = "https://download.pytorch.org/models"
LABELS = {"squeeze": "SqueezeNet 1.1", "alex": "AlexNet", "vgg": "VGG-16"}
FILES = {
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
}
"""torchvision's own files; each name ends in the first eight digits of its sha256."""


def lpips(image: Tensor | Views, reference: Tensor | Views, backbone: Backbone = "squeeze") -> Tensor:
    """Learned perceptual distance: (N,), 0 is identical; larger is worse.

    The package would look at the reference again with every picture; here its features stay with its views.

    Args:
        image: (N, 3, H, W), -1..1.
        reference: (1, 3, H, W) or (N, 3, H, W), -1..1.

    Raises:
        NotMeasured: the backbone is not on this machine; ask `lpips_is_available` first.
    """
    network = check_lpips(backbone)
    with torch.inference_mode():
        seen, original = (_directions(views_of(each), network, backbone) for each in (image, reference))
        parts = [
            network.get_submodule(f"lin{level}")((a - b).square()).mean(dim=(1, 2, 3))
            for level, (a, b) in enumerate(zip(seen, original, strict=True))
        ]
        return torch.stack(parts).sum(dim=0)


def _directions(views: Views, network: nn.Module, backbone: Backbone) -> list[Tensor]:
    """The backbone's features at each of its levels, every pixel's at unit length."""
    if backbone not in views.features:
        features = network.get_submodule("net")(network.get_submodule("scaling_layer")(views.image))
        views.features[backbone] = [x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10) for x in features]
    return views.features[backbone]


def lpips_is_available(backbone: Backbone = "squeeze") -> bool:
    """Whether `lpips` can be measured here."""
    return load_lpips(backbone) is not None


def check_lpips(backbone: Backbone) -> nn.Module:
    """The network with its backbone.

    Raises:
        NotMeasured: the backbone is not on this machine; the message says how to get it.
    """
    network = load_lpips(backbone)
    if network is None:
        raise NotMeasured(lpips_missing(backbone))
    return network


def lpips_missing(backbone: Backbone = "squeeze") -> str:
    """Why LPIPS is not measured, and what to do."""
    return (
        f"not measured: {' or '.join(_file_names(backbone))} was not found; fetch {SOURCE}/{FILES[backbone]}, put it "
        "into a folder and set PENTIMENTO_WEIGHTS to that folder"
    )


def lpips_how(backbone: Backbone) -> str:
    """What the column holds, for reports."""
    return f"lpips 0.1, {backbone} backbone ({LABELS[backbone]}), linear heads v0.1"


@cache
def load_lpips(backbone: Backbone) -> nn.Module | None:
    """The package's network with a local backbone (its own would be downloaded); None where there is none."""
    weights = _backbone_weights(backbone)
    if weights is None:
        return None
    network = empty_lpips(backbone)
    fill_backbone(network.get_submodule("net"), weights)
    return network


def empty_lpips(backbone: Backbone) -> nn.Module:
    """The network with its shipped linear heads and a random backbone."""
    import warnings

    package = import_lpips()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # lpips calls torchvision by its old argument names
        network: nn.Module = package.LPIPS(net=backbone, pnet_rand=True, verbose=False)
    return network.requires_grad_(False).eval()


def fill_backbone(net: nn.Module, weights: dict[str, Tensor]) -> None:
    """Give a backbone torchvision's weights: what is slice2.3.weight here is 3.weight in torchvision's `features`."""
    net.load_state_dict({name: weights[name.split(".", 1)[1]] for name in net.state_dict()})


def _file_names(backbone: Backbone) -> list[str]:
    return [SQUEEZENET.name, FILES[backbone]] if backbone == "squeeze" else [FILES[backbone]]


def _backbone_weights(backbone: Backbone) -> dict[str, Tensor] | None:
    known = find_weights(SQUEEZENET.name) if backbone == "squeeze" else None
    if known is not None:
        return load_known(SQUEEZENET, known)
    path = find_weights(FILES[backbone]) or _hub_file(FILES[backbone])
    return None if path is None else _read_torchvision(path)


def _hub_file(name: str) -> Path | None:
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    return path if path.is_file() else None


def _read_torchvision(path: Path) -> dict[str, Tensor]:
    expected = path.stem.split("-")[-1]
    with open(path, "rb") as stream:
        if not hashlib.file_digest(stream, "sha256").hexdigest().startswith(expected):
            raise NotMeasured(f"{path} is not torchvision's file (sha256 differs); delete it and fetch it again")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return {name.removeprefix("features."): values for name, values in state.items() if name.startswith("features.")}
