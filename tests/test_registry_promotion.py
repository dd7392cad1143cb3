"""Promotion: only passing evidence about that very package, against the champion of this moment; and one winner."""

import json
import multiprocessing
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from registry_world import another, evidence_about, settings_in

from registry.errors import EvidenceError, LogBroken, PromotionRefused
from registry.evidence import Evidence, read_evidence, write_evidence
from registry.promotion import AlreadyChampion
from registry.promotion_log import PromotionLog, champions
from registry.registration import store_version
from registry.settings import Settings
from registry.store import open_client
from registry.versions import Registry, Version
from runtime.package import open_package


@pytest.fixture
def registry_(tmp_path: Path) -> Registry:
    return Registry(settings_in(tmp_path / "home"))


@pytest.fixture(scope="module")
def registered(tiny_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a registry with three versions of the same network."""
    home = tmp_path_factory.mktemp("registered")
    opened = Registry(settings_in(home))
    for name in ("one", "two", "three"):
        opened.register(another(tiny_package, home / "packages", name).folder, engine="torch")
    return home / "mlflow.db"


@pytest.fixture
def three(registry_: Registry, registered: Path) -> list[Version]:
    """The three versions, in this test's own registry: a copy of the database; their files are shared."""
    shutil.copy(registered, registry_.settings.home / "mlflow.db")
    registry_._client = open_client(registry_.settings)
    return registry_.versions()[::-1]


def promote(registry_: Registry, version: Version, tmp_path: Path):
    champion = registry_.champion()
    folder = evidence_about(version.digest, champion.digest if champion else None, tmp_path / f"gate-{version.number}")
    return registry_.promote(version, folder)


def pointed(registry_: Registry) -> dict[str, int]:
    return {alias: version.number for version in registry_.versions() for alias in version.aliases}


def test_passing_evidence_makes_a_champion_and_the_one_before_becomes_previous(registry_, three, tmp_path):
    first = promote(registry_, three[0], tmp_path)
    assert (first.version, first.from_version, first.verdict, first.forced) == (1, None, "passed", False)
    assert pointed(registry_) == {"candidate": 3, "champion": 1}
    second = promote(registry_, three[1], tmp_path)
    assert (second.version, second.from_version, second.from_digest) == (2, 1, three[0].digest)
    assert pointed(registry_) == {"candidate": 3, "champion": 2, "previous": 1}
    assert registry_.champion().verdict == "passed"


def test_without_evidence_nothing_is_promoted(registry_, three, tmp_path):
    with pytest.raises(
        PromotionRefused, match=r"no evidence for pentimento/1; run `pentimento evaluate models:/pentimento/1`"
    ):
        registry_.promote(1)
    with pytest.raises(EvidenceError, match=r"evidence\.json cannot be read .*`pentimento gate DIR"):
        registry_.promote(1, tmp_path)
    assert pointed(registry_) == {"candidate": 3}
    assert registry_.history() == ()


def test_evidence_about_another_package_does_not_count(registry_, three, tmp_path):
    folder = evidence_about(three[1].digest, None, tmp_path / "gate")
    with pytest.raises(PromotionRefused, match=f"about package {three[1].digest[:12]}, but pentimento/1 is package"):
        registry_.promote(1, folder)


@pytest.mark.parametrize("verdict", ["rejected", "could_not_run", "inconclusive"])
def test_any_verdict_but_passed_refuses_and_is_kept_with_the_version(registry_, three, tmp_path, verdict):
    folder = evidence_about(three[0].digest, None, tmp_path / "gate", verdict)
    with pytest.raises(PromotionRefused, match=f"is '{verdict}' \\(failed: ssim_at_equal_style\\), not 'passed'"):
        registry_.promote(1, folder)
    assert registry_.get(1).verdict == verdict
    assert registry_.champion() is None


def test_evidence_against_a_champion_that_changed_since_refuses(registry_, three, tmp_path):
    stale = evidence_about(three[1].digest, None, tmp_path / "stale")
    promote(registry_, three[0], tmp_path)
    with pytest.raises(
        PromotionRefused, match=r"champion changed since .*against no champion, now pentimento/1 = package"
    ):
        registry_.promote(2, stale)
    assert registry_.champion().number == 1


def test_promoting_the_champion_says_that_there_is_nothing_to_do(registry_, three, tmp_path):
    promote(registry_, three[0], tmp_path)
    with pytest.raises(AlreadyChampion, match="pentimento/1 is the champion already"):
        promote(registry_, three[0], tmp_path)
    assert len(registry_.history()) == 1


def test_force_needs_a_reason_and_records_it_with_what_it_overrode(registry_, three, tmp_path):
    with pytest.raises(PromotionRefused, match="needs a reason"):
        registry_.promote(1, force_reason="  ")
    forced = registry_.promote(1, force_reason="the gate's machine burnt down")
    assert forced.forced
    assert forced.force_reason == "the gate's machine burnt down"
    assert forced.overridden.startswith("no evidence for pentimento/1")
    assert registry_.champion().tags["pentimento.forced"] == "the gate's machine burnt down"
    rejected = evidence_about(three[1].digest, three[0].digest, tmp_path / "gate", "rejected")
    assert registry_.promote(2, rejected, "we want it so").verdict == "rejected"


def test_rollback_returns_step_by_step_as_far_as_there_were_champions(registry_, three, tmp_path):
    for version in three:
        promote(registry_, version, tmp_path)
    back = registry_.rollback()
    assert (back.action, back.version, back.from_version) == ("rollback", 2, 3)
    assert pointed(registry_) == {"candidate": 3, "champion": 2, "previous": 1}
    assert registry_.rollback().version == 1
    assert pointed(registry_) == {"candidate": 3, "champion": 1}
    with pytest.raises(PromotionRefused, match="no version to roll back to: pentimento/1 is the first champion"):
        registry_.rollback()
    assert [line.action for line in registry_.history()] == ["promote"] * 3 + ["rollback"] * 2


def test_rollback_without_a_champion_says_so(registry_):
    with pytest.raises(PromotionRefused, match="nothing was ever promoted"):
        registry_.rollback()


@pytest.mark.parametrize("moved", ["previous", "champion"])
def test_a_promoter_killed_between_the_aliases_leaves_a_registry_that_mends_itself(registry_, three, tmp_path, moved):
    promote(registry_, three[0], tmp_path)
    promote(registry_, three[1], tmp_path)
    client = open_client(registry_.settings)  # as far as a promoter of version 3 gets before kill -9
    client.set_registered_model_alias("pentimento", "previous", "2")
    if moved == "champion":
        client.set_registered_model_alias("pentimento", "champion", "3")
    assert registry_.rollback().version == (1 if moved == "previous" else 2)
    lines = [(line.action, line.version) for line in registry_.history()]
    observed = [("observed", 3)] if moved == "champion" else []
    assert lines == [("promote", 1), ("promote", 2), *observed, ("rollback", 1 if moved == "previous" else 2)]


def test_a_champion_set_by_another_tool_is_recorded_at_the_next_move(registry_, three, tmp_path):
    open_client(registry_.settings).set_registered_model_alias("pentimento", "champion", "2")
    promote(registry_, three[2], tmp_path)
    assert [(line.action, line.version) for line in registry_.history()] == [("observed", 2), ("promote", 3)]
    assert registry_.rollback().version == 2


def test_the_evidence_is_kept_in_the_run_once_with_its_scores_as_metrics(registry_, three, tmp_path):
    folder = evidence_about(three[0].digest, None, tmp_path / "gate")
    path = registry_.log_evidence(1, folder)
    assert registry_.log_evidence("pentimento/1", folder) == path
    version = registry_.get(1)
    assert (version.verdict, version.evidence_path) == ("passed", path)
    client = open_client(registry_.settings)
    kept = {entry.path for entry in client.list_artifacts(version.run_id, path)}
    assert kept == {f"{path}/evidence.json", f"{path}/report.html"}
    metrics = client.get_run(version.run_id).data.metrics
    assert metrics == {"evaluation/candidate/ssim": 0.86, "evaluation/adain _s_.5_/ssim": 0.78}


def test_a_report_without_a_verdict_is_kept_but_an_empty_folder_or_another_packages_evidence_is_not(
    registry_, three, tmp_path
):
    (tmp_path / "report").mkdir()
    with pytest.raises(EvidenceError, match="holds no file"):
        registry_.log_evidence(1, tmp_path / "report")
    (tmp_path / "report" / "scores.json").write_text("{}")
    assert registry_.log_evidence(1, tmp_path / "report").startswith("evidence/")
    assert registry_.get(1).verdict is None
    other = evidence_about(three[1].digest, None, tmp_path / "other")
    with pytest.raises(EvidenceError, match="evaluate models:/pentimento/1"):
        registry_.log_evidence(1, other)


def promote_in_a_process(home: Path, number: int, folder: Path, barrier, queue) -> None:
    opened = Registry(Settings.at(home))
    barrier.wait(timeout=60)
    try:
        queue.put(("won", opened.promote(number, folder).version))
    except PromotionRefused as error:
        queue.put(("refused", str(error)))


def test_of_two_promoters_at_once_exactly_one_wins(registry_, three, tmp_path):
    promote(registry_, three[0], tmp_path)
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(2), context.Queue()
    processes = []
    for version in three[1:]:
        folder = evidence_about(version.digest, three[0].digest, tmp_path / f"race-{version.number}")
        arguments = (registry_.settings.home, version.number, folder, barrier, queue)
        processes.append(context.Process(target=promote_in_a_process, args=arguments))
    for process in processes:
        process.start()
    results = dict(queue.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(timeout=60)
    assert set(results) == {"won", "refused"}
    assert "champion changed since" in results["refused"]
    assert registry_.champion().number == results["won"]
    assert len(registry_.history()) == 2


def edited(path: Path, edit) -> None:
    lines = path.read_text().splitlines()
    path.write_text("".join(line + "\n" for line in edit(lines)))


def rewritten(line: str) -> str:
    return json.dumps({**json.loads(line), "version": 7}, sort_keys=True)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda lines: [rewritten(lines[0]), *lines[1:]], "line 1: its contents are not those that were hashed"),
        (lambda lines: [lines[0], lines[2]], "line 2: it does not follow from the line before"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1: it does not follow"),
        (lambda lines: [lines[0], "nonsense", *lines[1:]], "line 2: it is not a promotion"),
    ],
)
def test_a_log_that_was_changed_is_refused_by_line_and_nothing_is_promoted_on_it(tmp_path, edit, message):
    log = PromotionLog(tmp_path / "promotions.jsonl")
    for number in (1, 2, 3):
        log.append("promote", version=number, digest="a", from_version=None, from_digest=None)
    assert [line.sequence for line in log.promotions()] == [1, 2, 3]
    edited(log.path, edit)
    with pytest.raises(LogBroken, match=message):
        log.promotions()
    with pytest.raises(LogBroken, match="move it aside"):
        log.append("promote", version=4, digest="a", from_version=None, from_digest=None)


def test_half_a_line_left_by_a_killed_writer_is_dropped_at_the_next_append(tmp_path):
    log = PromotionLog(tmp_path / "promotions.jsonl")
    log.append("promote", version=1, digest="ä", from_version=None, from_digest=None)
    with open(log.path, "ab") as stream:
        stream.write(b'{"sequence": 2, "acti')
    assert len(log.promotions()) == 1
    log.append("promote", version=2, digest="b", from_version=1, from_digest="ä")
    assert [line.version for line in log.promotions()] == [1, 2]


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=5), max_size=12))
def test_rolling_back_as_often_as_promoting_ends_at_the_first_champion(tmp_path_factory, numbers):
    log = PromotionLog(tmp_path_factory.mktemp("log") / "log.jsonl")
    moves = [number for index, number in enumerate(numbers) if index == 0 or number != numbers[index - 1]]
    for number in moves:
        log.append("promote", version=number, digest=str(number), from_version=None, from_digest=None)
    for number in reversed(moves[:-1]):
        assert champions(log.promotions())[-2][0] == number
        log.append("rollback", version=number, digest=str(number), from_version=None, from_digest=None)
    assert [number for number, _ in champions(log.promotions())] == moves[:1]


def test_evidence_survives_its_file_and_a_nan_becomes_not_measured(tmp_path):
    evidence = read_evidence(evidence_about("a" * 64, "b" * 64, tmp_path))
    assert evidence.passed
    assert evidence.exit_code == 0
    assert evidence.scores["candidate"]["lpips"] is None
    write_evidence(evidence, tmp_path / "again")
    assert read_evidence(tmp_path / "again" / "evidence.json") == evidence


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": []}, "verdict 'passed' with no rules"),
        ({"pairs": 0}, "without a single scored pair"),
        ({"candidate_digest": "abc"}, "candidate_digest: String should match"),
        ({"verdict": "fine"}, "verdict: Input should be 'passed'"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        ({"created_at": "2026-01-01T00:00:00"}, "created_at: .*timezone"),
        ({"rules": [{"name": "r", "passed": False, "value": 1.0, "needed": ">= 2"}]}, "with failed rules r"),
        ({"rules": [{"name": "r", "passed": True, "value": None, "needed": ">= 2"}]}, "passed without a finite value"),
        (
            {"rules": [{"name": "r", "passed": True, "value": 3, "interval": [4, 2], "needed": ""}]},
            "ends before it begins",
        ),
    ],
)
def test_evidence_that_contradicts_itself_is_refused_by_its_key(tmp_path, change, message):
    folder = evidence_about("a" * 64, None, tmp_path)
    raw = json.loads((folder / "evidence.json").read_text())
    (folder / "evidence.json").write_text(json.dumps(raw | change))
    with pytest.raises(EvidenceError, match=message):
        read_evidence(folder)


def test_evidence_that_is_no_json_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match="the evidence: Invalid JSON"):
        Evidence.from_json("{")


def test_more_versions_than_one_page_are_all_listed(registry_, tiny_package, tmp_path, monkeypatch):
    client = registry_._client
    for name in ("a", "b", "c"):
        package = another(tiny_package, tmp_path, name)
        store_version(client, registry_.settings, package, run_id=None, tags={"pentimento.digest": package.digest})
    search = client.search_model_versions
    monkeypatch.setattr(client, "search_model_versions", lambda *a, **k: search(*a, max_results=2, **k))
    assert [version.number for version in registry_.versions()] == [3, 2, 1]
    assert open_package(tmp_path / "a").digest == registry_.get(1).digest
