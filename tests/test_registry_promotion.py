"""Promotion: only passing evidence about that very package, against the champion of this moment; and one winner."""

import dataclasses
import json
import multiprocessing
from pathlib import Path

import pytest
from registry_world import STORES, another, evidence_about, forget_connections, settings_in

from registry.errors import EvidenceError, LogBroken, PromotionRefused, UnknownVersion
from registry.evidence import Evidence, read_evidence, write_evidence
from registry.listing import PROMOTION_TAG
from registry.moves import move
from registry.promotion import AlreadyChampion
from registry.promotion_store import LINE_TAG, LOG_NAME, PromotionLog
from registry.settings import Settings
from registry.store import open_client
from registry.versions import Registry, Version


@pytest.fixture(scope="module", params=STORES)
def registered(
    request: pytest.FixtureRequest, tiny_package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """A registry with three versions of the same network."""
    home = tmp_path_factory.mktemp("registered")
    opened = Registry(settings_in(home, request.param))
    for name in ("one", "two", "three"):
        opened.register(another(tiny_package, home / "packages", name).folder, engine="torch")
    return opened.settings


@pytest.fixture
def registry_(registered: Settings, tmp_path: Path) -> Registry:
    """This test's own registry: a copy of the database; the files are shared."""
    store = "sqlite" if registered.tracking_uri.startswith("sqlite") else "postgresql"
    return Registry(settings_in(tmp_path / "home", store, like=registered))


@pytest.fixture
def three(registry_: Registry) -> list[Version]:
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


class KilledError(Exception):
    """Stands for kill -9: nothing of ours catches it, and nothing is undone."""


@pytest.mark.parametrize("calls", range(3))
def test_a_promoter_killed_after_its_line_leaves_a_promotion_that_the_next_move_carries_out(
    registry_, three, tmp_path, monkeypatch, calls
):
    promote(registry_, three[0], tmp_path)
    promote(registry_, three[1], tmp_path)
    with monkeypatch.context() as patch:
        die_after(patch, registry_._client, calls, "set_registered_model_alias", "set_model_version_tag")
        with pytest.raises(KilledError):
            registry_.promote(3, evidence_about(three[2].digest, three[1].digest, tmp_path / "gate-3"))
    assert registry_.rollback().version == 2
    assert pointed(registry_) == {"candidate": 3, "champion": 2, "previous": 1}
    lines = [(line.action, line.version) for line in registry_.history()]
    assert lines == [("promote", 1), ("promote", 2), ("promote", 3), ("rollback", 2)]


def die_after(patch, client, calls: int, *names: str) -> None:
    """Let so many calls through that move the champion, then die."""
    left = [calls]

    def deadly(original):
        def call(model, *arguments):
            mark = arguments[1] if original.__name__ == "set_model_version_tag" else PROMOTION_TAG
            if mark == PROMOTION_TAG:
                if left[0] == 0:
                    raise KilledError
                left[0] -= 1
            return original(model, *arguments)

        return call

    for name in names:
        patch.setattr(client, name, deadly(getattr(client, name)))


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


def promote_in_a_process(settings: Settings, number: int, folder: Path, barrier, queue) -> None:
    forget_connections()
    opened = Registry(settings)
    barrier.wait(timeout=60)
    try:
        queue.put(("won", opened.promote(number, folder).version))
    except PromotionRefused as error:
        queue.put(("refused", str(error)))


def race(settings: list[Settings], folders: dict[int, Path]) -> dict[str, object]:
    """Promote each version in a process of its own, all at once."""
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(len(folders)), context.Queue()
    processes = [
        context.Process(target=promote_in_a_process, args=(own, number, folder, barrier, queue))
        for own, (number, folder) in zip(settings, folders.items(), strict=True)
    ]
    for process in processes:
        process.start()
    results = dict(queue.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(timeout=60)
    return results


@pytest.mark.parametrize("machines", [1, 2])
def test_of_two_promoters_at_once_exactly_one_wins(registry_, three, tmp_path, machines):
    if machines == 2 and registry_.settings.tracking_uri.startswith("sqlite"):
        pytest.skip("two machines do not share a SQLite file")
    promote(registry_, three[0], tmp_path)
    own = [registry_.settings, dataclasses.replace(registry_.settings, home=tmp_path / "other")]  # a lock of its own
    folders = {
        version.number: evidence_about(version.digest, three[0].digest, tmp_path / f"race-{version.number}")
        for version in three[1:]
    }
    results = race(own if machines == 2 else own[:1] * 2, folders)
    assert set(results) == {"won", "refused"}
    assert "champion changed since" in results["refused"]
    assert registry_.champion().number == results["won"]
    assert pointed(registry_)["previous"] == 1
    assert [line.version for line in registry_.history()] == [1, results["won"]]


def test_a_promoter_overtaken_between_its_decision_and_its_line_decides_again_and_is_refused(
    registry_, three, tmp_path, monkeypatch
):
    """The very moment that a lock of one machine cannot guard, on every store: another machine is quicker."""
    promote(registry_, three[0], tmp_path)
    folders = [evidence_about(version.digest, three[0].digest, tmp_path / version.name) for version in three[1:]]
    other = Registry(dataclasses.replace(registry_.settings, home=tmp_path / "other"))
    append, raced = PromotionLog.append, []

    def overtaken(log, *arguments, **fields):
        if not raced:
            raced.append(other)
            other.promote(2, folders[0])
        return append(log, *arguments, **fields)

    monkeypatch.setattr(PromotionLog, "append", overtaken)
    with pytest.raises(PromotionRefused, match="champion changed since the evidence was made"):
        registry_.promote(3, folders[1])
    chain = PromotionLog(registry_._client).chain()
    assert [line.version for line in chain.promotions] == [1, 2]
    assert [line.version for line in chain.lost] == [3]  # the attempt stays, and changed nothing
    assert pointed(registry_) == {"candidate": 3, "champion": 2, "previous": 1}


def test_a_rollback_that_was_overtaken_does_not_go_back_further_than_its_operator_saw(
    registry_, three, tmp_path, monkeypatch
):
    for version in three:
        promote(registry_, version, tmp_path)
    other = Registry(dataclasses.replace(registry_.settings, home=tmp_path / "other"))
    append, raced = PromotionLog.append, []

    def overtaken(log, *arguments, **fields):
        if not raced:
            raced.append(other)
            other.rollback()
        return append(log, *arguments, **fields)

    monkeypatch.setattr(PromotionLog, "append", overtaken)
    with pytest.raises(PromotionRefused, match="the champion changed meanwhile"):
        registry_.rollback()
    assert registry_.champion().number == 2


def test_a_mover_who_is_late_with_its_aliases_follows_the_log(registry_, three, tmp_path, monkeypatch):
    """It stands still after its line; another machine carries that out and promotes the next; then it goes on."""
    other = Registry(dataclasses.replace(registry_.settings, home=tmp_path / "other"))
    late, set_alias = [], registry_._client.set_registered_model_alias

    def slow(model, alias, number):
        if alias == "champion" and not late:
            late.append(other.promote(2, evidence_about(three[1].digest, three[0].digest, tmp_path / "gate-2")))
        set_alias(model, alias, number)

    monkeypatch.setattr(registry_._client, "set_registered_model_alias", slow)
    assert promote(registry_, three[0], tmp_path).version == 1
    assert pointed(registry_) == {"candidate": 3, "champion": 2, "previous": 1}
    assert [line.action for line in registry_.history()] == ["promote", "promote"]


def test_somebody_who_is_overtaken_again_and_again_gives_up_and_says_so(registry_, three, monkeypatch):
    client, log = registry_._client, PromotionLog(registry_._client)
    numbers = iter(range(100))

    def decide(champion, chain):
        reason = f"a test, {next(numbers)}"
        log.append("observed", after=chain.head, version=1, digest=three[0].digest, from_version=None, from_digest=None)
        return "promote", three[1], {"force_reason": reason, "overridden": "nothing"}

    with pytest.raises(PromotionRefused, match="others moved the champion 8 times meanwhile"):
        move(client, log, decide)
    assert "champion" in pointed(registry_)


def test_a_challenger_is_set_shown_withdrawn_and_stops_being_one_when_it_wins(registry_, three, tmp_path):
    promote(registry_, three[0], tmp_path)
    assert registry_.pointed("challenger") is None
    assert registry_.challenge(2).aliases == ("challenger",)
    assert registry_.pointed("challenger").number == 2
    with pytest.raises(PromotionRefused, match="pentimento/1 is the champion; it cannot challenge itself"):
        registry_.challenge("champion")
    assert registry_.withdraw_challenger().number == 2
    assert registry_.withdraw_challenger() is None
    registry_.challenge(2)
    promote(registry_, three[1], tmp_path)
    assert pointed(registry_) == {"candidate": 3, "champion": 2, "previous": 1}


def test_reading_one_alias_lists_nothing(registry_, three, tmp_path, monkeypatch):
    promote(registry_, three[0], tmp_path)

    def listing(*_, **__):
        raise AssertionError("listed every version")

    for name in ("search_model_versions", "get_registered_model"):
        monkeypatch.setattr(registry_._client, name, listing)
    assert registry_.get("champion").number == registry_.champion().number == 1
    assert registry_.get("models:/pentimento/2").digest == three[1].digest
    assert registry_.pointed("challenger") is None


def test_a_line_that_was_altered_or_is_gone_stops_every_move(registry_, three, tmp_path):
    for version in three:
        promote(registry_, version, tmp_path)
    client = registry_._client
    line = json.loads(client.get_model_version(LOG_NAME, "2").tags[LINE_TAG])
    client.set_model_version_tag(LOG_NAME, "2", LINE_TAG, json.dumps({**line, "version": 7}))
    with pytest.raises(LogBroken, match="line 2 of the promotion log: its contents are not those that were hashed"):
        registry_.rollback()
    client.delete_model_version(LOG_NAME, "2")
    with pytest.raises(LogBroken, match="line 2 of the promotion log: it is gone"):
        registry_.history()


def test_lines_cut_off_at_the_end_are_told_by_the_champions_mark(registry_, three, tmp_path):
    for version in three[:2]:
        promote(registry_, version, tmp_path)
    registry_._client.delete_model_version(LOG_NAME, "2")
    with pytest.raises(LogBroken, match="lost the line that made pentimento/2 the champion"):
        registry_.rollback()


def test_a_promotion_of_a_version_that_is_not_there_names_those_that_are(registry_, three):
    with pytest.raises(UnknownVersion, match="no version 'pentimento/9'"):
        registry_.promote(9)


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


def test_more_versions_and_lines_than_one_page_are_all_listed(registry_, three, tmp_path, monkeypatch):
    for version in three:
        promote(registry_, version, tmp_path)
    search = registry_._client.search_model_versions
    monkeypatch.setattr(registry_._client, "search_model_versions", lambda *a, **k: search(*a, max_results=2, **k))
    assert [version.number for version in registry_.versions()] == [3, 2, 1]
    assert [line.version for line in registry_.history()] == [1, 2, 3]
