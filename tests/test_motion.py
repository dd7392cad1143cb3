"""Motion: flow that is known is found, warping follows it, and what cannot be trusted is not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from motion.errors import FlowFileError, FrameMismatch
from motion.flo_files import flo_bytes, read_flo
from motion.flow import optical_flow, warp
from motion.synthetic import random_motion
from motion.trust import consistent, inside, untorn
from tests.film_world import pan, scene


def test_a_pan_is_found_to_a_tenth_of_a_pixel():
    before, after = pan(2, step_px=4)
    flow = optical_flow(after, before)
    middle = flow[12:-12, 12:-12]
    assert np.abs(middle - (4, 0)).mean() < 0.1


def test_the_flow_does_not_depend_on_the_number_of_cores():
    import cv2

    before, after = pan(2)
    threads, flows = cv2.getNumThreads(), []
    for count in (1, 4):
        cv2.setNumThreads(count)
        flows.append(optical_flow(after, before))
    assert cv2.getNumThreads() == 4
    cv2.setNumThreads(threads)
    np.testing.assert_array_equal(*flows)


@pytest.mark.parametrize("sharp", [False, True])
def test_warping_by_whole_pixels_moves_the_picture(sharp: bool):
    picture = scene()[:64, :96]
    flow = np.zeros((64, 96, 2), np.float32)
    flow[:, :, 0] = 5
    np.testing.assert_array_equal(warp(picture, flow, sharp=sharp)[:, :-8], picture[:, 5:-3])


def test_known_motion_is_undone_by_warping():
    flow = random_motion(96, 128, np.random.default_rng(3))
    there = scene(1, 96, 128)
    here = warp(there, flow)
    found = optical_flow(here, there)
    known = inside(flow)
    assert np.median(np.linalg.norm(found - flow, axis=2)[known]) < 0.3


def test_what_is_covered_and_what_leaves_the_picture_is_not_trusted():
    before = scene(2)[:64, :96].copy()
    after, thing = before.copy(), scene(7)[:24, :24]
    before[20:44, 10:34], after[20:44, 30:54] = thing, thing  # it moves by 20 pixels and uncovers where it was
    trust = consistent(optical_flow(after, before), optical_flow(before, after))
    assert trust[:16].mean() > 0.9
    assert trust[22:42, 12:26].mean() < 0.7
    away = np.full((64, 96, 2), 200, np.float32)
    assert not consistent(away, -away).any()
    torn = np.zeros((64, 96, 2), np.float32)
    torn[:, 48:, 0] = 6
    assert not untorn(torn)[:, 47:49].any()
    assert untorn(torn)[:, :40].all()


def test_two_sizes_are_refused():
    with pytest.raises(FrameMismatch, match="96x64 and 64x64"):
        optical_flow(scene()[:64, :96], scene()[:64, :64])
    with pytest.raises(FrameMismatch, match="does not fit"):
        warp(scene(), np.zeros((4, 4, 2), np.float32))


def test_a_flow_file_comes_back_and_a_broken_one_is_named(tmp_path: Path):
    flow = random_motion(24, 32, np.random.default_rng(0))
    path = tmp_path / "true.flo"
    path.write_bytes(flo_bytes(flow))
    np.testing.assert_array_equal(read_flo(path), flow)
    path.write_bytes(flo_bytes(flow)[:-8])
    with pytest.raises(FlowFileError, match=r"true\.flo says 32x24"):
        read_flo(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FlowFileError, match=r"no \.flo file"):
        read_flo(path)
    with pytest.raises(FlowFileError, match="cannot be read"):
        read_flo(tmp_path / "nowhere.flo")


def test_the_true_flow_of_flying_chairs_is_nearly_found(assets: Path):
    folder = assets / "video" / "flyingchairs_gtflow"
    one, other = (np.asarray(Image.open(folder / f"0img{i}.ppm").convert("RGB")) for i in (0, 1))
    true = read_flo(folder / "0flow.flo")
    found = optical_flow(one, other)
    assert np.median(np.linalg.norm(found - true, axis=2)) < 0.5
