"""What was made faster gives the numbers it gave before: the library's, the distance transform's, a sweep's own."""

import numpy as np
import pytest
import pytorch_msssim
import torch
from evaluation_painters import careful
from evaluation_world import small_settings, write_data
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from evaluation import content_metrics as content
from evaluation import lpips_metrics
from evaluation.boundary_metrics import Boundaries, boundary_recall
from evaluation.measuring import Instruments
from evaluation.meters import Wanted, content_scores
from evaluation.methods import null_sweeps
from evaluation.pairs import make_manifest


def pictures(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Three pictures that keep less and less of one photograph."""
    generator = torch.Generator().manual_seed(height)
    coarse = torch.rand(1, 3, 9, 11, generator=generator) * 2 - 1
    photo = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(-1, 1)
    noise = torch.randn(3, 3, height, width, generator=generator)
    return (photo + torch.tensor([0.02, 0.2, 0.8]).view(3, 1, 1, 1) * noise).clamp(-1, 1), photo


@pytest.mark.parametrize(("height", "width"), [(64, 96), (161, 203), (176, 180)])
def test_ssim_and_ms_ssim_are_the_librarys(height, width):
    painted, photo = pictures(height, width)
    theirs = [(x + 1) / 2 for x in (painted, photo.expand_as(painted))]
    expected = pytorch_msssim.ssim(*theirs, data_range=1.0, size_average=False)
    torch.testing.assert_close(content.ssim(painted, photo), expected, atol=1e-6, rtol=0)
    if min(height, width) >= content.MS_SSIM_SIDE_PX:
        expected = pytorch_msssim.ms_ssim(*theirs, data_range=1.0, size_average=False)
        torch.testing.assert_close(content.ms_ssim(painted, photo), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("reach", [1.0, 2.0, 3.0, 5.0, 13.0])
def test_grown_edges_are_all_that_the_distance_transform_finds_within_reach(reach):
    edges = np.random.default_rng(0).random((2, 60, 47)) > 0.99
    edges[1] = False
    edges[1, 0, 0] = edges[1, -1, 20] = True  # at the borders
    expected = np.stack([distance_transform_edt(~each) <= reach for each in edges])
    assert np.array_equal(content.grow(edges, reach), expected)
    assert not content.grow(np.zeros((1, 60, 47), bool), reach).any()


def test_views_that_are_kept_give_what_tensors_give():
    painted, photo = pictures(176, 180)
    boundaries = Boundaries.from_map(np.eye(40))
    kept = content.Views(photo)
    wanted = Wanted(ms_ssim=True)
    for _ in range(2):
        seen = content_scores(painted, kept, wanted, boundaries)
        anew = content_scores(painted, photo, wanted, boundaries)
        assert all(np.array_equal(seen[name], anew[name]) for name in seen.keys() | anew.keys())
    assert boundary_recall(content.Views(painted), boundaries).tolist() == boundary_recall(painted, boundaries).tolist()


def test_a_sweep_has_the_same_numbers_alone_and_before_others(tmp_path):
    manifest = make_manifest(write_data(tmp_path), small_settings())
    photo, style = manifest.photographs[0], manifest.paintings[0]
    strengths = (0.0, 0.5, 1.0)
    painted = [careful(photo.pixels, style.pixels, strength) for strength in strengths]
    sweeps = {"painted": painted} | null_sweeps(photo.pixels, style.pixels, painted[-1], strengths)
    together = Instruments.load(small_settings()).measure_sweeps(sweeps, photo, style)
    for name, sweep in sweeps.items():
        alone = Instruments.load(small_settings()).measure(sweep, photo, style)
        for metric, values in alone.items():
            if name == "painted":
                assert np.array_equal(together[name][metric], values, equal_nan=True), metric
            assert together[name][metric] == pytest.approx(values, rel=1e-4, abs=1e-6), metric


@pytest.mark.parametrize("backbone", ["squeeze", "alex"])
def test_lpips_is_the_packages_and_looks_at_the_photograph_once(backbone, monkeypatch):
    torch.manual_seed(0)
    network = lpips_metrics.empty_lpips(backbone)  # which weights the backbone has is no matter here
    monkeypatch.setattr(lpips_metrics, "load_lpips", lambda _: network)
    painted, photo = pictures(96, 64)
    kept = content.Views(photo)
    for picture in painted.split(1):
        measured = lpips_metrics.lpips(picture, kept, backbone)
        torch.testing.assert_close(measured, network(photo, picture).flatten(), atol=1e-7, rtol=1e-5)
    assert list(kept.features) == [backbone]
