"""Data sets are read as they are found: damaged names, lists without headers, tables, broken files, twins."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from cli.data import data as data_command
from cli.outcome import REJECTED, Stop
from evaluation.boundary_metrics import read_boundaries
from evaluation.datacheck import check_data
from evaluation.datasets import find_pictures, list_folder
from evaluation.errors import DataError
from evaluation.pairs import make_manifest
from evaluation.picture_names import name_key, parse_title, repair_name
from evaluation.settings import EvaluationSettings
from stylenet.pictures import encode_picture, write_picture

TWICE = "antoine-blanchard_café-1899.jpg".encode().decode("cp1252")


def draw(path: Path, seed: int) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(np.random.default_rng(seed).integers(0, 256, (70, 80, 3), dtype=np.uint8), path)
    return path.read_bytes()


@pytest.fixture
def wikiart(tmp_path: Path) -> Path:
    """Seven paintings as ArtGAN ships them, with everything that is wrong with WikiArt."""
    root = tmp_path / "wikiart"
    same = draw(root / "Cubism" / "juan-gris_guitar-1913.jpg", 1)
    (root / "Synthetic_Cubism").mkdir()
    (root / "Synthetic_Cubism" / "juan-gris_guitar-1913.jpg").write_bytes(same)
    draw(root / "Cubism" / TWICE, 2)
    draw(root / "Ukiyo_e" / "hiroshige_the-(great)-wa\u00adve\u00a0two-1850(1).jpg", 3)
    draw(root / "Ukiyo_e" / "hokusai_not-listed-1831.jpg", 4)
    (root / "Ukiyo_e" / "kunisada_broken-1840.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    lists = {
        "train": [
            f"Cubism/{TWICE.encode('cp1252').decode()}",
            "Synthetic_Cubism/juan-gris_guitar-1913.jpg",
            "Cubism/gone-1.jpg",
        ],
        "val": [
            "Cubism/juan-gris_guitar-1913.jpg",
            "Ukiyo_e/hiroshige_the-(great)-wave two-1850(1).jpg",
            "Ukiyo_e/kunisada_broken-1840.jpg",
        ],
    }
    for split, names in lists.items():
        with open(root / f"style_{split}.csv", "w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows((name, 7) for name in names)
    return root


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_a_plain_name_is_never_changed(name):
    assert repair_name(name.replace("#U", "")) == name.replace("#U", "")


@given(st.text("aéèüñçøßłПри日本 -_'()", max_size=20), st.integers(0, 2))
def test_a_name_that_was_encoded_again_is_read_as_it_was_meant(name, rounds):
    damaged = name
    for _ in range(rounds):
        damaged = "".join(map(chr, damaged.encode()))  # UTF-8 taken for Latin-1
    assert name_key(damaged) == name_key(name)


@pytest.mark.parametrize(
    ("damaged", "meant"),
    [
        (TWICE, "antoine-blanchard_café-1899.jpg"),
        ("caf#U00e9.jpg", "café.jpg"),
        (b"caf\xe9.jpg".decode("utf-8", "surrogateescape"), "café.jpg"),
        ("naïve.jpg", "naïve.jpg"),
    ],
)
def test_damaged_names_are_repaired(damaged, meant):
    assert repair_name(damaged) == meant


def test_unseen_characters_case_and_kinds_of_space_do_not_part_two_names():
    assert name_key("Wa\u00adve\u00a0 Two.JPG") == name_key("wave two.jpg")
    assert name_key("e\u0301tude") == name_key("\u00e9tude")


def test_a_name_tells_artist_title_and_year_where_it_holds_them():
    assert parse_title("claude-monet_water-lilies-1916(1)") == ("claude monet", "water lilies", 1916)
    assert parse_title("scream") == ("scream", "", None)


def test_artgan_lists_match_names_on_disk_whatever_happened_to_them(wikiart):
    listing = list_folder(wikiart)
    assert "ArtGAN" in listing.layout
    splits = {source.name.rsplit("/")[-1]: source.split for source in listing.paintings}
    assert splits["antoine-blanchard_café-1899.jpg"] == "train"
    assert splits["hokusai_not-listed-1831.jpg"] == "unlisted"
    assert {source.group for source in listing.judged().paintings} == {"Cubism", "Ukiyo_e"}
    assert {source.split for source in listing.judged().paintings} == {"val"}
    assert any("gone-1.jpg" in note for note in listing.notes)
    assert any("1 files are on disk and in no list" in note for note in listing.notes)


def test_a_check_names_what_is_broken_twice_or_in_two_splits(wikiart, tmp_path):
    found = check_data(wikiart, manifest=tmp_path / "out" / "manifest.jsonl")
    assert found.usable == 5
    assert [name for name, _ in found.unreadable] == ["Ukiyo_e/kunisada_broken-1840.jpg"]
    assert [{split for split, _ in each} for each in found.across_splits] == [{"train", "val"}]
    assert [len(each) for each in found.same_name] == [2]
    lines = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert len(lines) == 6
    assert {len(line["sha256"]) for line in lines} == {64}
    assert sum("problem" in line for line in lines) == 1
    assert not list((tmp_path / "out").glob(".*"))


def test_the_digest_of_a_check_follows_the_pictures_and_not_their_order_or_names(wikiart):
    before = check_data(wikiart).digest
    (wikiart / "Ukiyo_e" / "hokusai_not-listed-1831.jpg").rename(wikiart / "Ukiyo_e" / "a.jpg")
    assert check_data(wikiart).digest == before
    draw(wikiart / "Ukiyo_e" / "a.jpg", 99)
    assert check_data(wikiart).digest != before


def test_the_command_prints_what_it_saw_and_says_no_to_a_picture_in_two_splits(wikiart):
    ran = CliRunner().invoke(data_command, ["check", str(wikiart)])
    assert isinstance(ran.exception, Stop)
    assert ran.exception.code == REJECTED
    assert "kunisada_broken-1840.jpg" in ran.stdout
    assert "IN TWO SPLITS: 1" in ran.stdout
    (wikiart / "Synthetic_Cubism" / "juan-gris_guitar-1913.jpg").unlink()
    ran = CliRunner().invoke(data_command, ["check", str(wikiart), "--json"])
    assert ran.exit_code == 0
    assert json.loads(ran.stdout)["usable"] == 4


def test_a_folder_without_pictures_is_refused_with_the_page_that_helps(tmp_path):
    with pytest.raises(DataError, match=r"no pictures.*JUDGING\.md"):
        check_data(tmp_path)


def write_table(path: Path, seeds: list[int], labels: list[int] | None) -> None:
    pixels = [np.random.default_rng(seed).integers(0, 256, (70, 80, 3), dtype=np.uint8) for seed in seeds]
    image = [{"bytes": encode_picture(each), "path": f"{seed}.png"} for seed, each in zip(seeds, pixels, strict=True)]
    columns: dict[str, list] = {"image": image} | ({} if labels is None else {"style": labels})
    features = {"style": {"names": ["Cubism", "Ukiyo_e"], "_type": "ClassLabel"}}
    table = pa.table(columns).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=2)


def test_parquet_tables_are_read_row_by_row_with_their_labels_in_words(tmp_path):
    write_table(tmp_path / "art" / "data" / "train-00000-of-00001.parquet", [1, 2, 3], [1, 0, 1])
    write_table(tmp_path / "photos" / "test-00000.parquet", [4, 5], None)
    pool = find_pictures([tmp_path / "art", tmp_path / "photos"])
    assert [source.group for source in pool.paintings] == ["Ukiyo_e", "Cubism", "Ukiyo_e"]
    assert [source.row for source in pool.paintings] == [(0, 0), (0, 1), (1, 0)]
    assert pool.paintings[2].read_bytes() == encode_picture(
        np.random.default_rng(3).integers(0, 256, (70, 80, 3), dtype=np.uint8)
    )
    manifest = make_manifest(
        [tmp_path / "art", tmp_path / "photos"], EvaluationSettings(contents=2, styles=3, short_side_px=64)
    )
    assert {picture.shape for picture in manifest.paintings} == {(64, 73)}
    assert manifest.paintings[0].pixels.shape == (64, 73, 3)


def test_a_table_without_pictures_or_that_is_none_is_refused_by_name(tmp_path):
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "words.parquet")
    with pytest.raises(DataError, match=r"words\.parquet has no column 'image'"):
        list_folder(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "broken.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="not a parquet table"):
        list_folder(tmp_path / "other")


def test_coco_and_wikiart_need_no_order_and_coco_is_judged_on_val(tmp_path, wikiart):
    for k, split in enumerate(["train2017", "val2017"]):
        draw(tmp_path / "coco" / split / f"00000000000{k}.jpg", k)
    pool = find_pictures([wikiart, tmp_path / "coco"])
    assert [source.name for source in pool.photographs] == ["val2017/000000000001.jpg"]
    assert len(pool.paintings) == 3


def test_bsds_brings_its_human_boundaries_as_pictures_or_as_matlab(tmp_path):
    root = tmp_path / "BSDS500" / "data"
    for split in ("train", "test"):
        draw(root / "images" / split / "100.jpg", 1)
        (root / "groundTruth" / split).mkdir(parents=True)
    people = np.empty((1, 2), dtype=object)
    for k in range(2):
        drawn = np.zeros((70, 80), dtype=np.uint8)
        drawn[10 + 20 * k] = 1
        people[0, k] = {"Boundaries": drawn, "Segmentation": drawn}
    savemat(root / "groundTruth" / "test" / "100.mat", {"groundTruth": people})
    listing = list_folder(tmp_path / "BSDS500")
    assert [source.split for source in listing.judged().photographs] == ["test"]
    boundaries = read_boundaries(listing.judged().photographs[0].boundaries)
    assert sorted(set(np.floor(boundaries.rows * 70).astype(int))) == [10, 30]
    assert set(boundaries.weights) == {0.5}
    assert "1 have no boundary map" in listing.notes[0]


def test_a_broken_boundary_map_costs_the_photograph_and_not_the_run(tmp_path):
    for k in range(2):
        draw(tmp_path / "bsds" / "images" / f"{k}.jpg", k)
        (tmp_path / "bsds" / "boundaries").mkdir(exist_ok=True)
        write_picture(np.zeros((70, 80, 3), dtype=np.uint8), tmp_path / "bsds" / "boundaries" / f"{k}.png")
    draw(tmp_path / "paintings" / "a.png", 9)
    (tmp_path / "bsds" / "boundaries" / "0.png").write_bytes(b"nothing")
    manifest = make_manifest(
        [tmp_path / "bsds", tmp_path / "paintings"], EvaluationSettings(contents=2, styles=1, short_side_px=64)
    )
    assert [picture.name for picture in manifest.photographs] == ["1.jpg"]
    assert "boundary map" in manifest.skipped[0][1]


def test_a_manifest_counts_duplicates_apart_from_what_is_broken(wikiart, tmp_path):
    (wikiart / "style_train.csv").unlink()
    (wikiart / "style_val.csv").unlink()
    draw(tmp_path / "photos" / "a.png", 7)
    manifest = make_manifest([wikiart, tmp_path / "photos"], EvaluationSettings(contents=1, styles=9, short_side_px=64))
    assert manifest.duplicates == 1
    assert len(manifest.skipped) == 2


def test_a_picture_that_changes_after_it_was_chosen_is_not_judged(tmp_path):
    draw(tmp_path / "photographs" / "a.png", 1)
    draw(tmp_path / "paintings" / "b.png", 2)
    manifest = make_manifest(tmp_path, EvaluationSettings(contents=1, styles=1, short_side_px=64))
    draw(tmp_path / "photographs" / "a.png", 3)
    with pytest.raises(DataError, match="changed while it was being judged"):
        _ = manifest.photographs[0].pixels


def test_paintings_that_meet_some_photographs_give_each_its_share(tmp_path):
    for k in range(4):
        draw(tmp_path / "photographs" / f"{k}.png", k)
    for k in range(6):
        draw(tmp_path / "paintings" / f"{k}.png", 10 + k)
    settings = EvaluationSettings(contents=4, styles=6, short_side_px=64, photographs_per_painting=2)
    manifest = make_manifest(tmp_path, settings)
    pairs = manifest.pairs()
    assert len(pairs) == len(set(pairs)) == 12
    assert {sum(i == place for i, _ in pairs) for place in range(4)} == {3}
    whole = make_manifest(tmp_path, EvaluationSettings(contents=4, styles=6, short_side_px=64))
    assert manifest.digest != whole.digest


def test_the_development_boundaries_lie_on_their_photographs(assets):
    pool = find_pictures(assets)
    assert sum(source.boundaries is not None for source in pool.photographs) >= 50
