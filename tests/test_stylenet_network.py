"""The network: sizes, identity, separate paths, and the laws of its parts."""

import itertools

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from runtime.networks import load_network
from runtime.package import open_package
from samples import painting, photograph
from stylenet.adain import AdaIN
from stylenet.colour import colour_code, from_opponent, recolour, to_opponent, with_chroma_of
from stylenet.config import BASE, NetworkConfig
from stylenet.dials import Dials
from stylenet.errors import ConfigError, WeightsError
from stylenet.fusion import Fusion, local_ssim, split_bands
from stylenet.images import to_image
from stylenet.ledger import Ledger
from stylenet.network import StyleNetwork, count_parameters, load_state
from stylenet.pictures import resize_short_side
from stylenet.statistics import gram_matrix, mean_std, normalise
from stylenet.style_encoder import SEMANTICS_TAPS, TEXTURE_TAPS
from stylenet.weights import ROOT

TINY = NetworkConfig(encoder_widths=(4, 4, 8, 8), decoder_widths=(4, 4, 8, 8), gram_ranks=(2, 2, 2, 2), prototypes=2)


def picture(height: int, width: int, seed: int = 0) -> Tensor:
    smooth = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(smooth, (height, width), mode="bicubic").clamp(-1, 1)


def dials(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float32)


@pytest.fixture(scope="module")
def network() -> StyleNetwork:
    """A tiny one whose corrections are not zero, as after training."""
    torch.manual_seed(3)
    made = StyleNetwork(TINY)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.05 * torch.randn(parameter.shape)
    return made.eval()


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 33), (85, 127), (64, 31)])
@pytest.mark.parametrize("config", [TINY, BASE], ids=["compact", "base"])
@torch.no_grad()
def test_the_output_has_exactly_the_size_of_the_input(config: NetworkConfig, height: int, width: int):
    torch.manual_seed(0)
    made = StyleNetwork(config).eval()
    output = made(picture(height, width), *made.encode_style(picture(29, 40, 1)), dials(1, 0.5, 1, 1, 0))
    assert output.shape == (1, 3, height, width)
    assert output.abs().max() <= 1


@torch.no_grad()
def test_strength_zero_is_the_identity(network: StyleNetwork):
    photo = picture(40, 50)
    output = network(photo, *network.encode_style(picture(32, 32, 1)), dials(0, 0.5, 1, 1, 0))
    assert torch.equal(output, photo)


@torch.no_grad()
def test_a_batch_gives_what_its_members_give_alone(network: StyleNetwork):
    photos = torch.cat([picture(32, 40, 1), picture(32, 40, 2)])
    codes = network.encode_style(torch.cat([picture(24, 24, 3), picture(24, 24, 4)]))
    settings = torch.tensor([[1, 0.2, 1, 1, 0], [0.6, 0.9, 0.5, 1, 1]])
    together = network(photos, *codes, settings)
    for i in range(2):
        alone = network(photos[i : i + 1], *(part[i : i + 1] for part in codes), settings[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone, atol=1e-5, rtol=1e-5)


def test_the_two_style_paths_share_no_weights(network: StyleNetwork):
    texture = {id(parameter) for parameter in network.texture_path.parameters()}
    assert texture.isdisjoint({id(parameter) for parameter in network.semantics_path.parameters()})


@torch.no_grad()
def test_each_dial_leaves_the_other_paths_statistics_alone(network: StyleNetwork):
    """What a path's levels look like after modulation depends on that path's dial alone."""
    photo, style = picture(48, 48), picture(40, 40, 9)
    features = network.features(photo)
    _, texture, semantics = network.encode_style(style)
    codes = {**network.texture_path.unpack(texture), **network.semantics_path.unpack(semantics)}

    def statistics(t_texture: float, t_semantics: float) -> dict[str, Tensor]:
        found = {}
        for tap in (*TEXTURE_TAPS, *SEMANTICS_TAPS):
            t = torch.full((1, 1, 1, 1), t_texture if tap in TEXTURE_TAPS else t_semantics)
            styled = network.decoder.modulate[tap](features[tap], codes[tap], t, Ledger())
            found[tap] = torch.cat([part.flatten() for part in mean_std(styled)])
        return found

    both, no_texture, no_semantics = statistics(1, 1), statistics(0, 1), statistics(1, 0)
    for tap in SEMANTICS_TAPS:
        assert torch.equal(both[tap], no_texture[tap])
        assert not torch.allclose(both[tap], no_semantics[tap])
    for tap in TEXTURE_TAPS:
        assert torch.equal(both[tap], no_semantics[tap])
        assert not torch.allclose(both[tap], no_texture[tap])


@torch.no_grad()
def test_keep_color_keeps_the_chroma_of_the_photograph(network: StyleNetwork):
    photo = picture(40, 40) * 0.5
    code = network.encode_style(picture(40, 40, 5))
    kept = network(photo, *code, dials(1, 0.5, 1, 1, 1))
    inside = (kept.abs() < 1).all(1)  # clipping moves chroma
    difference = (to_opponent(kept) - to_opponent(photo))[:, 1:].abs().amax(1)
    assert difference[inside].max() < 1e-4


@torch.no_grad()
def test_fidelity_moves_every_gate_towards_the_anchor(network: StyleNetwork):
    painting, anchor = picture(32, 32, 1), picture(32, 32, 2)
    shares = [network.fusion.shares(painting, anchor, torch.full((1, 1, 1, 1), f / 10)) for f in range(11)]
    for less, more in itertools.pairwise(shares):
        assert (more <= less).all()
    assert shares[-1].mean() < shares[0].mean() - 0.3


@torch.no_grad()
def test_the_articles_own_formula_is_a_switch():
    torch.manual_seed(0)
    article = StyleNetwork(NetworkConfig.from_dict({**TINY.as_dict(), "anchor": "content"})).eval()
    painting, photo, half = picture(32, 32, 1), picture(32, 32, 2), torch.full((1, 1, 1, 1), 0.5)
    share = article.fusion.shares(painting, photo, half)
    assert share.shape == (1, 1, 32, 32)
    fused = article.fusion(painting, photo, half, half, half)
    torch.testing.assert_close(fused, share * painting + (1 - share) * photo)


def test_bands_add_up_to_the_image():
    image = picture(37, 50)
    torch.testing.assert_close(sum(split_bands(image)), image, atol=1e-6, rtol=0)


def test_fusing_a_picture_with_itself_gives_it_back():
    image = picture(32, 48)
    fused = Fusion("recoloured")(image, image, *torch.full((3, 1, 1, 1, 1), 0.7))
    torch.testing.assert_close(fused, image, atol=1e-5, rtol=0)


@torch.no_grad()
def test_without_texture_the_anchor_shows_and_without_semantics_its_light():
    painting, anchor = picture(32, 48, 1), picture(32, 48, 2)
    fusion, zero, one = Fusion("recoloured"), *torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1, 1)
    for semantics in (zero, one):
        torch.testing.assert_close(fusion(painting, anchor, zero, zero, semantics), anchor, atol=1e-6, rtol=0)
    without, whole = (fusion(painting, anchor, zero, one, semantics) for semantics in (zero, one))
    # What semantics adds is the light of the painting's lowest band: the same in every channel, and nothing finer.
    added = whole - without
    light = split_bands(painting - anchor)[2].mean(dim=1, keepdim=True)
    torch.testing.assert_close(added, light.expand_as(added), atol=1e-5, rtol=0)


def test_local_ssim_is_one_for_equal_pictures_and_less_for_others():
    one, other = picture(32, 32, 1)[:, :1], picture(32, 32, 2)[:, :1]
    torch.testing.assert_close(local_ssim(one, one), torch.ones_like(one), atol=1e-4, rtol=0)
    assert local_ssim(one, other).mean() < 0.9


def test_recolouring_carries_mean_and_covariance():
    photo, style = picture(64, 64, 1) * 0.6, picture(64, 64, 2) * 0.6
    moved = recolour(photo, colour_code(photo), colour_code(style))
    torch.testing.assert_close(colour_code(moved)[:, :3], colour_code(style)[:, :3], atol=2e-3, rtol=0)
    torch.testing.assert_close(colour_code(moved)[:, 3:], colour_code(style)[:, 3:], atol=0.03, rtol=0.05)


def test_recolouring_with_its_own_colours_changes_nothing():
    photo = picture(32, 32)
    torch.testing.assert_close(recolour(photo, colour_code(photo), colour_code(photo)), photo, atol=1e-4, rtol=0)


def test_opponent_space_is_left_as_it_was_entered():
    image = picture(20, 20)
    torch.testing.assert_close(from_opponent(to_opponent(image)), image, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        with_chroma_of(image, picture(20, 20, 4), torch.zeros(1, 1, 1, 1)), image, atol=1e-5, rtol=0
    )


def test_texture_does_not_change_when_the_picture_is_tiled():
    features = torch.rand(2, 5, 6, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(gram_matrix(features), gram_matrix(features.repeat(1, 1, 2, 2)))


def test_normalising_leaves_no_texture_but_places():
    mean, std = mean_std(normalise(torch.rand(1, 4, 16, 16) * 7 + 3))
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-4, rtol=0)
    torch.testing.assert_close(std, torch.ones_like(std), atol=1e-3, rtol=0)


def test_compact_stays_within_its_budget():
    made = StyleNetwork(NetworkConfig())
    assert count_parameters(made) <= 1_200_000
    with torch.no_grad():
        code = made.eval().encode_style(picture(64, 64))
    assert sum(part.numel() * 4 for part in code) <= 64 * 1024


def test_base_trains_at_most_ten_million_parameters():
    assert count_parameters(StyleNetwork(BASE)) <= 10_000_000


@torch.no_grad()
def test_adain_at_strength_zero_ignores_the_style():
    torch.manual_seed(0)
    adain = AdaIN((4, 4, 8, 8)).eval()
    photo = picture(32, 33)
    pictures = [adain(photo, *adain.encode_style(picture(32, 32, s)), dials(0, 0, 0, 0, 0)) for s in (1, 2)]
    torch.testing.assert_close(*pictures, atol=1e-5, rtol=0)
    assert pictures[0].shape == photo.shape


def test_weights_of_another_network_are_refused_by_name():
    with pytest.raises(WeightsError, match=r"other\.safetensors"):
        load_state(StyleNetwork(TINY), {"nothing": torch.zeros(1)}, "other.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        {"variant": "huge"},
        {"anchor": "sky"},
        {"vgg_source": "nowhere"},
        {"encoder_widths": (1, 2)},
        {"prototypes": 0},
        {"variant": "base"},
    ],
)
def test_an_impossible_network_is_refused(change: dict[str, object]):
    with pytest.raises(ConfigError, match=next(iter(change)) if "base" not in change.values() else "VGG-19"):
        NetworkConfig(**change)


def test_an_unknown_setting_is_named():
    with pytest.raises(ConfigError, match="width"):
        NetworkConfig.from_dict({"width": 3})


@pytest.mark.parametrize(("dial", "least"), [("texture", 0.5), ("semantics", 0.02), ("fidelity", 0.02)])
def test_the_shipped_weights_follow_every_dial(dial: str, least: float):
    """A level that dies in training takes its dial with it, and no loss says so (docs/LOG.md)."""
    shipped = load_network(open_package(ROOT / "pretrained" / "compact"))
    changes = []
    for name, style in (("astronaut", "night-swirls"), ("coffee", "stained-glass"), ("china", "great-wave")):
        photo, style_image = (to_image(resize_short_side(p, 128)) for p in (photograph(name), painting(style)))
        with torch.no_grad():
            code = shipped.encode_style(style_image)
            turned = [shipped(photo, *code, dials(*Dials(**{dial: value}).numbers())) for value in (1.0, 0.0)]
        whole, without = turned
        changes.append(float((whole - without).abs().mean() / (whole - photo).abs().mean()))
    assert min(changes) >= least, changes


@torch.no_grad()
def test_compact_and_base_stay_within_their_budgets():
    """1.2 million parameters, 60 GMAC for a 1080p frame, 64 KB a style code; base: 10 million trained parameters."""
    compact, photo = StyleNetwork(NetworkConfig()).eval(), picture(272, 480)
    code = compact.encode_style(picture(64, 64))
    counter = FlopCounterMode(display=False)
    with counter:
        compact(photo, *code, dials(1, 0.5, 1, 1, 0))
    assert count_parameters(compact) <= 1_200_000
    assert counter.get_total_flops() / 2 * (1080 * 1920) / (272 * 480) <= 60e9
    assert sum(part.numel() for part in code) * 4 <= 64 * 1024
    base = StyleNetwork(BASE)
    assert count_parameters(base) - count_parameters(base.content_encoder) <= 10_000_000
