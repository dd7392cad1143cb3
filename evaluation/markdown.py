"""report.md: the judgement in one screen, for a pull request."""

from evaluation.scores import ADAIN, ALL, EQUAL_STYLE, NULL_METHODS, Report
from evaluation.wording import equal_style_rows, headline, interval, number, percent


def render_markdown(report: Report) -> str:
    """The table at equal style, who else was beaten, and what was judged."""
    data = report.data
    lines = [
        f"### Pentimento: {report.candidate.note or report.candidate.label} against AdaIN",
        "",
        headline(report),
        "",
        "| metric | AdaIN, published | goal | AdaIN here | candidate | 95 % interval | candidate / AdaIN "
        "| of AdaIN's loss recovered | pairs won |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in equal_style_rows(report):
        ratio = f"{row.ratio} ({row.ratio_interval})" if row.ratio else ""
        cells = [row.label, row.published, row.goal, row.adain, row.candidate, row.interval, ratio]
        cells += [row.recovered, row.wins]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *_others(report), ""]
    skipped = f", {len(data.skipped)} files skipped" if data.skipped else ""
    lines.append(
        f"{data.photographs} photographs x {data.paintings} paintings = {data.pairs} pairs "
        f"({data.comparable_pairs} comparable{skipped}), short side {report.settings['short_side_px']} px, "
        f"deep features of {report.extractor_label}. AdaIN at strength {number(report.tuning.strength, 2)} "
        f"(mean SSIM {number(report.tuning.mean_ssim)}). Candidate `{(report.candidate.digest or 'none')[:12]}`, "
        f"{report.candidate.engine}; data `{data.digest[:12]}`."
    )
    return "\n".join(lines) + "\n"


def _others(report: Report) -> list[str]:
    reach = report.comparison(ADAIN, EQUAL_STYLE, ALL, "reach")
    lines = (
        []
        if reach is None
        else [f"- comes as near to the style as tuned AdaIN: {percent(reach.candidate.value)} of pairs"]
    )
    known = [*NULL_METHODS, *sorted(set(report.comparisons) - {*NULL_METHODS, ADAIN})]
    for name in known:
        cell = report.comparison(name, EQUAL_STYLE, ALL, "edge_ssim")
        if cell is not None:
            wins = f"{percent(cell.wins.value)} ({interval(cell.wins, 2)})"
            lines.append(f"- wins on edge-SSIM against {name.replace('_', ' ')}: {wins}")
    return lines
