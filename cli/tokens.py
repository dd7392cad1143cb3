"""`pentimento tokens`: bearer tokens for the service, of which only digests are kept."""

from pathlib import Path

import click

from cli.options import examples, json_option, print_json, say, table

_file_option = click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PENTIMENTO_TOKENS",
    required=True,
    help="The token file. Default: $PENTIMENTO_TOKENS, which the service reads too.",
)
_SCOPES = ("read", "stylize", "manage-styles")  # service.tokens.SCOPES, which would import the service for --help


@click.group(
    epilog=examples(
        "pentimento tokens add studio --scope read --scope stylize --file tokens.json",
        "pentimento tokens list --file tokens.json",
    )
)
def tokens() -> None:
    """Make, list and revoke the service's bearer tokens."""


@tokens.command(epilog=examples("pentimento tokens add studio --scope read --scope stylize --file tokens.json"))
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(_SCOPES), multiple=True, required=True, help="What it opens; repeatable."
)
@_file_option
def add(name: str, scopes: tuple[str, ...], path: Path) -> None:
    """Make a token for NAME; it is printed once and kept nowhere."""
    from service.tokens import SCOPES, add_token

    token = add_token(path, name, [scope for scope in SCOPES if scope in scopes])
    print(token)
    say(f"{name} may {', '.join(scopes)}; {path} holds the token's digest only: keep the token now")


@tokens.command("list", epilog=examples("pentimento tokens list --file tokens.json"))
@_file_option
@json_option
def list_tokens(path: Path, as_json: bool) -> None:
    """Who has a token, and what it opens."""
    from service.tokens import read_tokens

    known = read_tokens(path).tokens
    if as_json:
        print_json([{"name": holder.name, "scopes": list(holder.scopes)} for holder in known])
    else:
        rows = [(holder.name, ", ".join(holder.scopes)) for holder in known]
        print(table(("name", "scopes"), rows) if rows else "no tokens")


@tokens.command(epilog=examples("pentimento tokens remove studio --file tokens.json"))
@click.argument("name")
@_file_option
def remove(name: str, path: Path) -> None:
    """Revoke NAME's token; running services refuse it from their next request on."""
    from service.tokens import remove_token

    remove_token(path, name)
    say(f"{name} is revoked")
