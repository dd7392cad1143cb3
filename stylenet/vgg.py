"""VGG-19 up to relu3_4 as a frozen extractor (Simonyan & Zisserman 2014): base's eyes and the losses' ruler.

Two sets of weights exist, and each wants its own input: the original Oxford ones (BGR, 0..255, mean subtracted) and
torchvision's (RGB, ImageNet mean and std). Their features differ in scale, not in use.
"""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from stylenet.errors import WeightsError
from stylenet.torchvision_guard import import_torchvision
from stylenet.weights import VGG19_OXFORD, find_weights, load_known, weight_folders

TAPS = ("relu1_1", "relu2_1", "relu3_1", "relu3_4")
TAP_CHANNELS = (64, 128, 256, 256)
LAYERS = ("conv1_1", "conv1_2", "pool", "conv2_1", "conv2_2", "pool", "conv3_1", "conv3_2", "conv3_3", "conv3_4")
_CHANNELS = {"1": 64, "2": 128, "3": 256}
_OXFORD_MEAN_BGR = (103.939, 116.779, 123.68)
_TORCHVISION_FILE = "vgg19-dcbb9e9d.pth"  # the eight digits are the start of the file's sha256, torch.hub's convention


class Vgg19(nn.Module):
    """image -> the features at `TAPS`.

    Args:
        weights: one `<layer>.weight` and `<layer>.bias` per convolution; None leaves them random (tests).
        source: "oxford" or "torchvision": decides the normalisation of the input.
    """

    tap_channels = TAP_CHANNELS

    def __init__(self, weights: dict[str, Tensor] | None, source: str = "oxford") -> None:
        super().__init__()
        self.source = source
        channels = 3
        for layer in LAYERS:
            if layer != "pool":
                width = _CHANNELS[layer[4]]
                self.add_module(layer, nn.Conv2d(channels, width, 3, padding=1))
                channels = width
        if weights is not None:
            self.load_state_dict(weights)

    def normalise(self, image: Tensor) -> Tensor:
        """image (-1..1) -> what these weights were trained on."""
        if self.source == "oxford":
            mean = image.new_tensor(_OXFORD_MEAN_BGR).view(1, 3, 1, 1)
            return image.flip(1) * 127.5 + 127.5 - mean
        mean = image.new_tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1)
        std = image.new_tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1)
        return (image * 0.5 + 0.5 - mean) / std

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Features by tap.

        Args:
            image: (N, 3, H, W) float32, -1..1, sides of at least 16.

        Returns:
            relu1_1 (N, 64, H, W), relu2_1 (N, 128, H/2, W/2), relu3_1 and relu3_4 (N, 256, H/4, W/4), all >= 0.
        """
        x = self.normalise(image)
        taps: dict[str, Tensor] = {}
        for layer in LAYERS:
            if layer == "pool":
                x = functional.max_pool2d(x, 2, ceil_mode=True)  # odd sizes round up, as everywhere in our networks
                continue
            x = functional.relu(self.get_submodule(layer)(x))
            tap = layer.replace("conv", "relu")
            if tap in TAPS:
                taps[tap] = x
        return taps


# Root mean square of the Oxford features on 16 random crops of photographs and paintings.
_SCALE = {"relu1_1": 43.8, "relu2_1": 191.0, "relu3_1": 239.0, "relu3_4": 809.0}


def taps_at_scale_one(encoder: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """A content encoder's taps; VGG-19's are brought to a scale of 1, which a decoder's first weights expect."""
    taps: dict[str, Tensor] = encoder(image)
    if isinstance(encoder, Vgg19):
        return {tap: x * (1.0 / _SCALE[tap]) for tap, x in taps.items()}
    return taps


def load_vgg19(*, download: bool = True) -> Vgg19:
    """VGG-19 from wherever its weights are, frozen.

    Args:
        download: let torchvision fetch its own weights when none are found locally.

    Raises:
        WeightsError: none are to be had, or what was found is not what we know.
    """
    path = find_weights(VGG19_OXFORD.name)
    if path is not None:
        return _frozen(Vgg19(load_known(VGG19_OXFORD, path), "oxford"))
    cached = find_weights(_TORCHVISION_FILE) or _hub_file()
    if cached is not None:
        return _frozen(Vgg19(_read_torchvision(cached), "torchvision"))
    if not download:
        raise WeightsError(_cure("no download was asked for"))
    try:
        torchvision = import_torchvision()
        model = torchvision.models.vgg19(weights="IMAGENET1K_V1", progress=False)
    except (ImportError, OSError) as error:  # URLError is an OSError
        raise WeightsError(_cure(str(error))) from error
    return _frozen(Vgg19(_rename_torchvision(model.state_dict()), "torchvision"))


def _frozen(network: Vgg19) -> Vgg19:
    return network.requires_grad_(False).eval()


def _hub_file() -> Path | None:
    path = Path(torch.hub.get_dir()) / "checkpoints" / _TORCHVISION_FILE
    return path if path.is_file() else None


def _read_torchvision(path: Path) -> dict[str, Tensor]:
    expected = path.stem.split("-")[-1]
    with open(path, "rb") as stream:
        if not hashlib.file_digest(stream, "sha256").hexdigest().startswith(expected):
            raise WeightsError(f"{path} is not torchvision's VGG-19 (sha256 differs); delete it and try again")
    return _rename_torchvision(torch.load(path, map_location="cpu", weights_only=True))


def _rename_torchvision(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision numbers the layers of `features`, ReLUs and pools included."""
    renamed, index = {}, 0
    for layer in LAYERS:
        if layer == "pool":
            index += 1
            continue
        for kind in ("weight", "bias"):
            renamed[f"{layer}.{kind}"] = state[f"features.{index}.{kind}"]
        index += 2
    return renamed


def _cure(reason: str) -> str:
    looked = ", ".join(str(folder) for folder in weight_folders())
    return (
        f"no VGG-19 weights ({reason}). Looked in {looked} and torch's hub cache. Put {VGG19_OXFORD.name} or "
        f"{_TORCHVISION_FILE} into a folder and set PENTIMENTO_WEIGHTS to it, connect to the internet once for "
        "torchvision's own download, or use the compact variant, which needs no VGG-19"
    )
