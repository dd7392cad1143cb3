"""Packages and engines: whole or refused, and every engine paints the same picture."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from runtime.benchmark import compare_engines
from runtime.engine import Engine
from runtime.errors import EngineUnavailable, GoldenMismatch, PackageError
from runtime.loading import load_engine
from runtime.package import MANIFEST_NAME, REQUIRED_NAMES, copy_package, file_digest, open_package, write_package
from runtime.packaging import package_network
from runtime.painting import psnr_db
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.errors import CodeError, PictureError, PictureTooLarge, PictureTooSmall
from stylenet.images import Pixels
from stylenet.network import StyleNetwork
from tests.conftest import TINY


@pytest.fixture
def copied(tiny_package: Path, tmp_path: Path) -> Path:
    """A package that a test may damage."""
    return Path(shutil.copytree(tiny_package, tmp_path / "package"))


def rewrite_manifest(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps({**manifest, **changes}))


@pytest.mark.parametrize("name", REQUIRED_NAMES)
def test_an_altered_file_refuses_with_its_name(copied: Path, name: str):
    with open(copied / name, "ab") as stream:
        stream.write(b"x")
    with pytest.raises(PackageError, match=f"{name} was altered"):
        open_package(copied)


@pytest.mark.parametrize("name", REQUIRED_NAMES)
def test_a_missing_file_refuses_with_its_name(copied: Path, name: str):
    (copied / name).unlink()
    with pytest.raises(PackageError, match=f"{name} is missing"):
        open_package(copied)


def test_a_file_that_is_not_listed_refuses_with_its_name(copied: Path):
    (copied / "extra.bin").write_bytes(b"?")
    with pytest.raises(PackageError, match=r"extra\.bin is not listed"):
        open_package(copied)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "..\\windows"])
def test_an_unsafe_path_refuses(copied: Path, name: str):
    files = json.loads((copied / MANIFEST_NAME).read_text())["files"]
    rewrite_manifest(copied, files={**files, name: "0" * 64})
    with pytest.raises(PackageError, match="unsafe path"):
        open_package(copied)


def test_a_link_out_of_the_package_refuses(copied: Path, tmp_path: Path):
    card = copied / "MODEL_CARD.md"
    outside = tmp_path / "outside.md"
    outside.write_bytes(card.read_bytes())
    card.unlink()
    card.symlink_to(outside)
    with pytest.raises(PackageError, match=r"MODEL_CARD\.md"):
        open_package(copied)


def test_an_unknown_schema_version_refuses(copied: Path):
    rewrite_manifest(copied, schema_version=2)
    with pytest.raises(PackageError, match="schema version 2"):
        open_package(copied)


def test_an_unknown_key_refuses_with_its_name(copied: Path):
    rewrite_manifest(copied, surprise=1)
    with pytest.raises(PackageError, match="surprise"):
        open_package(copied)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff"])
def test_a_manifest_that_is_none_refuses(copied: Path, content: bytes):
    (copied / MANIFEST_NAME).write_bytes(content)
    with pytest.raises(PackageError, match=MANIFEST_NAME):
        open_package(copied)


def test_a_folder_without_a_manifest_is_no_package(tmp_path: Path):
    with pytest.raises(PackageError, match="not a model package"):
        open_package(tmp_path)


def test_a_package_that_misses_a_required_file_is_not_written(tmp_path: Path):
    with pytest.raises(PackageError, match="does not list"):
        write_package(tmp_path / "p", files={"weights.safetensors": b""}, name="p", variant="compact", config={})
    assert list(tmp_path.iterdir()) == []


def test_writing_over_something_that_is_no_package_is_refused(tiny_package: Path, tmp_path: Path):
    (tmp_path / "precious.txt").write_text("keep me")
    with pytest.raises(PackageError, match="no model package"):
        copy_package(open_package(tiny_package), tmp_path)
    assert (tmp_path / "precious.txt").read_text() == "keep me"


def test_a_copy_has_the_same_digest(tiny_package: Path, tmp_path: Path):
    package = open_package(tiny_package)
    assert copy_package(package, tmp_path / "copy").digest == package.digest


def test_packaging_the_same_network_twice_gives_the_same_digest(tmp_path: Path):
    digests = set()
    for name in ("one", "two"):
        torch.manual_seed(5)
        digests.add(package_network(StyleNetwork(TINY), tmp_path / name, name="same", card="same").digest)
    assert len(digests) == 1


def test_weights_that_do_not_fit_the_configuration_refuse(copied: Path):
    config = json.loads((copied / MANIFEST_NAME).read_text())["config"]
    rewrite_manifest(copied, config={**config, "prototypes": 3})
    with pytest.raises(PackageError, match="does not fit"):
        load_engine(copied, "torch")


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_an_engine_that_paints_another_picture_is_refused(copied: Path, engine: str, photo: Pixels):
    from stylenet.pictures import write_picture

    golden = copied / "golden" / "output.png"
    write_picture(np.zeros((64, 80, 3), np.uint8), golden)
    files = json.loads((copied / MANIFEST_NAME).read_text())["files"]
    rewrite_manifest(copied, files={**files, "golden/output.png": file_digest(golden)})
    with pytest.raises(GoldenMismatch, match=engine):
        load_engine(copied, engine)


def test_an_unknown_engine_names_those_there_are(tiny_package: Path):
    with pytest.raises(EngineUnavailable, match="openvino"):
        load_engine(tiny_package, "magic")


@pytest.mark.parametrize("size", [(16, 16), (17, 130), (333, 517), (64, 31), (100, 100), (255, 257)])
def test_openvino_paints_what_torch_paints_at_any_size(
    tiny_package: Path, adain_package: Path, painting: Pixels, size: tuple[int, int]
):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    for folder in (tiny_package, adain_package):
        reference, other = load_engine(folder, "torch"), load_engine(folder, "openvino", precision="float32")
        code = reference.encode_style(painting)
        dials = Dials(strength=0.8, fidelity=0.3, texture=0.9, semantics=0.6)
        expected, painted = reference.stylize(pixels, code, dials), other.stylize(pixels, code, dials)
        assert painted.shape == (*size, 3)
        assert np.abs(expected.astype(int) - painted.astype(int)).max() <= 1
        theirs = other.encode_style(painting)
        for name, part in code.parts().items():
            np.testing.assert_allclose(theirs.parts()[name], part, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_an_engine_is_deterministic(tiny_package: Path, engine: str, photo: Pixels, painting: Pixels):
    painted = []
    for _ in range(2):
        loaded = load_engine(tiny_package, engine)
        painted.append(loaded.stylize(photo, loaded.encode_style(painting)).tobytes())
    assert painted[0] == painted[1]


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_strength_zero_returns_the_input_bit_for_bit(tiny_package: Path, engine: str, photo: Pixels, painting: Pixels):
    loaded = load_engine(tiny_package, engine)
    painted = loaded.stylize(photo, loaded.encode_style(painting), Dials(strength=0))
    np.testing.assert_array_equal(painted, photo)
    assert painted is not photo


def test_a_mask_confines_the_style(tiny_engine: Engine, photo: Pixels, painting: Pixels):
    code = tiny_engine.encode_style(painting)
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[:, 64:] = 1
    painted = tiny_engine.stylize(photo, code, mask=mask)
    np.testing.assert_array_equal(painted[:, :64], photo[:, :64])
    np.testing.assert_array_equal(painted[:, 64:], tiny_engine.stylize(photo, code)[:, 64:])


def test_a_mask_that_does_not_fit_is_refused(tiny_engine: Engine, photo: Pixels, painting: Pixels):
    code = tiny_engine.encode_style(painting)
    for mask in (np.zeros((5, 5), np.float32), np.full(photo.shape[:2], 2.0, np.float32)):
        with pytest.raises(PictureError, match="mask"):
            tiny_engine.stylize(photo, code, mask=mask)


def test_a_code_of_another_network_is_refused(tiny_engine: Engine, adain_package: Path, photo: Pixels):
    foreign = load_engine(adain_package, "torch").encode_style(photo)
    with pytest.raises(CodeError, match="encode the style picture with this package"):
        tiny_engine.stylize(photo, foreign)


def test_sizes_that_no_engine_takes_are_refused(tiny_engine: Engine, painting: Pixels):
    code: StyleCode = tiny_engine.encode_style(painting)
    with pytest.raises(PictureTooSmall):
        tiny_engine.stylize(np.zeros((15, 64, 3), np.uint8), code)
    with pytest.raises(PictureTooLarge):
        tiny_engine.encode_style(np.zeros((2049, 2048, 3), np.uint8))


def test_psnr_knows_equal_and_opposite_pictures(photo: Pixels):
    assert psnr_db(photo, photo) == float("inf")
    assert psnr_db(np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)) == pytest.approx(0)


def test_the_benchmark_times_every_engine_beside_its_likeness(tiny_package: Path):
    rows = compare_engines(open_package(tiny_package), [32], repeats=3, threads=1)
    assert [(row.engine, row.precision) for row in rows][:2] == [("torch", "float32"), ("torch", "bfloat16")]
    assert {row.precision for row in rows if row.engine == "openvino"} >= {"float32", "bfloat16"}
    assert rows[0].speedup == 1
    assert all(row.median_ms > 0 and row.psnr_db > 30 for row in rows)
