"""The judge's instruments obey their laws, agree with second implementations, and never invent a number."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from evaluation import content_metrics as content
from evaluation import style_metrics as style
from evaluation.meters import SHARE_CAP, Wanted, content_scores, shares_left
from evaluation.methods import recolour
from stylenet.images import Pixels, to_image

PIXEL_METRICS = (content.ssim, content.edge_ssim, content.edge_f1)


@pytest.fixture(scope="module")
def image(photo: Pixels) -> Tensor:
    return to_image(photo)


@pytest.fixture(scope="module")
def style_image(painting: Pixels) -> Tensor:
    return to_image(painting)


def noisy(image: Tensor, amount: float) -> Tensor:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return (image + amount * noise).clamp(-1, 1)


def random_features(image: Tensor) -> dict[str, Tensor]:
    """An extractor with a fixed seed: the laws hold for whatever looks."""
    weights = torch.randn(6, 3, 3, 3, generator=torch.Generator().manual_seed(1))
    return {"one": torch.relu(torch.nn.functional.conv2d(image, weights))}


@pytest.mark.parametrize("metric", PIXEL_METRICS)
def test_a_picture_keeps_all_of_itself(metric, image):
    torch.testing.assert_close(metric(image, image), torch.ones(1))


@pytest.mark.parametrize("metric", PIXEL_METRICS)
def test_more_noise_keeps_less(metric, image):
    scores = metric(torch.cat([noisy(image, 0.1), noisy(image, 0.6)]), image)
    assert 1 >= scores[0] > scores[1]


@pytest.mark.parametrize("metric", PIXEL_METRICS)
def test_a_batch_scores_like_its_pictures_one_by_one(metric, image):
    pictures = torch.cat([noisy(image, 0.1), image, noisy(image, 0.4)])
    one_by_one = torch.cat([metric(picture.unsqueeze(0), image) for picture in pictures])
    torch.testing.assert_close(metric(pictures, image), one_by_one, atol=1e-6, rtol=1e-5)


def test_ssim_agrees_with_scikit_image(image):
    worse = noisy(image, 0.3)
    planes = [(x[0].permute(1, 2, 0).double().numpy() + 1) / 2 for x in (image, worse)]
    _, whole = structural_similarity(
        *planes,
        channel_axis=2,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    inside = whole[5:-5, 5:-5].mean()  # pytorch-msssim takes only windows that lie wholly inside
    assert content.ssim(worse, image).item() == pytest.approx(inside, abs=2e-4)


def test_edges_forgive_a_change_of_colour_that_ssim_does_not(image):
    brighter = (image * 0.95 + 0.05).clamp(-1, 1)
    assert content.edge_ssim(brighter, image) > content.ssim(brighter - 0.5, image)
    assert content.edge_f1(brighter, image) > 0.95


def test_the_sobel_magnitude_of_an_upright_step_is_one():
    step = torch.full((1, 3, 16, 16), -1.0)
    step[:, :, :, 8:] = 1.0
    assert content.sobel_magnitude(step).max().item() == pytest.approx(1.0, abs=1e-6)


def test_an_edge_may_move_within_the_tolerance_and_no_further(image):
    near, far = torch.roll(image, 1, dims=3), torch.roll(image, 8, dims=3)
    assert content.edge_f1(near, image) > 0.9 > content.edge_f1(far, image)


def test_an_empty_picture_keeps_no_edge_and_two_empty_ones_keep_all(image):
    flat = torch.zeros_like(image)
    assert content.edge_f1(flat, image).item() == 0.0
    assert content.edge_f1(image, flat).item() == 0.0
    assert content.edge_f1(flat, flat).item() == 1.0


def test_ms_ssim_has_no_number_for_a_small_picture(image):
    assert torch.isnan(content.ms_ssim(image, image)).all()
    assert "ms_ssim" not in content_scores(image, image, Wanted(ms_ssim=True))


def test_ms_ssim_measures_a_large_picture(image):
    large = torch.nn.functional.interpolate(image, size=(176, 200))
    assert content_scores(large, large, Wanted(ms_ssim=True))["ms_ssim"] == pytest.approx([1.0])


def test_the_style_itself_is_at_distance_zero_in_every_family(style_image):
    seen = style.describe(style_image, random_features)
    assert set(style.distances(seen, seen)) == {*style.FAMILIES, *style.OWN_METRICS}
    for family, value in style.distances(seen, seen).items():
        assert value.item() == pytest.approx(0.0, abs=1e-6), family


def test_each_style_function_agrees_with_the_description(image, style_image):
    together = style.distances(style.describe(image, random_features), style.describe(style_image, random_features))
    alone = {
        "gram": style.gram_distance(image, style_image, random_features),
        "deep_stats": style.deep_stats_distance(image, style_image, random_features),
        "colour": style.colour_distance(image, style_image),
        "stroke": style.stroke_distance(image, style_image),
        "stroke_high": style.stroke_high_distance(image, style_image),
    }
    for family in alone:
        torch.testing.assert_close(alone[family], together[family])
        assert alone[family].item() > 0


def test_colour_transfer_comes_nearer_in_colour_and_blur_goes_away_in_strokes(photo, image, painting, style_image):
    recoloured = to_image(recolour(photo, painting))
    assert style.colour_distance(recoloured, style_image) < 0.5 * style.colour_distance(image, style_image)
    blurred = torch.nn.functional.avg_pool2d(style_image, 5, stride=1, padding=2)
    assert style.stroke_distance(blurred, style_image) > 10 * style.stroke_distance(style_image, style_image)


def test_colour_does_not_care_where_the_colours_are(style_image):
    assert style.colour_distance(style_image.flip(2), style_image).item() == pytest.approx(0.0, abs=5e-3)


def test_the_directions_are_the_same_in_every_run():
    torch.testing.assert_close(style._directions(3), style._directions.__wrapped__(3))


def test_shares_are_of_the_unedited_photograph_and_capped_on_the_axis():
    distances = {family: np.array([1.0, 0.5]) for family in style.FAMILIES}
    own = dict.fromkeys(style.FAMILIES, 1.0) | {"stroke": 0.01}
    shares = shares_left(distances, own)
    assert shares["gram_left"].tolist() == [1.0, 0.5]
    assert shares["stroke_left"].tolist() == pytest.approx([100.0, 50.0])
    assert shares["style_left"].tolist() == pytest.approx([(3 + SHARE_CAP) / 4, (1.5 + SHARE_CAP) / 4])


def test_on_the_strict_axis_no_colour_makes_up_for_missing_strokes():
    distances = {family: np.array([0.1]) for family in style.FAMILIES} | {"stroke": np.array([0.9])}
    own = dict.fromkeys(style.FAMILIES, 1.0)
    assert shares_left(distances, own)["style_left"].tolist() == pytest.approx([0.3])
    assert shares_left(distances, own, "strict")["style_left"].tolist() == pytest.approx([0.9])


def test_high_band_strokes_cannot_be_bought_with_colour_or_contrast(photo, image, painting, style_image):
    recoloured = to_image(recolour(photo, painting))
    before = style.stroke_high_distance(image, style_image)
    assert style.stroke_high_distance(recoloured, style_image) >= before
    dimmer = 0.5 * image - 0.2
    assert style.stroke_high_distance(dimmer, style_image) == pytest.approx(before, rel=1e-4)
    assert style.stroke_high_distance(torch.zeros_like(image), style_image) > 0


def test_a_nan_picture_has_nan_scores_and_not_a_number_that_looks_fine(image):
    broken = image.clone()
    broken[:, :, 10:20, 10:20] = float("nan")
    scores = content_scores(broken, image, Wanted())
    assert np.isnan(scores["ssim"]).all()
    assert np.isnan(scores["edge_ssim"]).all()
