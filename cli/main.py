"""The list of commands, loaded lazily: `pentimento --help` imports no torch and no MLflow."""

import importlib
from typing import Any

import click

from cli.outcome import run_politely

# command -> (module, one line for the list)
COMMANDS = {
    "stylize": ("cli.stylize", "Paint photographs in a style."),
    "batch": ("cli.batch", "Paint folders and lists of pictures, each exactly once."),
    "video": ("cli.video", "Paint a film without flicker."),
    "train": ("cli.train", "Train in two stages, track, and register the result as candidate."),
    "data": ("cli.data", "Say what a data folder holds: layout, splits, broken files, duplicates."),
    "evaluate": ("cli.evaluate", "Judge a model against AdaIN and the null methods."),
    "gate": ("cli.gate", "Decide from a judgement whether a version may be promoted."),
    "study": ("cli.study", "Ask people, blindly, which painting is better."),
    "promote": ("cli.promotion", "Make a version the champion, with evidence."),
    "rollback": ("cli.promotion", "Make the previous champion the champion again."),
    "challenge": ("cli.promotion", "Choose the version that is tried out beside the champion."),
    "versions": ("cli.versions", "List what is registered, show one version, show the promotion log."),
    "package": ("cli.package", "Check a model package, register one."),
    "styles": ("cli.styles", "Keep the style library: add, list, suggest, export, import."),
    "serve": ("cli.serve", "Serve a model over HTTP."),
    "tokens": ("cli.tokens", "Make, list and revoke the service's bearer tokens."),
    "export": ("cli.export", "Write a model's package (ONNX graphs, weights, card) to a folder."),
    "bench": ("cli.bench", "Compare the engines of this machine."),
    "sample": ("cli.sample", "Write the embedded sample: photographs and paintings."),
    "doctor": ("cli.doctor", "Say what this machine has, and how to get the rest."),
    "demo": ("cli.demo", "The whole main job on the embedded sample."),
}


class LazyGroup(click.Group):
    """Commands that are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[name][0]), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(f"{error.message} There are: {', '.join(COMMANDS)}.", ctx) from error


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Examples:\n\n  pentimento stylize photo.jpg --style night-swirls -o painting.png\n\n  pentimento doctor",
)
@click.version_option(package_name="pentimento", message="%(prog)s %(version)s")
def pentimento() -> None:
    """Photographs into paintings without losing their structure: train, judge, promote, serve.

    Results go to stdout, progress to stderr. Exit codes: 0 done or passed, 2 wrong usage, 3 rejected, 4 could not run,
    5 inconclusive, 130 interrupted.
    """


def main() -> None:
    """Run the command line; every error that we know becomes one line that names its cure."""
    raise SystemExit(run_politely(lambda: pentimento.main(standalone_mode=False)))


if __name__ == "__main__":
    main()
