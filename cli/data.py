"""`pentimento data check`: what a data folder holds, before anybody is judged on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import examples, json_option, print_json, progress_bar, table
from cli.outcome import REJECTED, Stop

if TYPE_CHECKING:
    from evaluation.datacheck import DataCheck

SHOWN = 5


@click.group(epilog=examples("pentimento data check ../wikiart", "pentimento data check ../BSDS500 --json"))
def data() -> None:
    """Look at data folders."""


@data.command(
    epilog=examples(
        "pentimento data check ../wikiart --manifest build/wikiart.jsonl",
        "pentimento data check ../coco --json",
    )
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="Write one JSON line for each picture, with its sha256."
)
@json_option
def check(folder: Path, manifest: Path | None, as_json: bool) -> None:
    """Open every picture of FOLDER and say what was seen: layout, splits, styles, broken files, duplicates.

    Layouts: WikiArt as ArtGAN ships it, Hugging Face parquet, COCO, BSDS500 with human boundaries, a folder with
    index.csv, photographs/ and paintings/, and plain folders. Exit code 0 where pictures can be used (broken ones are
    reported and would be skipped), 3 where the same picture stands in two splits.
    """
    from evaluation.datacheck import check_data

    with progress_bar() as advance:
        found = check_data(folder, progress=advance, manifest=manifest)
    if as_json:
        print_json(found.as_dict())
    else:
        print(as_text(folder, found))
    if found.across_splits:
        raise Stop(REJECTED)


def as_text(folder: Path, found: "DataCheck") -> str:
    """What was seen, for people; long lists are cut, and say so."""
    rows = [[role, split or "-", count] for (role, split), count in sorted(found.pictures.items())]
    lines = [f"{folder}: {found.layout}", "", table(["role", "split", "pictures"], rows), ""]
    if len(found.groups) > 1:
        counts = sorted(found.groups.items(), key=lambda item: -item[1])
        lines += [f"{len(counts)} groups: " + _cut([f"{name} {count}" for name, count in counts]), ""]
    if found.with_boundaries:
        lines.append(f"{found.with_boundaries} photographs have human boundaries")
    lines += _problems("unreadable, would be skipped", [f"{name}: {why}" for name, why in found.unreadable])
    lines += _problems(
        "THE SAME PICTURE IN TWO SPLITS", [" = ".join(f"{s}:{n}" for s, n in each) for each in found.across_splits]
    )
    lines += _problems("the same bytes twice, counted once", [" = ".join(each) for each in found.twice])
    lines += _problems("one name in two folders", [" = ".join(each) for each in found.same_name])
    lines += [f"note: {note}" for note in found.notes]
    lines.append(f"{found.usable} usable pictures, digest {found.digest[:16]}")
    return "\n".join(lines)


def _problems(title: str, found: list[str]) -> list[str]:
    if not found:
        return []
    more = [f"  ... and {len(found) - SHOWN} more (--json lists all)"] if len(found) > SHOWN else []
    return [f"{title}: {len(found)}", *(f"  {line}" for line in found[:SHOWN]), *more]


def _cut(words: list[Any], shown: int = 12) -> str:
    return ", ".join(map(str, words[:shown])) + (f" and {len(words) - shown} more" if len(words) > shown else "")
