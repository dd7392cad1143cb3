"""The preference study: blind, fair, tried in a real browser, and counted by methods that others agree with."""

import json
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from cli.main import pentimento
from cli.outcome import run_politely
from evaluation.errors import StudyError
from evaluation.study_build import KEY_NAME, PAGE_NAME, SCRAMBLED, Scene, Study, build_study, read_key, scramble
from evaluation.study_results import read_study
from evaluation.study_score import bradley_terry, krippendorff_alpha, read_ballots, score_study

CHROMIUM = Path("/usr/bin/chromium")
DIGEST = "c" * 64


def scenes(count: int = 8) -> list[Scene]:
    generator = np.random.default_rng(3)

    def picture() -> np.ndarray:
        return generator.integers(0, 256, (48, 60, 3), dtype=np.uint8)

    return [
        Scene(
            f"{i}.png",
            "s.png",
            picture(),
            picture(),
            {"candidate": picture(), "adain": picture(), "raw_blend": picture()},
        )
        for i in range(count)
    ]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return build_study(scenes(), tmp_path / "study", candidate_digest=DIGEST, data_digest="d" * 64, at="full_strength")


def ballot(
    study: Study, voter: str, wanted: str = "candidate", *, attentive: bool = True, share: float = 1.0
) -> dict[str, Any]:
    """Votes of somebody who prefers one method on a share of the pairs, and sees through the checks or not."""
    generator = np.random.default_rng(zlib.crc32(voter.encode()))
    votes = []
    for trial in study.key.trials:
        tokens = list(trial.pictures)
        liked = [token for token in tokens if trial.pictures[token] == (wanted if not trial.is_check else "adain")]
        if trial.is_check:
            chosen = next(t for t in tokens if (trial.pictures[t] == SCRAMBLED) != attentive)
        else:
            chosen = liked[0] if liked and generator.random() < share else tokens[int(generator.integers(2))]
        sides = [tokens[i] for i in generator.permutation(2)]
        votes.append({"trial": trial.trial, "left": sides[0], "right": sides[1], "chosen": chosen, "seconds": 1.5})
    return {"schema_version": 1, "study": study.digest, "voter": voter, "votes": votes}


def save(folder: Path, content: dict[str, Any], name: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / (name or f"votes-{content['voter']}.json")
    path.write_text(json.dumps(content))
    return path


def test_the_page_names_no_method_and_the_same_seed_gives_the_same_study(study, tmp_path):
    page = (tmp_path / "study" / PAGE_NAME).read_text(encoding="utf-8")
    assert not any(word in page for word in ("candidate", "adain", "raw_blend", SCRAMBLED, DIGEST))
    again = build_study(scenes(), tmp_path / "two", candidate_digest=DIGEST, data_digest="d" * 64, at="full_strength")
    assert again.digest == study.digest
    assert (tmp_path / "two" / PAGE_NAME).read_text(encoding="utf-8") == page
    assert read_key(tmp_path / "study") == study


def test_every_pair_meets_every_other_method_and_checks_say_nothing_about_the_candidate(study):
    versus = [set(trial.pictures.values()) for trial in study.key.trials if not trial.is_check]
    assert versus.count({"candidate", "adain"}) == versus.count({"candidate", "raw_blend"}) == 8
    checks = [set(trial.pictures.values()) for trial in study.key.trials if trial.is_check]
    assert len(checks) == 2
    assert all(SCRAMBLED in check and "candidate" not in check for check in checks)


def test_a_scrambled_picture_keeps_its_colours_and_loses_its_places():
    picture = scenes(1)[0].photo
    mixed = scramble(picture, np.random.default_rng(0))
    assert not np.array_equal(mixed, picture)
    assert np.array_equal(np.sort(mixed.ravel()), np.sort(picture.ravel()))


def test_a_study_without_somebody_to_compare_with_is_refused(tmp_path):
    lonely = [Scene("a", "b", s.photo, s.painting, {"candidate": s.photo}) for s in scenes(1)]
    for broken in (lonely, []):
        with pytest.raises(StudyError, match=r"compare|at least one pair"):
            build_study(broken, tmp_path, candidate_digest=DIGEST, data_digest="", at="full_strength")


def test_votes_are_counted_and_whoever_did_not_look_is_left_out(study, tmp_path):
    for i in range(4):
        save(tmp_path / "votes", ballot(study, f"v{i}"))
    save(tmp_path / "votes", ballot(study, "asleep", "adain", attentive=False))
    result = score_study(study, read_ballots([tmp_path / "votes"], study))
    assert (result.voters, result.dropped, result.votes) == (4, 1, 64)
    assert result.preferences["adain"].share == 1.0
    assert result.preferences["adain"].low == pytest.approx(0.893, abs=0.001)  # Wilson, 32 of 32
    assert result.agreement == 1.0
    assert max(result.strengths, key=lambda name: result.strengths[name].value) == "candidate"
    assert 0.3 < result.left.share < 0.7


def test_somebody_who_answered_only_half_is_left_out(study, tmp_path):
    content = ballot(study, "left early")
    checks = {trial.trial for trial in study.key.trials if trial.is_check}
    content["votes"] = [vote for vote in content["votes"] if vote["trial"] not in checks]
    result = score_study(study, read_ballots([save(tmp_path, content)], study))
    assert (result.voters, result.dropped, result.votes) == (0, 1, 0)
    assert math.isnan(result.preferences["adain"].share)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"study": "f" * 64}, "votes on study ffffffffffff"),
        ({"schema_version": 2}, "schema_version"),
        ({"voter": ""}, "voter"),
        ({"votes": [{"trial": "x", "left": "a", "right": "b", "chosen": "a", "seconds": 1}]}, "does not show"),
        ({"votes": "all"}, "votes"),
    ],
)
def test_votes_that_cannot_be_are_refused_by_name(study, tmp_path, change, words):
    path = save(tmp_path, ballot(study, "v") | change, "votes-odd.json")
    with pytest.raises(StudyError, match=rf"votes-odd\.json.*{words}"):
        read_ballots([path], study)


def test_a_voter_counts_once_and_two_different_ballots_of_one_are_refused(study, tmp_path):
    one = save(tmp_path, ballot(study, "v"))
    copy = save(tmp_path, ballot(study, "v"), "votes-copy.json")
    assert len(read_ballots([one, copy], study)) == 1
    other = save(tmp_path, ballot(study, "v", "adain"), "votes-other.json")
    with pytest.raises(StudyError, match="has voted before"):
        read_ballots([one, other], study)
    twice = ballot(study, "w")
    twice["votes"].append(twice["votes"][0])
    with pytest.raises(StudyError, match="two votes on the same pair"):
        read_ballots([save(tmp_path, twice)], study)
    with pytest.raises(StudyError, match="no votes"):
        read_ballots([], study)


def test_krippendorff_s_own_example_has_his_alpha():
    """Krippendorff (2011), four observers, twelve units, nominal: 0.743."""
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    units = [[str(row[i]) for row in observers if row[i] is not None] for i in range(12)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=0.001)


def test_agreement_by_chance_is_about_0_and_one_rater_says_nothing():
    generator = np.random.default_rng(0)
    units = [[str(generator.integers(2)) for _ in range(3)] for _ in range(2000)]
    assert abs(krippendorff_alpha(units)) < 0.05
    assert math.isnan(krippendorff_alpha([["a"], ["b"]]))


def test_bradley_terry_agrees_with_logistic_regression():
    wins = np.array([[0, 40, 45], [20, 0, 33], [15, 27, 0]], dtype=float)
    rows, labels, weights = [], [], []
    for i in range(3):
        for j in range(3):
            if i < j:
                for won, times in ((1, wins[i, j] + 0.5), (0, wins[j, i] + 0.5)):
                    row = np.zeros(3)
                    row[i], row[j] = 1, -1
                    rows.append(row)
                    labels.append(won)
                    weights.append(times)
    model = LogisticRegression(C=1e6, fit_intercept=False, tol=1e-10).fit(rows, labels, sample_weight=weights)
    expected = model.coef_[0] - model.coef_[0].mean()
    assert bradley_terry(wins) == pytest.approx(expected, abs=1e-3)


def test_the_command_counts_and_writes_what_the_gate_reads(study, tmp_path, capsys):
    for i in range(3):
        save(tmp_path / "votes", ballot(study, f"v{i}", share=0.6))
    out = tmp_path / "study.json"
    words = ["study", "score", str(tmp_path / "study"), str(tmp_path / "votes"), "--out", str(out)]
    assert run_politely(lambda: pentimento.main(words, standalone_mode=False)) == 0
    said = capsys.readouterr().out
    assert "48 votes of 3 voters" in said
    assert read_study(out).candidate_digest == DIGEST
    (tmp_path / "study" / KEY_NAME).unlink()
    assert run_politely(lambda: pentimento.main(words, standalone_mode=False)) == 4
    assert "study build" in capsys.readouterr().err


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser at {CHROMIUM}")
def test_a_voter_votes_by_keyboard_in_a_real_browser_from_a_file(study, tmp_path):
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto((tmp_path / "study" / PAGE_NAME).as_uri())
        page.keyboard.press("Enter")
        for step in range(len(study.key.trials)):
            page.wait_for_timeout(270)
            page.keyboard.press("ArrowLeft" if step % 2 else "ArrowRight")
            if step == 2:  # a second thought
                page.keyboard.press("Backspace")
                page.wait_for_timeout(270)
                page.keyboard.press("ArrowLeft")
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        saved = tmp_path / "votes-browser.json"
        download.value.save_as(saved)
        browser.close()
    assert not problems
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    (read,) = read_ballots([saved], study)
    assert len(read.votes) == len(study.key.trials)
    sides = [vote.chosen == vote.left for vote in read.votes]
    assert sides[:5] == [False, True, True, True, False]
