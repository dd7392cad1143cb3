"""Pictures are found in every layout, chosen the same way every time, and a broken one is never fatal."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.datasets import UNSORTED, find_pictures
from evaluation.errors import DataError, SettingsError
from evaluation.pairs import make_manifest
from evaluation.settings import EvaluationSettings
from stylenet.pictures import write_picture

SETTINGS = EvaluationSettings(contents=3, styles=2, short_side_px=64)


def draw(path: Path, seed: int, size: tuple[int, int] = (70, 90)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8), path)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    for k in range(4):
        draw(tmp_path / "sample" / "photographs" / f"photo{k}.png", k)
    for k, movement in enumerate(["Fauvism", "Fauvism", "Fauvism", "Ukiyo-e"]):
        draw(tmp_path / "sample" / "paintings" / movement / f"ända_o'brien's-(view)-19{k}.png", 10 + k, (90, 70))
    return tmp_path / "sample"


def test_the_sample_layout_gives_photographs_and_paintings_with_their_movements(sample):
    pool = find_pictures(sample)
    assert [source.name for source in pool.photographs] == [f"photo{k}.png" for k in range(4)]
    assert {source.group for source in pool.paintings} == {"Fauvism", "Ukiyo-e"}


def test_two_plain_folders_are_photographs_and_paintings_in_this_order(sample):
    pool = find_pictures([sample / "photographs", sample / "paintings" / "Fauvism"])
    assert len(pool.photographs) == 4
    assert {source.group for source in pool.paintings} == {UNSORTED}


def test_one_plain_folder_is_refused_with_the_cure(sample):
    with pytest.raises(DataError, match="photographs first and paintings second"):
        find_pictures(sample / "photographs")


def test_a_missing_folder_and_an_empty_role_are_refused(tmp_path, sample):
    with pytest.raises(DataError, match="not a folder"):
        find_pictures(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no paintings"):
        find_pictures([sample / "photographs", tmp_path / "empty"])


def test_an_index_gives_its_test_split_and_says_what_is_a_building(tmp_path):
    rows = [
        "path,split,kind,style,building",
        "bsds500/images/a.png,test,photo,,True",
        "coco-sample/val2017/b.png,test,photo,,False",
        "coco-sample/val2017/c.png,train,photo,,False",
        "bsds500/boundaries/a.png,test,boundary,,",
        "wikiart-sample/Cubism/d.png,test,painting,Cubism,",
        "paintings-classic/e.png,test,painting,,",
    ]
    (tmp_path / "index.csv").write_text("\n".join(rows), encoding="utf-8")
    pool = find_pictures(tmp_path)
    assert [(source.name, source.building) for source in pool.photographs] == [
        ("bsds500/images/a.png", True),
        ("coco-sample/val2017/b.png", False),
    ]
    assert [source.group for source in pool.paintings] == ["Cubism", UNSORTED]


def test_an_index_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "index.csv").write_bytes(b"path,split\n\xff\xfe")
    with pytest.raises(DataError, match=r"index\.csv"):
        find_pictures(tmp_path)


def test_every_photograph_meets_every_painting_at_the_asked_size_in_its_own_aspect(sample):
    manifest = make_manifest(sample, SETTINGS)
    assert manifest.pairs() == [(i, j) for i in range(3) for j in range(2)]
    assert all(min(picture.pixels.shape[:2]) == 64 for picture in (*manifest.photographs, *manifest.paintings))
    assert manifest.paintings[0].pixels.shape[0] > manifest.paintings[0].pixels.shape[1]


def test_a_small_choice_walks_round_the_movements(sample):
    assert {picture.source.group for picture in make_manifest(sample, SETTINGS).paintings} == {"Fauvism", "Ukiyo-e"}


def test_the_choice_and_its_digest_follow_the_seed_the_files_and_the_size_and_nothing_else(sample):
    one = make_manifest(sample, SETTINGS)
    assert make_manifest(sample, SETTINGS).as_dict() == one.as_dict()
    larger = EvaluationSettings(contents=3, styles=2, short_side_px=80)
    assert make_manifest(sample, larger).digest != one.digest
    choices = {
        make_manifest(sample, EvaluationSettings(contents=3, styles=2, short_side_px=64, seed=seed)).digest
        for seed in range(6)
    }
    assert len(choices) > 1
    draw(one.photographs[0].source.path, 99)
    assert make_manifest(sample, SETTINGS).digest != one.digest


def test_a_broken_file_is_reported_and_the_next_takes_its_place(sample):
    first = make_manifest(sample, SETTINGS).photographs[0].source.path
    first.write_bytes(b"")
    manifest = make_manifest(sample, SETTINGS)
    assert len(manifest.photographs) == 3
    assert [name for name, _ in manifest.skipped] == [first.name]
    assert "0 bytes" in manifest.skipped[0][1]


def test_the_same_picture_under_two_names_counts_once(sample):
    blob = (sample / "photographs" / "photo0.png").read_bytes()
    for k in range(1, 4):
        (sample / "photographs" / f"photo{k}.png").write_bytes(blob)
    manifest = make_manifest(sample, SETTINGS)
    assert len(manifest.photographs) == 1
    assert all("the same file as" in reason for _, reason in manifest.skipped)


def test_nothing_that_can_be_read_is_an_error_that_says_why(sample):
    for path in (sample / "photographs").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"no photograph could be read.*not a picture"):
        make_manifest(sample, SETTINGS)


def test_a_scroll_is_judged_by_its_middle(tmp_path, sample):
    draw(tmp_path / "scrolls" / "scroll.png", 5, (64, 900))
    manifest = make_manifest([sample / "photographs", tmp_path / "scrolls"], SETTINGS)
    assert manifest.paintings[0].pixels.shape == (64, 256, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contents": 0}, "contents=0"),
        ({"short_side_px": 32}, "use 64 or more"),
        ({"target_ssim": 1.0}, "target_ssim"),
        ({"strengths": (0.0, 1.0)}, "three or more"),
        ({"strengths": (0.1, 0.5, 1.0)}, "from 0 to 1"),
        ({"strengths": (0.0, float("nan"), 1.0)}, "ascending"),
        ({"resamples": 1}, "resamples"),
    ],
)
def test_a_setting_that_cannot_work_names_one_that_can(change, words):
    with pytest.raises(SettingsError, match=words):
        EvaluationSettings(**change)


def test_the_development_assets_offer_buildings_others_and_many_movements(assets):
    pool = find_pictures(assets)
    assert {source.building for source in pool.photographs} == {True, False}
    assert len({source.group for source in pool.paintings}) > 5
