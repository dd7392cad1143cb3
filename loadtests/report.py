"""A verdict as JSON, as JUnit for a CI server, and as a table for a terminal."""

import json
import xml.etree.ElementTree as ElementTree

from loadtests.rules import PhaseVerdict, Rule
from loadtests.verdict import Verdict


def as_json(verdict: Verdict) -> str:
    """Strict JSON."""
    return json.dumps(verdict.as_dict(), indent=1, allow_nan=False) + "\n"


def as_junit(verdict: Verdict) -> str:
    """One test suite for each phase, one test for each rule; what could not be told is an error, not a failure."""
    rules = sum(len(phase.rules) for phase in verdict.phases) + len(verdict.rules)
    shape = verdict.run.shape if verdict.run else "load"
    root = ElementTree.Element("testsuites", name=f"load test: {shape}", tests=str(rules + 1))
    for phase in verdict.phases:
        _suite(root, phase.name, phase.rules, phase.duration_s)
    suite = _suite(root, "verdict", verdict.rules, 0.0)
    suite.set("tests", str(len(verdict.rules) + 1))
    case = ElementTree.SubElement(suite, "testcase", classname="verdict", name=shape)
    if verdict.outcome != "passed":
        kind = "failure" if verdict.outcome == "failed" else "error"
        ElementTree.SubElement(case, kind, message=verdict.reason, type=verdict.outcome)
        suite.set(f"{kind}s", str(int(suite.get(f"{kind}s", "0")) + 1))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def as_text(verdict: Verdict) -> str:
    """What a terminal shows: each phase in a line, the rules that were broken, the verdict last."""
    lines = [_HEAD, *(_phase_line(phase) for phase in verdict.phases)] if verdict.phases else []
    broken = [rule for phase in verdict.phases for rule in phase.rules if not rule.passed]
    lines += [f"FAIL {rule}" for rule in broken]
    lines += [f"{'ok  ' if rule.passed else 'FAIL'} {rule}" for rule in verdict.rules]
    lines += [f"     {count} x {problem}" for problem, count in verdict.problems.items()]
    lines += [f"note: {note}" for note in (verdict.run.notes if verdict.run else ())]
    if verdict.requests:
        lines.append(f"{verdict.requests} requests, {verdict.unanswered} unanswered")
    return "\n".join([*lines, f"{verdict.outcome}: {verdict.reason}"])


_HEAD = (
    f"{'phase':<22} {'endpoint':<13} {'sent':>6} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'errors':>7} {'shed':>7} "
    f"{'shed p99':>9}"
)


def _phase_line(phase: PhaseVerdict) -> str:
    lines = [
        f"{phase.name:<22} {phase.sent_per_s:.3g} per second sent ({phase.rate_per_s:.3g} asked), "
        f"{phase.good_per_s:.3g} answered well: {phase.outcome}"
    ]
    for endpoint, seen in phase.endpoints.items():
        accepted = [_number(value) for value in (seen.accepted.p50_ms, seen.accepted.p95_ms, seen.accepted.p99_ms)]
        lines.append(
            f"{'':<22} {endpoint:<13} {seen.requests:>6} {accepted[0]:>8} {accepted[1]:>8} {accepted[2]:>8} "
            f"{_percent(seen.error_share):>7} {_percent(seen.shed_share):>7} {_number(seen.refused.p99_ms):>9}"
        )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _suite(root: ElementTree.Element, name: str, rules: list[Rule], seconds: float) -> ElementTree.Element:
    failed = [rule for rule in rules if not rule.passed and rule.measured]
    unknown = [rule for rule in rules if not rule.passed and not rule.measured]
    suite = ElementTree.SubElement(root, "testsuite", name=name, tests=str(len(rules)), failures=str(len(failed)),
                                   errors=str(len(unknown)), time=f"{seconds:g}")  # fmt: skip
    for rule in rules:
        case = ElementTree.SubElement(suite, "testcase", classname=f"{name}.{rule.endpoint}", name=rule.name)
        if not rule.passed:
            kind = "failure" if rule.measured else "error"
            ElementTree.SubElement(case, kind, message=str(rule), type="promise")
    return suite
