"""What tests share: a tiny network with a fixed seed, as a real package with a real engine, and two small pictures."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np
import pytest
import torch

from runtime.engine import Engine
from runtime.loading import load_engine
from runtime.packaging import package_network
from stylenet.adain import AdaIN
from stylenet.config import NetworkConfig
from stylenet.images import Pixels
from stylenet.network import StyleNetwork

if TYPE_CHECKING:
    from service.settings import ServiceSettings

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit that: tests of Ctrl-C would wait.
signal.signal(signal.SIGINT, signal.default_int_handler)

TINY = NetworkConfig(encoder_widths=(4, 4, 8, 8), decoder_widths=(4, 4, 8, 8), gram_ranks=(2, 2, 2, 2), prototypes=2)


@pytest.fixture(autouse=True)
def settings_left_as_found() -> Iterator[None]:
    """No test leaves a setting in the environment: programs that later tests start would read it."""
    before = _our_environment()
    yield
    left = _our_environment()
    for name in left.keys() | before.keys():
        os.environ.pop(name, None)
    os.environ.update(before)
    assert left == before, "set it with monkeypatch, which takes it back"


def _our_environment() -> dict[str, str]:
    names = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "RANK", "WORLD_SIZE", "LOCAL_RANK")
    return {key: value for key, value in os.environ.items() if key.startswith("PENTIMENTO_") or key in names}


@pytest.fixture(scope="session")
def tiny_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of a tiny compact network with random weights."""
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("packages") / "tiny"
    package_network(StyleNetwork(TINY), folder, name="tiny", card="# Tiny\n\nFor tests.\n")
    return folder


@pytest.fixture(scope="session")
def adain_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of a tiny AdaIN with random weights."""
    torch.manual_seed(2)
    folder = tmp_path_factory.mktemp("packages") / "adain"
    package_network(AdaIN((4, 4, 8, 8)), folder, name="adain", card="# AdaIN\n\nFor tests.\n")
    return folder


@pytest.fixture(scope="session")
def tiny_engine(tiny_package: Path) -> Iterator[Engine]:
    """The torch engine of `tiny_package`."""
    engine = load_engine(tiny_package, "torch")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def photo() -> Pixels:
    """A photograph of a house against the sky, drawn: uint8 (96, 128, 3)."""
    rows, columns = np.mgrid[0:96, 0:128].astype(np.float64)
    sky = np.stack([120 + rows, 150 + 0.6 * rows, 230 - 0.8 * rows], axis=2)
    wall = (columns > 30) & (columns < 100) & (rows > 40)
    sky[wall] = (150, 110, 80)
    sky[wall & ((columns // 10) % 2 == 0) & ((rows // 12) % 2 == 0)] = (60, 60, 75)
    noise = np.random.default_rng(0).normal(0, 4, sky.shape)
    return np.clip(sky + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def painting() -> Pixels:
    """A painting with bold strokes, drawn: uint8 (112, 96, 3)."""
    rows, columns = np.mgrid[0:112, 0:96].astype(np.float64)
    stroke = np.sin(0.5 * columns + 2 * np.sin(0.15 * rows))
    values = np.stack([140 + 90 * stroke, 90 + 50 * np.cos(0.2 * rows), 60 - 40 * stroke + 0.8 * rows], axis=2)
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def assets() -> Path:
    """The development assets, or a skip with the reason."""
    folder = Path(os.environ.get("PENTIMENTO_ASSETS", Path(__file__).resolve().parents[2] / "shared" / "assets"))
    if not (folder / "index.csv").is_file():
        pytest.skip(f"needs the development assets at {folder} (or PENTIMENTO_ASSETS)")
    return folder


@pytest.fixture(scope="session")
def service_settings(
    tmp_path_factory: pytest.TempPathFactory, tiny_package: Path, painting: Pixels
) -> "ServiceSettings":
    """A service's settings: the tiny package's folder, and a library with one style, "waves"."""
    from registry.settings import Settings
    from registry.styles import StyleLibrary
    from service.settings import ServiceSettings

    registry = Settings.at(tmp_path_factory.mktemp("service-home"))
    library = StyleLibrary.from_settings(registry)
    library.add("waves", [painting])
    library.close()
    return ServiceSettings(registry=registry, model=str(tiny_package), engine="torch", seed_styles=False)
