"""Advice about styles: its laws, its reasons, its ranking, and the warning on the command line."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from postgres_server import postgres  # noqa: F401
from sqlalchemy import text
from styles_world import library_fixture, pixels_of, settings_fixture  # noqa: F401

from registry.errors import UnknownStyle
from registry.style_advice import POOR_FIT, TERMS, distances, judge_fit
from registry.style_looks import Look, look_at
from stylenet.images import Pixels

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "styles_advice.py"


def stripes(period_px: float, colour: tuple[int, int, int], side: int = 256) -> Pixels:
    """Waves of one width, from black to a colour, with a little noise."""
    rows, columns = np.mgrid[0:side, 0:side]
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (columns + 0.3 * rows) / period_px)
    noise = np.random.default_rng(0).normal(0, 3, (side, side, 3))
    return np.clip(wave[:, :, None] * np.asarray(colour) + noise, 0, 255).astype(np.uint8)


def test_a_picture_suits_itself_best_and_for_no_reason_against():
    look = look_at([stripes(16, (200, 120, 60))])
    assert distances(look, look) == pytest.approx((0, 0, 0), abs=1e-3)
    fit = judge_fit(look, look)
    assert (fit.fit, fit.poor, fit.reasons) == (1.0, False, ())


def test_each_term_sees_what_it_is_named_after():
    start = look_at([stripes(16, (200, 120, 60))])
    other_colour = distances(start, look_at([stripes(16, (30, 60, 220))]))
    other_width = distances(start, look_at([stripes(64, (200, 120, 60))]))
    palette, texture = TERMS.index("palette"), TERMS.index("texture")
    assert other_colour[palette] > 2 * other_width[palette]
    assert other_width[texture] > 2 * other_colour[texture]


@pytest.mark.parametrize(("photo_px", "style_px", "word"), [(6, 64, "coarser"), (64, 6, "finer")])
def test_the_reason_says_which_way_the_strokes_differ(photo_px, style_px, word):
    photo, style = (look_at([stripes(period, (200, 120, 60))]) for period in (photo_px, style_px))
    assert f"its strokes are much {word} than the photograph's detail" in judge_fit(photo, style).reasons


def test_a_poor_pair_has_a_reason():
    fit = judge_fit(look_at([stripes(48, (40, 45, 50))]), look_at([pixels_of(1, 256, 256)]))
    assert fit.fit < POOR_FIT
    assert fit.poor
    assert fit.reasons


def test_a_look_does_not_change_with_the_picture_s_size_nor_when_it_is_kept():
    small, large = stripes(16, (200, 120, 60)), stripes(32, (200, 120, 60), 512)
    assert judge_fit(look_at([small]), look_at([large])).fit > 0.9
    look = look_at([small])
    kept = Look.from_bytes(look.to_bytes())
    assert judge_fit(look, kept).loss == judge_fit(look, look).loss
    assert Look.from_bytes(b"damaged") is None


def test_flat_pictures_get_a_finite_answer():
    grey = np.full((64, 64, 3), 128, np.uint8)
    black = np.zeros((64, 64, 3), np.uint8)
    for pair in ((grey, black), (black, grey), (grey, pixels_of(1))):
        fit = judge_fit(*(look_at([pixels]) for pixels in pair))
        assert np.isfinite(fit.loss)
        assert 0 <= fit.fit <= 1


def test_the_library_ranks_its_styles_and_looks_at_each_only_once(library):
    photo = stripes(16, (200, 120, 60))
    library.add("kin", [stripes(18, (190, 130, 60))], tags=["ours"])
    library.add("stranger", [pixels_of(1, 256, 256)], tags=["theirs"])
    advice = library.suggest(photo)
    assert [one.style.name for one in advice] == ["kin", "stranger"]
    assert advice[0].fit.fit > advice[1].fit.fit
    assert library.fit(photo, "kin").loss == advice[0].fit.loss
    with library.database.reading() as session:
        kept = session.execute(text("SELECT style_id, look FROM style_looks ORDER BY 1")).all()
    assert len(kept) == 2
    for path in Path(library.blobs.place).glob("??/*"):
        path.unlink()
    assert library.suggest(photo, 1)[0].style.name == "kin"
    assert [one.style.name for one in library.suggest(photo, tag="theirs")] == ["stranger"]
    with pytest.raises(UnknownStyle):
        library.fit(photo, "nobody")


def test_a_style_that_cannot_be_looked_at_is_passed_over(library):
    library.add("lost", [pixels_of(2)])
    for path in Path(library.blobs.place).glob("??/*"):
        path.unlink()
    library.add("whole", [pixels_of(1)])
    assert [one.style.name for one in library.suggest(pixels_of(3))] == ["whole"]


def test_several_pictures_make_one_look_the_mean_of_theirs():
    one, other = pixels_of(1, 64, 64), stripes(16, (200, 120, 60))
    both = look_at([one, other])
    np.testing.assert_allclose(both.bands, (look_at([one]).bands + look_at([other]).bands) / 2, rtol=1e-5)


@pytest.fixture
def pentimento(tmp_path, monkeypatch):
    """Run a command in a home whose library is not seeded with the paintings: they take a while to draw."""
    from cli.main import pentimento as command
    from registry.styles import StyleLibrary

    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PENTIMENTO_STYLES_URL", raising=False)
    monkeypatch.setattr(StyleLibrary, "seed_builtin", lambda self, progress: ())
    return lambda *words: CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def test_stylizing_a_poor_pair_warns_on_stderr_and_a_good_one_does_not(pentimento, tmp_path, tiny_package):
    photo, kin, stranger = (tmp_path / f"{name}.png" for name in ("photo", "kin", "stranger"))
    Image.fromarray(stripes(48, (40, 45, 50), 96)).save(photo)
    Image.fromarray(stripes(48, (44, 45, 50), 96)).save(kin)
    Image.fromarray(pixels_of(1, 96, 96)).save(stranger)
    common = ("--model", tiny_package, "--engine", "torch", "-o", tmp_path / "out.png")
    good = pentimento("stylize", photo, "--style", kin, *common)
    poor = pentimento("stylize", photo, "--style", stranger, *common)
    assert good.exit_code == poor.exit_code == 0
    assert "warning" not in good.stderr
    assert f"warning: {stranger} does not suit {photo}: its " in poor.stderr
    assert f"`pentimento styles suggest {photo}` names better ones" in poor.stderr
    assert "warning" not in poor.stdout
    pentimento("styles", "add", "noise", stranger)
    assert "warning: noise does not suit" in pentimento("stylize", photo, "--style", "noise", *common).stderr


def test_the_commands_suggest_export_and_import(pentimento, tmp_path):
    for name, pixels in (("kin", stripes(18, (190, 130, 60), 96)), ("noise", pixels_of(1, 96, 96))):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        pentimento("styles", "add", name, tmp_path / f"{name}.png")
    Image.fromarray(stripes(16, (200, 120, 60), 96)).save(tmp_path / "photo.png")
    shown = pentimento("styles", "suggest", tmp_path / "photo.png").stdout.splitlines()
    assert shown[0].split()[:2] == ["name", "fit"]
    assert [line.split()[0] for line in shown[2:]] == ["kin", "noise"]
    listed = json.loads(pentimento("styles", "suggest", tmp_path / "photo.png", "--limit", 1, "--json").stdout)
    assert [(one["name"], one["poor"]) for one in listed] == [("kin", False)]
    assert pentimento("styles", "export", tmp_path / "s.zip").stdout == f"wrote 2 styles to {tmp_path / 's.zip'}\n"
    pentimento("styles", "remove", "kin")
    done = pentimento("styles", "import", tmp_path / "s.zip")
    assert (done.stdout, done.stderr) == ("added kin\n", "1 were there already: noise\n")
    assert "noise" not in pentimento("styles", "list", "--search", "KIN").stdout


def test_the_forecast_agrees_with_the_measured_content_loss_of_real_pairs(assets, monkeypatch):
    """A small sample of what docs/STYLES.md records on 200 pairs."""
    spec = importlib.util.spec_from_file_location("styles_advice", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "ASSETS", assets)
    pairs = script.chosen_pairs("test")[:30]
    found = script.check(pairs, script.measured(pairs))
    assert found["rank correlation"]["forecast"]["all pairs"] > 0.4
