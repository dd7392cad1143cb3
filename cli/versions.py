"""`pentimento versions`: what is registered, where it comes from, how it was judged, and who made it the champion."""

from typing import TYPE_CHECKING, Any

import click

from cli.options import examples, json_option, print_json, table

if TYPE_CHECKING:
    from registry.evidence import Evidence
    from registry.promotion_log import Promotion
    from registry.versions import Version

_SHOWN_SCORES = ("ssim", "lpips", "edge_ssim")


@click.group(
    invoke_without_command=True, epilog=examples("pentimento versions", "pentimento versions --history --json")
)
@click.option(
    "--history", is_flag=True, help="The promotion log instead: who made which version the champion, and why."
)
@json_option
@click.pass_context
def versions(context: click.Context, history: bool, as_json: bool) -> None:
    """List the registered versions, newest first: aliases, verdict, scores, data, commit and parents."""
    if context.invoked_subcommand is not None:
        return
    from registry.settings import Settings
    from registry.versions import Registry

    registry = Registry(Settings.from_env())
    if history:
        _print_history(registry.history(), as_json)
        return
    listed = registry.versions()
    if as_json:
        print_json([_as_dict(version) for version in listed])
    elif listed:
        print(_version_table(listed))
    else:
        print("no versions yet; `pentimento train configs/demo.yaml` registers the first")


@versions.command(epilog=examples("pentimento versions show 3", "pentimento versions show champion --json"))
@click.argument("version")
@json_option
def show(version: str, as_json: bool) -> None:
    """Show VERSION (3, champion, models:/pentimento/3) whole: lineage, evidence with every rule, promotions."""
    from registry.settings import Settings
    from registry.versions import Registry

    registry = Registry(Settings.from_env())
    found = registry.get(version)
    evidence = registry.evidence(found)
    moves = [line for line in registry.history() if found.number in (line.version, line.from_version)]
    if as_json:
        whole = evidence.model_dump(mode="json") if evidence else None
        print_json(
            _as_dict(found) | {"evidence": whole, "promotions": [line.model_dump(mode="json") for line in moves]}
        )
        return
    print("\n\n".join(part for part in (_lineage(found), _judgement(evidence), _moves(moves)) if part))


def _version_table(listed: "list[Version]") -> str:
    scores = [name for name in _SHOWN_SCORES if any(name in version.scores for version in listed)]
    header = ("version", "aliases", "verdict", *scores, "data", "commit", "parents", "digest", "registered")
    return table(header, [_row(version, scores) for version in listed])


def _row(version: "Version", scores: list[str]) -> tuple[object, ...]:
    return (
        version.number,
        ", ".join(version.aliases) or "-",
        (version.verdict or "not judged") + (" (forced)" if "pentimento.forced" in version.tags else ""),
        *(f"{version.scores[name]:.3f}" if name in version.scores else "-" for name in scores),
        version.data_digest[:8],
        version.git_commit[:8],
        ", ".join(str(number) for number in version.parent_versions) or _short(version.parents),
        version.digest[:12],
        version.created_at.strftime("%Y-%m-%d %H:%M"),
    )


def _short(digests: tuple[str, ...]) -> str:
    return ", ".join(digest[:8] for digest in digests) or "-"


def _lineage(version: "Version") -> str:
    parents = [f"pentimento/{number}" for number in version.parent_versions] or [d[:12] for d in version.parents]
    others = {
        key: value for key, value in sorted(version.tags.items()) if not key.startswith(("pentimento.", "mlflow."))
    }
    facts = {
        "aliases": ", ".join(version.aliases) or "none",
        "package": f"{version.variant}, {version.digest}",
        "registered": version.created_at.isoformat(timespec="seconds"),
        "run": version.run_id,
        "stage 1 run": version.stage1_run_id or "none: not registered by a training run",
        "parents": ", ".join(parents) or "none",
        "data": version.data_digest,
        "commit": version.git_commit,
        "environment": ", ".join(f"{name} {value}" for name, value in version.environment.items()) or "unknown",
        "tags": ", ".join(f"{key}={value}" for key, value in others.items()) or "none",
    }
    return "\n".join([version.name, *(f"  {key:<12} {value}" for key, value in facts.items())])


def _judgement(evidence: "Evidence | None") -> str:
    if evidence is None:
        return "evidence: none; `pentimento evaluate` and `pentimento gate` make it, `promote --evidence DIR` keeps it"
    against = f"champion {evidence.champion_digest[:12]}" if evidence.champion_digest else "no champion"
    when = evidence.created_at.strftime("%Y-%m-%d %H:%M")
    head = f"evidence: {evidence.verdict} on {evidence.pairs} pairs against {against}, {when}"
    rules = [
        (
            "ok" if rule.passed else "FAIL",
            rule.name,
            "not measured" if rule.value is None else f"{rule.value:.4g}",
            "-" if rule.interval is None else f"{rule.interval[0]:.4g} to {rule.interval[1]:.4g}",
            rule.needed,
            rule.note,
        )
        for rule in evidence.rules
    ]
    names = sorted({name for scores in evidence.scores.values() for name in scores})
    scores = [(method, *(_number(of.get(name)) for name in names)) for method, of in evidence.scores.items()]
    parts = [head + (f"\n  {evidence.reason}" if evidence.reason else "")]
    parts += [table(("", "rule", "measured", "interval", "needed", "note"), rules)] if rules else []
    parts += [table(("method", *names), scores)] if scores else []
    return "\n\n".join(parts)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _moves(lines: "list[Promotion]") -> str:
    return "promotions:\n" + _history_table(lines) if lines else ""


def _print_history(lines: "tuple[Promotion, ...]", as_json: bool) -> None:
    if as_json:
        print_json([line.model_dump(mode="json") for line in lines])
    elif lines:
        print(_history_table(list(lines)))
    else:
        print("nothing was promoted yet; `pentimento promote VERSION --evidence DIR` does")


def _history_table(lines: "list[Promotion]") -> str:
    rows = [
        (
            line.sequence,
            line.at.strftime("%Y-%m-%d %H:%M"),
            line.action,
            line.version,
            line.from_version or "-",
            line.verdict or "-",
            f"forced: {line.force_reason}" if line.forced else "",
            line.actor,
            line.hash[:12],
        )
        for line in lines
    ]
    return table(("line", "when", "what", "version", "before", "verdict", "", "by", "hash"), rows)


def _as_dict(version: "Version") -> dict[str, Any]:
    return {
        "version": version.number,
        "digest": version.digest,
        "variant": version.variant,
        "aliases": list(version.aliases),
        "registered": version.created_at.isoformat(),
        "verdict": version.verdict,
        "scores": dict(version.scores),
        "run_id": version.run_id,
        "stage1_run_id": version.stage1_run_id,
        "parents": list(version.parents),
        "parent_versions": list(version.parent_versions),
        "data_digest": version.data_digest,
        "git_commit": version.git_commit,
        "environment": dict(version.environment),
        "evidence_path": version.evidence_path,
        "tags": dict(version.tags),
    }
