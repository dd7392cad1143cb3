"""`pentimento versions`, `promote` and `rollback`: what is registered, and which of it serves."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import examples, json_option, print_json, table
from cli.outcome import REJECTED, Stop

if TYPE_CHECKING:
    from registry.versions import Promotion, Version


@click.command(epilog=examples("pentimento versions", "pentimento versions --json"))
@json_option
def versions(as_json: bool) -> None:
    """List the registered versions, newest first, with aliases, verdicts and lineage."""
    from registry.settings import Settings
    from registry.versions import Registry

    listed = sorted(Registry(Settings.from_env()).versions(), key=lambda version: -version.number)
    if as_json:
        print_json([_as_dict(version) for version in listed])
        return
    if not listed:
        print("no versions yet; `pentimento train configs/demo.yaml` registers the first")
        return
    rows = [
        (
            version.number,
            ", ".join(version.aliases) or "-",
            version.verdict or "not judged",
            version.digest[:12],
            version.run_id or "-",
            ", ".join(parent[:12] for parent in version.parents) or "-",
        )
        for version in listed
    ]
    print(table(("version", "aliases", "verdict", "digest", "run", "parents"), rows))


@click.command(
    epilog=examples(
        "pentimento promote 3 --evidence build/evaluation",
        'pentimento promote 2 --force "the gate\'s data were wrong, see ticket 41"',
    )
)
@click.argument("version")
@click.option("--evidence", type=click.Path(path_type=Path), help="The folder that `pentimento gate` judged.")
@click.option("--force", "force_reason", metavar="REASON", help="Promote without passing evidence; recorded.")
@json_option
def promote(version: str, evidence: Path | None, force_reason: str | None, as_json: bool) -> None:
    """Make VERSION (3, models:/pentimento/3, models:/pentimento@candidate) the champion, if its evidence passed.

    Exit code 3 where the evidence does not allow it.
    """
    from registry.errors import PromotionRefused
    from registry.settings import Settings
    from registry.versions import AlreadyChampion, Registry

    try:
        promotion = Registry(Settings.from_env()).promote(version, evidence, force_reason=force_reason)
    except AlreadyChampion as nothing_to_do:  # asked for twice: the wish is fulfilled
        click.echo(str(nothing_to_do), err=True)
        return
    except PromotionRefused as refusal:
        click.echo(f"error: {refusal}", err=True)
        raise Stop(REJECTED) from refusal
    _show(promotion, as_json)


@click.command(epilog=examples("pentimento rollback", "pentimento rollback --json"))
@json_option
def rollback(as_json: bool) -> None:
    """Make the previous champion the champion again."""
    from registry.settings import Settings
    from registry.versions import Registry

    _show(Registry(Settings.from_env()).rollback(), as_json)


def _show(promotion: "Promotion", as_json: bool) -> None:
    if as_json:
        print_json(promotion.model_dump(mode="json"))
        return
    before = f", before: {promotion.from_version}" if promotion.from_version else ""
    forced = f" (forced: {promotion.force_reason})" if promotion.forced else ""
    print(f"champion: pentimento/{promotion.version}{before}{forced}")


def _as_dict(version: "Version") -> dict[str, Any]:
    return {
        "version": version.number,
        "digest": version.digest,
        "aliases": list(version.aliases),
        "verdict": version.verdict,
        "run_id": version.run_id,
        "parents": list(version.parents),
        "tags": dict(version.tags),
    }
