"""The verdict as one HTML file that needs no other: what was promised, what was seen, and how it went over time."""

from collections.abc import Iterable, Sequence
from html import escape

from loadtests.plots import draw
from loadtests.records import Record
from loadtests.rules import PhaseVerdict, Rule
from loadtests.series import panels_of
from loadtests.verdict import Verdict

_STYLE = """
body { margin: 0; background: #faf8f4; color: #24211d; font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; }
.outcome { display: inline-block; padding: 2px 12px; border-radius: 4px; color: #fff; background: #8a6a14; }
.passed { background: #2f6f3d; } .failed { background: #a52f22; }
.reason { font-size: 17px; margin: 6px 0 18px; }
.scroll { overflow-x: auto; } svg { max-width: 100%; height: auto; border: 1px solid #ddd6c9; border-radius: 6px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px 4px 0; text-align: right; border-bottom: 1px solid #e4ddd0; white-space: nowrap; }
th { font-size: 13px; color: #655e53; font-weight: 600; } th:first-child, td:first-child { text-align: left; }
td.text { text-align: left; white-space: normal; } tr.broken td { color: #a52f22; font-weight: 600; }
tr.phase td { background: #f1ece2; font-weight: 600; text-align: left; padding-left: 6px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 0; }
dt { color: #655e53; } dd { margin: 0; }
summary { cursor: pointer; } .soft { color: #655e53; }
"""
_HEADS = ("endpoint", "requests", "p50 ms", "p95 ms", "p99 ms", "longest", "errors", "refused", "refused p99", "SSIM")


def as_html(verdict: Verdict, records: Sequence[Record]) -> str:
    """The whole page."""
    shape = verdict.run.shape if verdict.run else "load test"
    outcome = verdict.outcome.replace("_", " ")
    body = [
        f"<h1>Load test: {escape(shape)} <span class='outcome {verdict.outcome}'>{outcome}</span></h1>",
        f"<p class=reason>{escape(verdict.reason)}</p>",
        _facts(verdict),
        *_over_time(verdict, records),
        *_phases(verdict.phases),
        *_problems(verdict),
        *_rules(verdict),
    ]
    return (
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport content='width=device-width'>\n"
        f"<title>Load test {escape(shape)}: {verdict.outcome}</title>\n<style>{_STYLE}</style>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</html>\n"
    )


def _facts(verdict: Verdict) -> str:
    facts: list[tuple[str, str]] = []
    if verdict.run:
        model = verdict.run.model or {}
        facts += [
            ("deployment", verdict.run.host),
            ("model", f"{model['version']} ({model['digest'][:12]})" if model else "not told"),
            ("began", verdict.run.started_at),
            ("sent by", f"{verdict.run.workers} process{'es' if verdict.run.workers > 1 else ''}"),
        ]
    facts.append(("requests", f"{verdict.requests}, {verdict.unanswered} of them never answered"))
    if verdict.breakpoint:
        found = verdict.breakpoint
        holds, breaks = (_number(rate, "{:.3g} per second") for rate in (found.holds_per_s, found.breaks_per_s))
        facts += [("holds", holds), ("breaks at", breaks)]
    if verdict.recovery_s is not None:
        facts.append(("recovered", f"{verdict.recovery_s:.1f} s after the spike"))
    facts += [("note", note) for note in (verdict.run.notes if verdict.run else ())]
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts) + "</dl>"


def _over_time(verdict: Verdict, records: Sequence[Record]) -> list[str]:
    if not verdict.phases:
        return []
    shades = [(phase.name, phase.starts_s, phase.starts_s + phase.duration_s) for phase in verdict.phases]
    return [
        "<h2>Over time</h2>",
        "<p class=soft>By the second at which each request should have been sent; latency counts from there.</p>",
        f"<div class=scroll>{draw('', panels_of(records), shades)}</div>",
    ]


def _phases(phases: Sequence[PhaseVerdict]) -> list[str]:
    if not phases:
        return []
    rows = []
    for phase in phases:
        said = (
            f"{phase.name}: {phase.outcome}; {phase.sent_per_s:.3g} per second sent ({phase.rate_per_s:.3g} asked), "
            f"{phase.good_per_s:.3g} answered well"
        )
        rows.append(f"<tr class=phase><td colspan={len(_HEADS)}>{escape(said)}</td></tr>")
        for endpoint, seen in phase.endpoints.items():
            accepted, refused = seen.accepted, seen.refused
            cells = [
                endpoint,
                str(seen.requests),
                *(_number(v) for v in (accepted.p50_ms, accepted.p95_ms, accepted.p99_ms, accepted.max_ms)),
                *(_number(v, "{:.1%}") for v in (seen.error_share, seen.shed_share)),
                _number(refused.p99_ms),
                _number(seen.lowest_ssim, "{:.3f}"),
            ]
            rows.append(_row(cells))
    return ["<h2>Phases</h2>", _table(_HEADS, rows)]


def _problems(verdict: Verdict) -> list[str]:
    if not verdict.problems:
        return []
    rows = [f"<tr><td>{count}</td><td class=text>{escape(what)}</td></tr>" for what, count in verdict.problems.items()]
    return ["<h2>What was wrong</h2>", _table(("times", ""), rows)]


def _rules(verdict: Verdict) -> list[str]:
    rules = [*verdict.rules, *(rule for phase in verdict.phases for rule in phase.rules)]
    broken = [rule for rule in rules if not rule.passed]
    heads = ("phase", "endpoint", "rule", "seen", "promised")
    parts = []
    if broken:
        parts += ["<h2>Broken promises</h2>", _table(heads, map(_rule, broken))]
    if rules:
        held = f"<details><summary>all {len(rules)} rules</summary>{_table(heads, map(_rule, rules))}</details>"
        parts += ["<h2>Every rule</h2>", held]
    return parts


def _rule(rule: Rule) -> str:
    return _row([rule.phase, rule.endpoint, rule.name, rule.shown, rule.needed], "" if rule.passed else "broken")


def _row(cells: Sequence[str], kind: str = "") -> str:
    return f"<tr class='{kind}'>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _table(heads: Sequence[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<div class=scroll><table><tr>{head}</tr>{''.join(rows)}</table></div>"


def _number(value: float | None, form: str = "{:.0f}") -> str:
    return "-" if value is None else form.format(value)
