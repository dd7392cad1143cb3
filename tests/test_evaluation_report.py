"""What a judgement leaves behind: the same bytes every time, for people and for programs, needing nothing else."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from evaluation_painters import Painting, careful, smearing
from evaluation_world import ROOT, small_settings, write_data

from evaluation.charts import Line, draw_curves, draw_interval
from evaluation.errors import ReportError
from evaluation.gate import decide
from evaluation.harness import evaluate
from evaluation.methods import blend, null_sweeps, recolour
from evaluation.nst import paint_nst
from evaluation.policy import load_policy
from evaluation.report import read_report
from evaluation.scores import Report
from evaluation.style_metrics import describe, distances
from evaluation.verdict_files import write_verdict
from registry.evidence import read_evidence
from runtime.loading import load_engine
from stylenet.images import to_image
from stylenet.perception import load_extractor

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_data(tmp_path_factory.mktemp("sample"))
    (folder / "photographs" / "broken.png").write_bytes(b"not a picture")
    return folder


@pytest.fixture(scope="module")
def settings():
    chosen = small_settings().as_dict() | {"contents": 4, "nst_pairs": 1, "nst_steps": 10, "strengths": (0.0, 0.5, 1.0)}
    return type(small_settings())(**chosen)


def judge(data: Path, out: Path, settings, progress=None) -> Report:
    return evaluate(
        Painting("<careful> & co", careful),
        data=data,
        out=out,
        adain=Painting("baseline", smearing),
        settings=settings,
        progress=progress,
    )


@pytest.fixture(scope="module")
def judged(data, settings, tmp_path_factory) -> tuple[Report, Path, list[tuple[int, int, str]]]:
    out = tmp_path_factory.mktemp("out") / "new folder"
    steps: list[tuple[int, int, str]] = []
    report = judge(data, out, settings, lambda *step: steps.append(step))
    return report, out, steps


def test_a_report_reads_back_as_it_was_written(judged):
    report, out, _ = judged
    assert read_report(out).model_dump_json() == report.model_dump_json()
    assert read_report(out / "scores.json").data.pairs == 6


def test_the_same_judgement_gives_the_same_bytes_and_the_clock_stands_apart(judged, data, settings, tmp_path):
    _, out, _ = judged
    judge(data, tmp_path, settings)
    for name in ("scores.json", "pairs.csv", "manifest.json", "report.md", "report.html"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name
    assert set(json.loads((out / "run.json").read_text())) == {"finished_at", "seconds"}


def test_scores_are_strict_json_without_paths_of_this_machine(judged, data):
    _, out, _ = judged
    text = (out / "scores.json").read_text(encoding="utf-8")
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert str(data.parent) not in text


def test_the_table_has_a_row_for_every_picture(judged, settings):
    report, out, _ = judged
    table = pd.read_csv(out / "pairs.csv")
    methods = {"candidate", "adain", "raw_blend", "recoloured_blend", "colour_transfer"}
    assert set(table["method"]) == methods
    assert len(table) == report.data.pairs * len(methods) * len(settings.strengths)
    unedited = table[table["strength"] == 0]
    assert np.allclose(unedited[["ssim", "edge_f1", "style_left"]], 1.0)


def test_progress_counts_every_step_to_the_end(judged):
    _, _, steps = judged
    measuring = [step for step in steps if not step[2].startswith("opening")]
    assert [done for done, _, _ in measuring] == sorted(done for done, _, _ in measuring)
    assert len({total for _, total, _ in measuring}) == 1
    assert measuring[-1] == (measuring[0][1], measuring[0][1], "done")
    assert any("NST" in what for _, _, what in steps)


def test_a_file_that_was_skipped_is_counted_in_every_report(judged):
    report, out, _ = judged
    assert [name for name, _ in report.data.skipped] == ["broken.png"]
    assert "1 files skipped" in (out / "report.md").read_text()
    assert "broken.png" in (out / "report.html").read_text()


class Page(HTMLParser):
    """Collects what a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href", "data", "srcset") and value]


def test_the_page_names_nothing_that_a_browser_would_fetch(judged):
    _, out, _ = judged
    page = Page()
    page.feed((out / "report.html").read_text(encoding="utf-8"))
    assert page.sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)
    assert not page.tags & {"link", "iframe", "object"}


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser at {CHROMIUM}")
def test_in_a_real_browser_curves_and_pictures_answer_and_nothing_is_asked_of_the_network(judged):
    from playwright.sync_api import sync_playwright

    _, out, _ = judged
    asked: list[str] = []
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(120_000)  # several megabytes of script on a busy machine
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto((out / "report.html").as_uri())
        page.wait_for_selector(".js-plotly-plot .scatterlayer")
        drawn = page.locator(".js-plotly-plot").count()
        page.locator(".row button").first.click()
        first = page.locator("#viewer-picture").get_attribute("src")
        page.keyboard.press("ArrowRight")
        second = page.locator("#viewer-picture").get_attribute("src")
        place = page.locator("#viewer-place").inner_text()
        page.keyboard.press("Escape")
        is_open = page.locator("#viewer").is_visible()
        browser.close()
    assert not problems
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert drawn >= 4
    assert first != second
    assert place == "2 of 6"
    assert not is_open


def test_tables_hold_every_comparison_and_every_curve_in_both_formats(judged, settings):
    report, out, _ = judged
    for name in ("comparisons", "curves"):
        csv, parquet = pd.read_csv(out / f"{name}.csv"), pd.read_parquet(out / f"{name}.parquet")
        assert list(csv.columns) == list(parquet.columns)
        assert len(csv) == len(parquet)
    table = pd.read_parquet(out / "comparisons.parquet").set_index(["against", "at", "slice", "metric"])
    cell = report.comparison("adain", "equal_style", "all", "edge_ssim")
    assert cell is not None
    assert table.loc[("adain", "equal_style", "all", "edge_ssim"), "recovered_value"] == cell.recovered.value
    curves = pd.read_parquet(out / "curves.parquet")
    assert set(curves["method"]) == set(report.curves)
    assert len(curves) == len(report.curves) * len(settings.strengths)


def test_a_verdict_is_there_for_ci_and_for_a_pull_request(judged, tmp_path):
    report, _, _ = judged
    evidence = decide(report, load_policy(ROOT / "configs" / "policy-demo.yaml"))
    write_verdict(evidence, report, tmp_path)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    failed = {case.get("name") for case in cases if case.find("failure") is not None}
    assert failed == {rule.name for rule in evidence.rules if not rule.passed}
    assert suite.get("failures") == str(len(failed))
    text = (tmp_path / "verdict.md").read_text(encoding="utf-8")
    assert text.startswith(f"## Pentimento gate: {evidence.verdict.replace('_', ' ')}")
    assert all(rule.needed in text for rule in evidence.rules)
    assert "| SSIM | 0.78 |" in text
    assert read_evidence(tmp_path) == evidence


def test_the_page_shows_names_as_text_and_not_as_markup(judged):
    _, out, _ = judged
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "<careful>" not in text
    assert "&lt;careful&gt; &amp; co" in text


def test_the_page_shows_curves_and_the_best_and_worst_pair_beside_adain_and_nst(judged):
    _, out, _ = judged
    text = (out / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg viewBox") >= 4
    assert {"pair worst", "pair best", "pair nst"} <= set(re.findall(r"pair (?:worst|best|nst)", text))
    assert "AdaIN, tuned" in text
    assert "Gatys NST" in text


def test_what_was_not_measured_is_said_and_has_no_number(judged):
    report, out, _ = judged
    lpips = report.metric("lpips")
    assert lpips is not None
    assert not lpips.measured
    assert "not measured" in lpips.how
    assert "| LPIPS | — | ≤ 0.75" in (out / "report.md").read_text(encoding="utf-8")
    assert "not measured" in (out / "report.html").read_text(encoding="utf-8")
    assert all("lpips" not in pair.candidate for pair in report.pairs)


def test_only_what_the_article_published_is_printed_as_published(judged):
    _, out, _ = judged
    rows = [line.split("|") for line in (out / "report.md").read_text().splitlines() if line.startswith("| ")][2:]
    published = {row[1].strip(): row[2].strip() for row in rows}
    assert published["SSIM"] == "0.78"
    assert {value for metric, value in published.items() if metric != "SSIM"} == {"—"}


def test_a_report_that_is_missing_broken_or_of_another_version_is_refused(judged, tmp_path):
    _, out, _ = judged
    with pytest.raises(ReportError, match="pentimento evaluate"):
        read_report(tmp_path)
    (tmp_path / "scores.json").write_text("{")
    with pytest.raises(ReportError, match=r"scores\.json"):
        read_report(tmp_path)
    raw = json.loads((out / "scores.json").read_text())
    (tmp_path / "scores.json").write_text(json.dumps(raw | {"schema_version": 9}))
    with pytest.raises(ReportError, match=r"schema_version.*reads schema version 2"):
        read_report(tmp_path)


def test_a_real_network_is_judged_through_the_engine_that_serves_it(
    tiny_package, adain_package, data, tmp_path, settings
):
    engines = [load_engine(folder, "torch") for folder in (tiny_package, adain_package)]
    try:
        chosen = type(settings)(
            **(settings.as_dict() | {"contents": 1, "styles": 1, "nst_pairs": 0, "strengths": (0.0, 0.5, 1.0)})
        )
        report = evaluate(engines[0], data=data, out=tmp_path, adain=engines[1], settings=chosen)
    finally:
        for engine in engines:
            engine.close()
    assert report.candidate.digest == engines[0].package.digest
    assert report.candidate.engine == "torch float32"


def test_nst_moves_the_photograph_towards_the_style_and_keeps_its_size(photo, painting):
    extractor = load_extractor(small_settings().extractor)
    painted = paint_nst(photo, painting, extractor, steps=10)
    assert painted.shape == photo.shape
    style = describe(to_image(painting), extractor)
    before, after = (distances(describe(to_image(p), extractor), style)["gram"] for p in (photo, painted))
    assert after < 0.9 * before


def test_null_methods_start_at_the_photograph_and_end_at_their_trick(photo, painting):
    painted = smearing(photo, painting, 1.0)
    sweeps = null_sweeps(photo, painting, painted, (0.0, 0.5, 1.0))
    assert all(np.array_equal(sweep[0], photo) for sweep in sweeps.values())
    assert np.array_equal(sweeps["raw_blend"][-1], painted)
    assert np.array_equal(sweeps["colour_transfer"][-1], recolour(photo, painting))
    assert np.array_equal(sweeps["recoloured_blend"][-1], blend(recolour(photo, painting), painted, 0.5))


def test_colour_transfer_takes_on_the_mean_colour_of_the_style(photo, painting):
    moved = recolour(photo, painting).reshape(-1, 3).mean(axis=0)
    assert np.allclose(moved, painting.reshape(-1, 3).mean(axis=0), atol=12)  # clipping at black and white moves it


def test_a_curve_leaves_out_what_is_no_number_and_nothing_at_all_draws_nothing():
    nan = float("nan")
    assert draw_curves([Line("a", "a", ((nan, 1.0), (0.0, nan)))], x_label="x", y_label="y") == ""
    drawn = draw_curves([Line("a", "a <b>", ((0.0, 1.0), (nan, 1.0), (1.0, 0.0)))], x_label="x", y_label="y")
    assert drawn.count("<circle") == 2
    assert "nan" not in drawn
    assert "a &lt;b&gt;" in drawn
    assert draw_interval(0.1, nan, nan, span=(-1, 1)) == ""
    assert 'class="interval good"' in draw_interval(0.1, 0.05, 0.2, span=(-1, 1))
