"""A verdict on disk: evidence.json for `promote`, junit.xml for CI, verdict.md for a pull request."""

import re
from pathlib import Path
from xml.etree import ElementTree

from evaluation.markdown import render_markdown
from evaluation.scores import Report
from registry.evidence import Evidence, RuleResult, Verdict, write_evidence
from stylenet.pictures import write_bytes

JUNIT_NAME, MARKDOWN_NAME = "junit.xml", "verdict.md"
WORDS: dict[Verdict, str] = {
    "passed": "**Passed.** The candidate may be promoted.",
    "rejected": "**Rejected.** At least one rule is shown to fail.",
    "could_not_run": "**Could not run.** Something that the policy needs was not measured.",
    "inconclusive": "**Inconclusive.** The numbers do not decide; that is not a pass.",
}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_verdict(evidence: Evidence, report: Report, out: Path) -> None:
    """Write junit.xml, verdict.md and, last, evidence.json: where that is, the others are."""
    write_bytes(render_junit(evidence), out / JUNIT_NAME)
    write_bytes(render_verdict(evidence, report).encode(), out / MARKDOWN_NAME)
    write_evidence(evidence, out)


def render_junit(evidence: Evidence) -> bytes:
    """One test case a rule; whatever did not pass is a failure, so that CI shows it red."""
    failed = [rule for rule in evidence.rules if not rule.passed]
    suite = ElementTree.Element(
        "testsuite",
        name="pentimento gate",
        tests=str(len(evidence.rules)),
        failures=str(len(failed)),
        errors="0",
        skipped="0",
        timestamp=evidence.created_at.isoformat(timespec="seconds"),
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("verdict", "candidate_digest", "dataset_digest", "policy_digest"):
        ElementTree.SubElement(properties, "property", name=name, value=str(getattr(evidence, name)))
    for rule in evidence.rules:
        case = ElementTree.SubElement(suite, "testcase", classname="gate", name=_xml(rule.name), time="0")
        if not rule.passed:
            failure = ElementTree.SubElement(case, "failure", type=evidence.verdict, message=_xml(_measured(rule)))
            failure.text = _xml(f"needed: {rule.needed}\n{rule.note}".strip())
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def render_verdict(evidence: Evidence, report: Report) -> str:
    """The verdict first, then what stood in the way, then the scores; every rule is folded away below."""
    failed = [rule for rule in evidence.rules if not rule.passed]
    lines = [f"## Pentimento gate: {evidence.verdict.replace('_', ' ')}", "", WORDS[evidence.verdict], ""]
    if failed:
        lines += [*_table(failed), ""]
    lines += [render_markdown(report).rstrip(), ""]
    lines += ["<details><summary>", f"All {len(evidence.rules)} checks", "</summary>", "", *_table(evidence.rules)]
    lines += ["", "</details>", "", f"Policy `{evidence.policy_digest[:12]}`, data `{evidence.dataset_digest[:12]}`."]
    return "\n".join(lines) + "\n"


def _table(rules: "tuple[RuleResult, ...] | list[RuleResult]") -> list[str]:
    rows = ["| | rule | measured | needed | note |", "| --- | --- | --- | --- | --- |"]
    for rule in rules:
        cells = ("✓" if rule.passed else "✗", rule.name, _measured(rule), rule.needed, rule.note)
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return rows


def _measured(rule: RuleResult) -> str:
    """ "0.82 (0.79 to 0.85)"."""
    if rule.value is None:
        return "not measured"
    interval = "" if rule.interval is None else f" ({rule.interval[0]:.4g} to {rule.interval[1]:.4g})"
    return f"{rule.value:.4g}{interval}"


def _xml(text: str) -> str:
    """Without the few characters that XML cannot hold, not even escaped."""
    return _NOT_XML.sub("�", text)
