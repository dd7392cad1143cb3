"""Other people's weights: found in three places, checked before use, and a clear way out where there are none."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from stylenet.errors import WeightsError
from stylenet.perception import load_compact_encoder, load_extractor
from stylenet.torchvision_guard import import_lpips, import_torchvision
from stylenet.vgg import LAYERS, TAP_CHANNELS, TAPS, Vgg19, load_vgg19
from stylenet.weights import VGG19_OXFORD, find_weights, load_known


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any weights: no folder, no assets, an empty hub cache."""
    monkeypatch.setenv("PENTIMENTO_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("PENTIMENTO_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "weights").mkdir()
    return tmp_path


def torchvision_state() -> dict[str, torch.Tensor]:
    """A state dict with torchvision's names and shapes, as much of it as we read."""
    state, index, channels = {}, 0, 3
    for layer in LAYERS:
        if layer == "pool":
            index += 1
            continue
        width = {"1": 64, "2": 128, "3": 256}[layer[4]]
        state[f"features.{index}.weight"] = torch.randn(width, channels, 3, 3) * 0.02
        state[f"features.{index}.bias"] = torch.zeros(width)
        channels, index = width, index + 2
    return state


def test_the_oxford_weights_give_features_of_the_known_shapes(assets: Path):
    vgg = load_vgg19(download=False)
    assert vgg.source == "oxford"
    features = vgg(torch.zeros(1, 3, 33, 48))
    assert {tap: tuple(x.shape[1:]) for tap, x in features.items()} == {
        "relu1_1": (64, 33, 48),
        "relu2_1": (128, 17, 24),
        "relu3_1": (256, 9, 12),
        "relu3_4": (256, 9, 12),
    }
    assert not any(parameter.requires_grad for parameter in vgg.parameters())


def test_each_source_gets_its_own_normalisation():
    grey = torch.zeros(1, 3, 16, 16)  # 127.5 of 255
    oxford = Vgg19(None, "oxford").normalise(grey)[0, :, 0, 0]
    torch.testing.assert_close(oxford, 127.5 - torch.tensor([103.939, 116.779, 123.68]))
    theirs = Vgg19(None, "torchvision").normalise(grey)[0, :, 0, 0]
    expected = (0.5 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(theirs, expected)


def test_oxford_weights_read_blue_first():
    red = torch.full((1, 3, 16, 16), -1.0)
    red[:, 0] = 1.0
    assert Vgg19(None, "oxford").normalise(red)[0, :, 0, 0].argmax() == 2


def test_without_weights_the_error_says_how_to_get_them(nowhere: Path):
    with pytest.raises(WeightsError, match="PENTIMENTO_WEIGHTS"):
        load_vgg19(download=False)


def test_an_altered_file_is_refused_by_name(nowhere: Path, assets: Path):
    path = nowhere / "weights" / VGG19_OXFORD.name
    shutil.copyfile(assets / "weights" / VGG19_OXFORD.name, path)
    with open(path, "r+b") as stream:
        stream.seek(5000)
        stream.write(b"\x00\x01\x02")
    assert find_weights(VGG19_OXFORD.name) == path
    with pytest.raises(WeightsError, match="sha256 differs"):
        load_vgg19(download=False)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"nothing\.safetensors"):
        load_known(VGG19_OXFORD, tmp_path / "nothing.safetensors")


def test_torchvisions_file_is_taken_from_the_hub_cache_if_its_digest_is_right(nowhere: Path):
    cache = nowhere / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(torchvision_state(), cache / "vgg19-dcbb9e9d.pth")
    with pytest.raises(WeightsError, match="sha256 differs"):  # ours is made up: its digest cannot be right
        load_vgg19(download=False)


@pytest.fixture
def file_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A real HTTP server over a folder."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


def test_torchvisions_own_download_is_used_where_nothing_is_local(
    nowhere: Path, file_server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
):
    """torchvision downloads, from a server of ours instead of its own: only the address is changed."""
    import hashlib

    torchvision = import_torchvision()
    url, folder = file_server
    torch.manual_seed(0)
    model = torchvision.models.vgg19(weights=None)
    raw = folder / "raw.pth"
    torch.save(model.state_dict(), raw)
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()[:8]
    raw.rename(folder / f"vgg19-{digest}.pth")
    weights = torchvision.models.VGG19_Weights.IMAGENET1K_V1.value
    monkeypatch.setattr(weights, "url", f"{url}/vgg19-{digest}.pth")
    vgg = load_vgg19()
    assert vgg.source == "torchvision"
    torch.testing.assert_close(vgg.conv1_1.weight, model.features[0].weight.detach())
    torch.testing.assert_close(vgg.conv3_4.weight, model.features[16].weight.detach())


def test_the_compact_extractor_is_always_there(nowhere: Path):
    extractor = load_extractor("auto")
    assert extractor.name.startswith("compact")
    assert set(extractor(torch.zeros(1, 3, 16, 16))) == set(TAPS)
    assert load_compact_encoder().tap_channels == (16, 32, 64, 64)


def test_auto_prefers_vgg(assets: Path):
    extractor = load_extractor("auto")
    assert extractor.name == "VGG-19 (oxford)"
    assert tuple(x.shape[1] for x in extractor(torch.zeros(1, 3, 16, 16)).values()) == TAP_CHANNELS


def test_torchvision_and_lpips_import_beside_this_torch():
    assert import_torchvision().models.vgg19 is not None
    assert import_lpips().LPIPS is not None
