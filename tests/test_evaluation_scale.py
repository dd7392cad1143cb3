"""A judgement outlives its process, never measures a pair twice, holds few pictures, and can be shared out."""

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from evaluation_painters import Painting, careful, smearing
from evaluation_world import small_settings, write_data

from evaluation.columns import Columns, write_columns
from evaluation.errors import MethodError
from evaluation.harness import evaluate
from evaluation.ledger import Ledger
from evaluation.measuring import Instruments
from evaluation.methods import Painter
from evaluation.nst_pairs import nst_places
from evaluation.pairs import Manifest, make_manifest
from evaluation.pipeline import Counter as Steps
from evaluation.pipeline import Here, fill_ledger, give_memory_back, in_blocks, spoken, sweeps_of
from evaluation.scoring import PAINTED, Scorer, pair_key
from runtime.loading import load_engine
from stylenet.images import Pixels

HERE = Path(__file__).resolve().parent
STRENGTHS = (0.0, 0.5, 1.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("scale"))


@pytest.fixture(scope="module")
def manifest(data: Path) -> Manifest:
    return make_manifest(data, small_settings())


@pytest.fixture(scope="module")
def instruments() -> Instruments:
    return Instruments.load(small_settings())


@dataclass
class Counting:
    """A painter that remembers for how many pairs it was asked at full strength."""

    painter: Painter
    name: str = "candidate"
    asked: Counter = field(default_factory=Counter)

    @property
    def key(self) -> str:
        return self.painter.key

    def info(self):
        return self.painter.info()

    def recipe(self):
        return self.painter.recipe()

    def paint(self, photo, style, strength) -> Pixels:
        self.asked[photo.name, style.name] += strength == 1.0
        return self.painter.paint(photo, style, strength)


def row(value: float) -> dict[str, dict[str, np.ndarray]]:
    return {PAINTED: {"ssim": np.array([1.0, value, np.nan])}}


def test_a_ledger_gives_back_the_very_numbers_also_to_the_next_process(tmp_path):
    written = Ledger(tmp_path / "new" / "a.jsonl")
    value = float(np.float32(0.1)) / 3
    written.append("one", row(value))
    read = Ledger(tmp_path / "new" / "a.jsonl").read("one")[PAINTED]["ssim"]
    assert read[1] == value
    assert np.isnan(read[2])


@pytest.mark.parametrize("cut", [2, 10, 40])
def test_half_a_line_that_a_kill_left_is_no_pair_and_harms_no_other(tmp_path, cut):
    ledger = Ledger(tmp_path / "a.jsonl")
    for name in ("one", "two"):
        ledger.append(name, row(0.5))
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[:-cut])
    again = Ledger(tmp_path / "a.jsonl")
    assert "one" in again
    assert "two" not in again
    again.append("two", row(0.25))
    assert Ledger(tmp_path / "a.jsonl").read("two")[PAINTED]["ssim"][1] == 0.25


def test_two_processes_append_to_one_ledger_and_see_each_other(tmp_path):
    one, other = Ledger(tmp_path / "a.jsonl"), Ledger(tmp_path / "a.jsonl")
    one.append("a", row(0.1))
    other.append("b", row(0.2))
    one.append("c", row(0.3))
    assert {"a", "b", "c"} == {name for name in "abcd" if name in one}
    assert one.read("b")[PAINTED]["ssim"][1] == 0.2


def test_only_missing_pairs_are_painted_and_each_once(tmp_path, data, manifest, instruments):
    method = Counting(Painter("candidate", Painting("careful", careful)))
    scorer = Scorer(method, STRENGTHS, instruments)
    places = manifest.pairs()
    ledger = Ledger(tmp_path / "ledgers" / f"{scorer.key[:32]}.jsonl")
    for i, j in places[:2]:
        ledger.append(
            pair_key(manifest.photographs[i], manifest.paintings[j]),
            scorer.score(manifest.photographs[i], manifest.paintings[j]),
        )
    method.asked.clear()
    full = fill_ledger(scorer, manifest, tmp_path, Here(), Steps(6, None))
    assert len(full) == 6
    assert set(method.asked.values()) == {1}
    assert len(method.asked) == 4
    fill_ledger(scorer, manifest, tmp_path, Here(), Steps(6, None))
    assert sum(method.asked.values()) == 4


def test_other_weights_strengths_or_instruments_never_find_these_numbers(instruments):
    keys = {
        Scorer(Painter("candidate", Painting(name, careful)), strengths, measured).key
        for name in ("one", "two")
        for strengths in (STRENGTHS, (0.0, 0.25, 1.0))
        for measured in (
            instruments,
            Instruments.load(replace(small_settings(), ms_ssim=True)),
        )
    }
    assert len(keys) == 8


def test_the_strict_axis_is_read_from_the_numbers_that_the_mean_one_left(tmp_path, manifest, instruments):
    method = Painter("candidate", Painting("careful", careful))
    strict = Instruments.load(replace(small_settings(), style_axis="strict"))
    read = {}
    for measured in (instruments, strict):
        scorer = Scorer(method, STRENGTHS, measured)
        ledger = fill_ledger(scorer, manifest, tmp_path, Here(), Steps(6, None))
        read[measured.axis] = sweeps_of(scorer, ledger, manifest, tmp_path)["candidate"].scores
        fresh = measured.measure(
            [method.paint(manifest.photographs[0], manifest.paintings[0], s) for s in STRENGTHS],
            manifest.photographs[0],
            manifest.paintings[0],
        )
        assert np.array_equal(read[measured.axis]["style_left"][0], fresh["style_left"])
    assert len(list((tmp_path / "ledgers").iterdir())) == 1
    assert (read["strict"]["style_left"][:, 1:] > read["mean"]["style_left"][:, 1:]).all()


def test_a_champion_finds_the_numbers_that_it_made_as_a_candidate(instruments):
    engine = Painting("careful", careful)
    first, later = (Scorer(Painter(name, engine), STRENGTHS, instruments) for name in ("candidate", "champion"))
    assert first.key == later.key
    assert Scorer(Painter("adain", engine), STRENGTHS, instruments).key != first.key


def test_a_style_code_is_made_once_and_a_broken_one_again(tmp_path, manifest):
    class Encoding(Painting):
        made = 0

        def encode_style(self, pixels):
            Encoding.made += 1
            return super().encode_style(pixels)

    style = manifest.paintings[0]
    for _ in range(2):
        Painter("candidate", Encoding("x", careful), tmp_path).code(style)
    assert Encoding.made == 1
    (kept,) = (tmp_path / "codes").rglob("*.safetensors")
    kept.write_bytes(b"half")
    assert Painter("candidate", Encoding("x", careful), tmp_path).code(style).colour.shape == (12,)
    assert Encoding.made == 2


def judge(data: Path, out: Path, cache: Path | None = None, operation=careful, progress=None):
    return evaluate(
        Painting("careful", operation),
        data=data,
        out=out,
        adain=Painting("baseline", smearing),
        settings=type(small_settings())(**(small_settings().as_dict() | {"strengths": STRENGTHS, "examples": 0})),
        cache=cache,
        progress=progress,
    )


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from evaluation_painters import careful
from test_evaluation_scale import judge

calls = 0
def dies(photo, style, strength):
    global calls
    calls += 1
    if calls == 8:  # two strengths a pair: inside the fourth
        os.kill(os.getpid(), signal.SIGKILL)
    return careful(photo, style, strength)
judge(Path({data!r}), Path({out!r}), operation=dies)
"""


def test_after_a_kill_the_same_command_goes_on_and_ends_with_the_same_bytes(data, tmp_path):
    script = KILLED.format(tests=str(HERE), data=str(data), out=str(tmp_path / "killed"))
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    killed = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "killed" / "scores.json").exists()
    said: list[str] = []
    judge(data, tmp_path / "killed", progress=lambda *step: said.append(step[2]))
    assert "candidate: 3 of 6 pairs to measure" in said
    judge(data, tmp_path / "whole")
    for name in ("scores.json", "pairs.csv", "pairs.parquet", "manifest.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not list((tmp_path / "killed").glob(".*"))


def test_the_next_candidate_finds_the_baselines_numbers_in_the_cache(data, tmp_path):
    judge(data, tmp_path / "one", tmp_path / "cache")
    said: list[str] = []
    judge(data, tmp_path / "two", tmp_path / "cache", operation=smearing, progress=lambda *step: said.append(step[2]))
    assert "adain: 0 of 6 pairs to measure" in said
    run = json.loads((tmp_path / "two" / "run.json").read_text())
    assert set(run) == {"finished_at", "seconds"}


def test_columns_hold_what_the_records_held_and_drop_what_some_pair_lacks(tmp_path):
    generator = np.random.default_rng(0)
    records = [
        {"x": {name: generator.normal(size=3) for name in ("ssim", "edge_ssim", "style_left")}} for _ in range(600)
    ]
    records[7]["x"]["ms_ssim"] = np.ones(3)
    records[7]["x"]["boundary_recall"] = np.ones(3)
    (sweep,) = write_columns(iter(records), {"x": "candidate"}, tmp_path, (600, 3)).values()
    assert set(sweep.scores) == {"ssim", "edge_ssim", "style_left", "boundary_recall"}
    assert isinstance(sweep.scores, Columns)
    assert np.array_equal(sweep.scores["edge_ssim"], np.stack([record["x"]["edge_ssim"] for record in records]))
    assert np.array_equal(
        sweep.scores.rows("ssim", 255, 258), np.stack([record["x"]["ssim"] for record in records[255:258]])
    )
    assert np.isfinite(sweep.scores["boundary_recall"]).sum() == 3
    with pytest.raises(KeyError):
        sweep.scores["ms_ssim"]


def test_pictures_and_descriptions_in_memory_stay_few_however_many_pairs_there_are(data, manifest, instruments):
    painter = Painter("candidate", Painting("careful", careful))
    for k in range(100):
        painter.codes[str(k)] = painter.code(manifest.paintings[0])
    painter.code(manifest.paintings[1])
    assert len(painter.codes) <= 101
    blocks = in_blocks((i, j) for i in range(40) for j in range(40))
    assert len({j for _, j in blocks[:256]}) == len({i for i, _ in blocks[:256]}) == 16


def test_freed_memory_is_given_back_and_it_is_no_matter_where_that_cannot_be_done(monkeypatch):
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    pieces = [np.ones(3000) for _ in range(4000)]  # 24 kB each: below what glibc takes from the system by itself
    kept = pieces[::400]
    held = resident()
    del pieces
    give_memory_back()
    assert len(kept) == 10
    assert resident() < held - 4000  # pages of 4 kB; most of 96 MB
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    give_memory_back()


def test_nst_pairs_are_among_the_judged_ones(data):
    settings = type(small_settings())(**(small_settings().as_dict() | {"photographs_per_painting": 1}))
    sparse = make_manifest(data, settings)
    assert set(nst_places(sparse, 9)) == set(sparse.pairs())


def test_the_estimate_counts_what_was_measured_and_not_what_was_found():
    said = []
    steps = Steps(100, lambda *step: said.append(step))
    steps.step(50, found=True)
    steps.say("a")
    for _ in range(4):
        steps.step()
    steps.started -= 40
    steps.say("b")
    assert "left" not in said[0][2]
    assert said[1][2].startswith("b; about 8 min left") or "7" in said[1][2]
    assert [spoken(s) for s in (30, 600, 20000)] == ["30 s", "10 min", "5.6 h"]


def test_a_cluster_gives_the_same_numbers_to_the_last_digit(tiny_package, data, manifest, tmp_path):
    ray = pytest.importorskip("ray", reason="needs the extra 'ray'")
    from evaluation.cluster import RayWorkers

    settings = small_settings()
    engine = load_engine(tiny_package, "torch")
    scorer = Scorer(Painter("candidate", engine, tmp_path), (0.0, 1.0), Instruments.load(settings))
    places = manifest.pairs()[:3]
    workers = RayWorkers(settings, workers=1)
    try:
        shared = dict(workers.score(scorer, manifest, places))
        with pytest.raises(MethodError, match="measure something else"):
            list(workers.score(Scorer(Stranger(scorer.method), (0.0, 1.0), scorer.instruments), manifest, places[:1]))
    finally:
        workers.close()
    assert not ray.is_initialized()
    for place, record in Here().score(scorer, manifest, places):
        for name, values in record[PAINTED].items():
            assert np.array_equal(values, shared[place][PAINTED][name], equal_nan=True), name
    engine.close()


@dataclass
class Stranger:
    """A method whose recipe makes another one than it claims to be."""

    real: Painter
    name: str = "candidate"
    key: str = "somebody else"

    def recipe(self):
        return self.real.recipe()


def test_an_engine_is_opened_again_by_its_recipe_and_refused_if_its_package_changed(
    tiny_package, adain_package, tmp_path
):
    engine = load_engine(tiny_package, "torch")
    recipe = Painter("candidate", engine).recipe()
    assert recipe().key == Painter("champion", engine).key
    assert isinstance(recipe, partial)
    moved = partial(recipe.func, "candidate", adain_package, *recipe.args[2:])
    with pytest.raises(MethodError, match="another package"):
        moved()
