"""`pentimento promote`, `rollback` and `challenge`: which version serves, and which is tried out beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import examples, json_option, print_json
from cli.outcome import REJECTED, WRONG_USAGE, Stop

if TYPE_CHECKING:
    from registry.versions import Promotion


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
    from registry.errors import PromotionRefused
    from registry.settings import Settings
    from registry.versions import Registry

    try:
        promotion = Registry(Settings.from_env()).rollback()
    except PromotionRefused as refusal:
        click.echo(f"error: {refusal}", err=True)
        raise Stop(REJECTED) from refusal
    _show(promotion, as_json)


@click.command(epilog=examples("pentimento challenge candidate", "pentimento challenge --none"))
@click.argument("version", required=False)
@click.option("--none", "withdraw", is_flag=True, help="Have no challenger any more.")
@json_option
def challenge(version: str | None, withdraw: bool, as_json: bool) -> None:
    """Make VERSION the challenger: the one that a service may try out beside the champion. It needs no evidence."""
    from registry.errors import PromotionRefused
    from registry.settings import Settings
    from registry.versions import Registry

    if (version is None) != withdraw:
        click.echo("error: give a VERSION, or --none to have no challenger", err=True)
        raise Stop(WRONG_USAGE)
    registry = Registry(Settings.from_env())
    before = registry.pointed("challenger")
    number = None
    if version is None:
        registry.withdraw_challenger()
    else:
        try:
            number = registry.challenge(version).number
        except PromotionRefused as refusal:
            click.echo(f"error: {refusal}", err=True)
            raise Stop(REJECTED) from refusal
    if as_json:
        print_json({"challenger": number, "before": before.number if before else None})
    else:
        print(
            f"challenger: {f'pentimento/{number}' if number else 'none'}"
            + (f", before: {before.number}" if before else "")
        )


def _show(promotion: "Promotion", as_json: bool) -> None:
    if as_json:
        print_json(promotion.model_dump(mode="json"))
        return
    before = f", before: {promotion.from_version}" if promotion.from_version else ""
    forced = f" (forced: {promotion.force_reason})" if promotion.forced else ""
    print(f"champion: pentimento/{promotion.version}{before}{forced}")
