"""A trained network becomes a model package: weights, both graphs, a golden picture, a card."""

import os

import numpy as np
import torch
from safetensors.torch import save as save_safetensors

from runtime.errors import PackageError
from runtime.export import export_style, export_stylize
from runtime.networks import Network, load_network, network_config
from runtime.package import CARD_NAME, STYLE_ONNX_NAME, STYLIZE_ONNX_NAME, WEIGHTS_NAME, Package, write_package
from runtime.painting import GOLDEN_DIALS
from stylenet.adain import AdaIN
from stylenet.images import Pixels, to_image, to_pixels
from stylenet.pictures import encode_picture
from stylenet.weights import what_is_unsound


def package_network(
    network: Network,
    folder: str | os.PathLike[str],
    *,
    name: str,
    card: str,
    git_commit: str = "unknown",
    data_digest: str = "unknown",
    parents: list[str] | None = None,
) -> Package:
    """Write a network as a whole package.

    Args:
        network: a `StyleNetwork` or an `AdaIN`; left in eval mode.
        folder: where the package shall lie; a package already there is replaced.
        name: what it is called.
        card: the model card, Markdown.
        git_commit, data_digest, parents: see `Manifest`.

    Raises:
        PackageError: `folder` holds something that is no package, or a weight is NaN or infinite.
    """
    unsound = what_is_unsound(network.state_dict())
    if unsound:
        raise PackageError(f"{name} cannot be packaged: {unsound}")
    return write_package(
        folder,
        files=package_files(network, card),
        name=name,
        variant="adain" if isinstance(network, AdaIN) else network.config.variant,
        config=network_config(network),
        git_commit=git_commit,
        data_digest=data_digest,
        parents=parents,
    )


def package_files(network: Network, card: str) -> dict[str, bytes]:
    """All that a package of the network holds, by path. Whether the network is any good is not looked at."""
    network = network.eval().float()
    photograph, style = golden_pictures()
    return {
        WEIGHTS_NAME: save_safetensors({key: value.contiguous() for key, value in network.state_dict().items()}),
        STYLE_ONNX_NAME: export_style(network),
        STYLIZE_ONNX_NAME: export_stylize(network),
        CARD_NAME: card.encode(),
        "golden/input.png": encode_picture(photograph),
        "golden/style.png": encode_picture(style),
        "golden/output.png": encode_picture(_paint(network, photograph, style)),
    }


def renew_package(package: Package, folder: str | os.PathLike[str]) -> Package:
    """The package's own weights with graphs and golden picture as this version writes them; its card stays.

    Args:
        package: verified; its graphs may be of an older kind.
        folder: where the renewed package shall lie; may be the package's own.
    """
    manifest = package.manifest
    return package_network(
        load_network(package),
        folder,
        name=manifest.name,
        card=package.path(CARD_NAME).read_text(),
        git_commit=manifest.git_commit,
        data_digest=manifest.data_digest,
        parents=manifest.parents,
    )


def golden_pictures() -> tuple[Pixels, Pixels]:
    """A small photograph-like and a small painting-like picture, drawn from formulas: (64, 80, 3) and (72, 64, 3)."""
    rows, columns = np.mgrid[0:64, 0:80].astype(np.float64)
    house = (np.abs(columns - 40) < 22) & (rows > 26) & (np.abs(columns - 40) + 20 < rows + 22)
    photograph = np.stack([90 + 1.5 * rows, 130 + rows - 0.4 * columns, 215 - 2.2 * rows], axis=2)
    photograph[house] = (176, 120, 84)
    photograph[house & (np.sin(rows * 0.9) * np.sin(columns * 0.7) > 0.4)] = (70, 62, 70)
    rows, columns = np.mgrid[0:72, 0:64].astype(np.float64)
    swirl = np.sin(0.35 * columns + 3 * np.sin(0.12 * rows)) * np.sin(0.3 * rows - 2 * np.cos(0.1 * columns))
    style = np.stack([128 + 100 * swirl, 110 - 60 * swirl + 0.6 * rows, 90 + 80 * np.cos(0.2 * columns)], axis=2)
    return _to_uint8(photograph), _to_uint8(style)


def _to_uint8(values: np.ndarray) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


@torch.inference_mode()
def _paint(network: Network, photograph: Pixels, style: Pixels) -> Pixels:
    code = network.encode_style(to_image(style))
    return to_pixels(network(to_image(photograph), *code, torch.tensor([GOLDEN_DIALS.numbers()])))
