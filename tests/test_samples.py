import shutil
import socket
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import samples.photographs
from samples import PAINTINGS, PHOTOGRAPHS, SampleError, painting, photograph, write_sample

NAMES = [work.name for work in PAINTINGS]


SIZE_PX = 96


@cache
def small(name: str) -> np.ndarray:
    return painting(name, short_side_px=SIZE_PX)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    written = tmp_path_factory.mktemp("sample")
    write_sample(written, short_side_px=SIZE_PX)
    return written


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the sample reached for the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_there_are_at_least_twelve_paintings_each_with_a_name_and_a_file_of_its_own():
    assert len(PAINTINGS) >= 12
    assert len(set(NAMES)) == len(PAINTINGS)
    assert len({(work.movement, work.file_name) for work in PAINTINGS}) == len(PAINTINGS)


@pytest.mark.parametrize("work", PAINTINGS, ids=NAMES)
def test_a_painting_is_the_same_bytes_every_time(work, folder):
    with Image.open(folder / "paintings" / work.movement / work.file_name) as painted_before:
        assert np.asarray(painted_before).tobytes() == small(work.name).tobytes()


@pytest.mark.parametrize("work", PAINTINGS, ids=NAMES)
def test_a_painting_has_the_short_side_asked_for_and_its_own_aspect(work):
    pixels = small(work.name)
    height, width, channels = pixels.shape
    assert pixels.dtype == np.uint8
    assert channels == 3
    assert min(height, width) == SIZE_PX
    assert width / height == pytest.approx(work.aspect, abs=0.015)


def test_odd_and_tiny_sizes_are_honoured_too():
    assert painting("stained-glass", short_side_px=33).shape[1] == 33
    assert painting("harbour-impasto", short_side_px=16).shape == (16, 20, 3)


def test_a_size_out_of_range_is_refused_with_the_range():
    with pytest.raises(SampleError, match="use 16 to 4096"):
        painting("harbour-impasto", short_side_px=5)


@pytest.mark.parametrize("name", NAMES)
def test_a_painting_is_a_picture_and_not_a_flat_sheet(name):
    light = small(name).astype(float).mean(-1)
    assert light.std() > 20  # dark and light
    assert np.abs(np.diff(light, axis=1)).mean() > 2  # and texture


def colours_of(pixels: np.ndarray) -> np.ndarray:
    """Share of the picture in each of 216 boxes of colour."""
    boxes = (pixels.reshape(-1, 3) // 43).astype(int) @ np.array([36, 6, 1])
    return np.bincount(boxes, minlength=216) / len(boxes)


def test_no_two_paintings_share_a_palette():
    # 1 is no colour in common, 0 the same palette; two renderings of one painting at different sizes are far below 0.3.
    apart = {
        (one, other): np.abs(colours_of(small(one)) - colours_of(small(other))).sum() / 2
        for one, other in combinations(NAMES, 2)
    }
    nearest = min(apart, key=lambda pair: apart[pair])
    assert apart[nearest] > 0.3, nearest


def test_a_painting_keeps_its_palette_at_another_size():
    larger = painting("great-wave", short_side_px=160)
    assert np.abs(colours_of(small("great-wave")) - colours_of(larger)).sum() / 2 < 0.15


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_load_in_colour_with_the_network_blocked(name, no_network):
    pixels = photograph(name)
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    assert min(pixels.shape[:2]) >= 256
    assert np.ptp(pixels.astype(int), axis=2).max() > 30  # not grey in three copies


def test_a_photograph_missing_from_the_library_says_so_instead_of_fetching_it(monkeypatch, tmp_path, no_network):
    monkeypatch.setattr(samples.photographs, "_path", lambda source: tmp_path / source.path)
    with pytest.raises(SampleError, match="reinstall skimage"):
        photograph("astronaut")


def test_a_missing_library_says_so(monkeypatch):
    monkeypatch.setattr(samples.photographs, "find_spec", lambda name: None)
    with pytest.raises(SampleError, match="sklearn, which is not installed"):
        photograph("china")


@pytest.mark.parametrize(("ask", "known"), [(photograph, "astronaut"), (painting, "harbour-impasto")])
def test_an_unknown_name_is_answered_with_the_known_ones(ask, known):
    with pytest.raises(SampleError, match=f"'mona-lisa'.*{known}"):
        ask("mona-lisa")


def test_write_sample_lays_out_photographs_and_paintings_as_the_data_sets_do(folder):
    written = files_in(folder)
    assert len(written) == len(PAINTINGS) + len(PHOTOGRAPHS)
    assert folder / "photographs" / "china.png" in written
    assert folder / "paintings" / "Impressionism" / "pentimento_harbour-at-sunset-2026.png" in written
    for path in written:
        with Image.open(path) as picture:
            assert picture.mode == "RGB"


def test_writing_again_restores_what_is_lost_and_leaves_the_rest_alone(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    before = files_in(tmp_path)
    lost, kept = tmp_path / "photographs" / "china.png", tmp_path / "photographs" / "coffee.png"
    lost.unlink()
    kept.write_bytes(b"somebody's own")
    times = {path: path.stat().st_mtime_ns for path in before if path != lost}
    write_sample(tmp_path, short_side_px=SIZE_PX)
    assert files_in(tmp_path) == before
    assert kept.read_bytes() == b"somebody's own"
    assert {path: path.stat().st_mtime_ns for path in before if path != lost} == times


def test_an_interrupted_write_leaves_nothing_under_the_final_name(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        write_sample(tmp_path, short_side_px=32)
    assert files_in(tmp_path) == []
