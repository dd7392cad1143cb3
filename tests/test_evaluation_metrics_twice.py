"""Every metric against a second implementation that shares no line with it: scikit-image, SciPy, or float64 by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation, correlate, correlate1d
from scipy.stats import wasserstein_distance
from skimage.feature import canny
from skimage.metrics import structural_similarity
from torch import Tensor

from evaluation import content_metrics as content
from evaluation import lpips_metrics
from evaluation import style_metrics as style
from evaluation.boundary_metrics import Boundaries, boundary_recall, read_boundaries
from evaluation.errors import DataError, NotMeasured
from evaluation.meters import CONTENT_METRICS, HIGHER_IS_BETTER, Wanted, content_scores
from stylenet.images import Pixels, to_image
from stylenet.weights import SQUEEZENET, find_weights

needs_squeeze = pytest.mark.skipif(
    find_weights(SQUEEZENET.name) is None, reason=f"needs {SQUEEZENET.name} (PENTIMENTO_WEIGHTS)"
)


@pytest.fixture(scope="module")
def image(photo: Pixels) -> Tensor:
    return to_image(photo)


@pytest.fixture(scope="module")
def worse(image: Tensor) -> Tensor:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return (image + 0.3 * noise).clamp(-1, 1)


@pytest.fixture(scope="module")
def style_image(painting: Pixels) -> Tensor:
    return to_image(painting)


def plane(image: Tensor) -> np.ndarray:
    """Brightness 0..1 in float64."""
    red, green, blue = (image[0].double().numpy() + 1) / 2
    return 0.299 * red + 0.587 * green + 0.114 * blue


def random_features(image: Tensor) -> dict[str, Tensor]:
    weights = torch.randn(6, 3, 3, 3, generator=torch.Generator().manual_seed(1))
    return {"one": torch.relu(torch.nn.functional.conv2d(image, weights))}


def test_every_content_metric_says_which_way_is_better():
    assert set(HIGHER_IS_BETTER) == set(CONTENT_METRICS)


def window_means(values: np.ndarray) -> np.ndarray:
    taps = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    taps /= taps.sum()
    return correlate1d(correlate1d(values, taps, axis=0), taps, axis=1)[5:-5, 5:-5]


def ms_ssim_by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """Wang et al. 2003 in float64, one channel."""
    product = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mean_a, mean_b = window_means(a), window_means(b)
        var_a, var_b = window_means(a * a) - mean_a**2, window_means(b * b) - mean_b**2
        structure = (2 * (window_means(a * b) - mean_a * mean_b) + 0.03**2) / (var_a + var_b + 0.03**2)
        light = (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
        product *= (structure * light if scale == 4 else structure).mean() ** weight
        a, b = (x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2).mean(axis=(1, 3)) for x in (a, b))
    return float(product)


def test_ms_ssim_agrees_with_its_definition_in_float64(image, worse):
    large, bad = (torch.nn.functional.interpolate(x, size=(192, 224), mode="bilinear") for x in (image, worse))
    channels = [((x[0].double().numpy() + 1) / 2) for x in (bad, large)]
    expected = np.mean([ms_ssim_by_hand(a, b) for a, b in zip(*channels, strict=True)])
    assert content.ms_ssim(bad, large).item() == pytest.approx(expected, abs=1e-4)


def sobel_by_hand(image: Tensor) -> np.ndarray:
    kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
    return np.hypot(correlate(plane(image), kernel, mode="nearest"), correlate(plane(image), kernel.T, mode="nearest"))


def test_edge_ssim_agrees_with_scipy_and_scikit_image(image, worse):
    _, whole = structural_similarity(
        sobel_by_hand(worse),
        sobel_by_hand(image),
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    assert content.edge_ssim(worse, image).item() == pytest.approx(whole[5:-5, 5:-5].mean(), abs=2e-4)


def test_edge_f1_agrees_with_growing_the_edges_instead_of_measuring_distances(image, worse):
    kept, found = (canny(plane(x).astype(np.float32).astype(np.float64), sigma=1.5) for x in (image, worse))
    reach = content.edge_reach_px(*kept.shape)
    rows, columns = np.mgrid[-int(reach) : int(reach) + 1, -int(reach) : int(reach) + 1]
    disc = np.hypot(rows, columns) <= reach
    precision = (found & binary_dilation(kept, disc)).sum() / found.sum()
    recall = (kept & binary_dilation(found, disc)).sum() / kept.sum()
    assert content.edge_f1(worse, image).item() == pytest.approx(
        2 * precision * recall / (precision + recall), abs=0.01
    )


def test_boundary_recall_agrees_with_growing_the_edges(image):
    drawn = np.zeros((96, 128))
    drawn[40, 30:100], drawn[80, 5:25] = 1.0, 0.4
    found = canny(plane(image).astype(np.float32).astype(np.float64), sigma=1.5)
    reach = int(content.edge_reach_px(96, 128))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    near = binary_dilation(found, np.hypot(rows, columns) <= reach)
    expected = (drawn * near).sum() / drawn.sum()
    assert boundary_recall(image, Boundaries.from_map(drawn)).item() == pytest.approx(expected, abs=0.01)


def test_boundaries_keep_their_places_at_any_size_and_a_grey_picture_finds_none(image):
    drawn = np.zeros((96, 128))
    drawn[40, 31:100] = 1.0
    boundaries = Boundaries.from_map(drawn)
    twice = torch.nn.functional.interpolate(image, scale_factor=2.0)
    assert boundary_recall(image, boundaries) > 0.8
    assert boundary_recall(twice, boundaries) > 0.8
    assert boundary_recall(torch.zeros_like(image), boundaries) == 0
    assert boundary_recall(image, Boundaries.from_map(np.zeros((4, 4)))).isnan()
    assert "boundary_recall" not in content_scores(image, image, Wanted())
    assert content_scores(image, image, Wanted(), boundaries)["boundary_recall"] > 0.8


def test_what_is_no_boundary_map_is_named(tmp_path: Path):
    (tmp_path / "a.mat").write_bytes(b"no")
    with pytest.raises(DataError, match=r"a\.mat is no boundary map"):
        read_boundaries(tmp_path / "a.mat")


def test_gram_and_deep_statistics_agree_with_numpy_in_float64(image, style_image):
    seen = [random_features(x)["one"][0].double().numpy().reshape(6, -1) for x in (image, style_image)]
    grams = [flat @ flat.T / flat.shape[1] for flat in seen]
    gram = np.linalg.norm(grams[0] - grams[1]) / np.linalg.norm(grams[1])
    moments = [np.concatenate([flat.mean(axis=1), np.sqrt(flat.var(axis=1) + 1e-5)]) for flat in seen]
    stats = np.linalg.norm(moments[0] - moments[1]) / np.linalg.norm(moments[1])
    assert style.gram_distance(image, style_image, random_features).item() == pytest.approx(gram, rel=1e-4)
    assert style.deep_stats_distance(image, style_image, random_features).item() == pytest.approx(stats, rel=1e-4)


def test_sliced_wasserstein_agrees_with_scipy_direction_by_direction(image, style_image):
    colours = []
    for picture in (image, style_image):
        step = style._stride(picture)
        colours.append(
            style._directions(3).double().numpy() @ picture[0, :, ::step, ::step].flatten(1).double().numpy()
        )
    expected = np.mean([wasserstein_distance(a, b) for a, b in zip(*colours, strict=True)])
    assert style.colour_distance(image, style_image).item() == pytest.approx(expected, rel=0.02)


def test_high_band_strokes_agree_with_scipy(image, style_image):
    filters = style._directions(49).double().numpy().reshape(-1, 7, 7)
    taps = np.array([1, 4, 6, 4, 1]) / 16
    projected = []
    for picture in (image, style_image):
        bright = plane(picture)
        bright = (bright - bright.mean()) / bright.std()
        band = bright - correlate1d(correlate1d(bright, taps, axis=0, mode="mirror"), taps, axis=1, mode="mirror")
        step = style._stride(picture)
        projected.append([correlate(band, kernel)[3:-3:step, 3:-3:step].ravel() for kernel in filters])
    measured = style.stroke_high_distance(image, style_image).item()
    shares = np.linspace(0, 1, style.QUANTILES)
    at_quantiles = [np.quantile(a, shares) - np.quantile(b, shares) for a, b in zip(*projected, strict=True)]
    assert measured == pytest.approx(np.abs(at_quantiles).mean(), rel=1e-3)
    whole = np.mean([wasserstein_distance(a, b) for a, b in zip(*projected, strict=True)])
    assert measured == pytest.approx(whole, rel=0.15)  # 128 quantiles weigh the rarest patches more than all points do


def lpips_by_hand(network: torch.nn.Module, a: Tensor, b: Tensor) -> float:
    """Zhang et al. 2018, equation 1, in float64: unit-length features, squared differences, linear heads."""
    network = network.double()
    shift = torch.tensor([-0.030, -0.088, -0.188], dtype=torch.float64).view(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450], dtype=torch.float64).view(1, 3, 1, 1)
    features = [network.get_submodule("net")((x.double() - shift) / scale) for x in (a, b)]
    total = 0.0
    for k, (one, other) in enumerate(zip(*features, strict=True)):
        one, other = (x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10) for x in (one, other))
        head = network.get_submodule(f"lin{k}.model.1").weight
        total += float(((one - other).square() * head.view(1, -1, 1, 1)).sum(dim=1).mean())
    return total


@pytest.mark.parametrize("backbone", ["squeeze", "alex"])
def test_lpips_agrees_with_its_equation_in_float64_whatever_the_backbone(image, worse, backbone, monkeypatch):
    torch.manual_seed(0)
    network = lpips_metrics.empty_lpips(backbone)  # the shipped heads; which weights the backbone has is no matter here
    monkeypatch.setattr(lpips_metrics, "load_lpips", lambda _: network)
    measured = lpips_metrics.lpips(worse, image, backbone).item()
    expected = lpips_by_hand(network, image, worse)
    assert measured == pytest.approx(expected, rel=1e-3)


@needs_squeeze
def test_lpips_is_zero_for_the_same_picture_and_grows_with_noise(image, worse):
    scores = lpips_metrics.lpips(torch.cat([image, 0.7 * image + 0.3 * worse, worse]), image)
    assert scores[0].abs() < 1e-6
    assert 0 < scores[1] < scores[2]
    assert "lpips" in content_scores(image, image, Wanted(lpips="squeeze"))


@pytest.mark.parametrize("backbone", lpips_metrics.BACKBONES)
def test_torchvisions_weights_fill_every_backbone(backbone):
    net = lpips_metrics.empty_lpips(backbone).get_submodule("net")
    ours = {name.split(".", 1)[1]: torch.full_like(values, 0.5) for name, values in net.state_dict().items()}
    lpips_metrics.fill_backbone(net, ours)
    assert all((values == 0.5).all() for values in net.state_dict().values())


@pytest.mark.parametrize("backbone", lpips_metrics.BACKBONES)
def test_lpips_without_its_backbone_refuses_to_give_a_number(image, backbone, monkeypatch, tmp_path):
    for name in ("PENTIMENTO_WEIGHTS", "PENTIMENTO_ASSETS", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    lpips_metrics.load_lpips.cache_clear()
    try:
        assert not lpips_metrics.lpips_is_available(backbone)
        with pytest.raises(NotMeasured, match="PENTIMENTO_WEIGHTS"):
            lpips_metrics.lpips(image, image, backbone)
        path = tmp_path / lpips_metrics.FILES[backbone]
        path.write_bytes(b"another file")
        lpips_metrics.load_lpips.cache_clear()
        with pytest.raises(NotMeasured, match="sha256 differs"):
            lpips_metrics.lpips_is_available(backbone)
    finally:
        lpips_metrics.load_lpips.cache_clear()
