"""After new weights: graphs, golden picture and INT8 of shipped packages, made again in place.

`python -m benchmarks.engines_release pretrained/compact pretrained/adain [--assets ../shared/assets]`: calibrates on
the train split of the assets. A package whose INT8 graph fails its check is left without one; the figures are printed.
"""

import argparse
import csv
from pathlib import Path

from runtime.calibration import make_pairs, read_some
from runtime.errors import QuantisationRefused
from runtime.package import open_package
from runtime.packaging import renew_package
from runtime.quantising import Pair, quantise_package

PHOTOS = ("coco-sample/", "bsds500/images/", "photos-classic/")
PAINTINGS = ("wikiart-sample/", "paintings-classic/")


def train_pairs(assets: Path) -> tuple[list[Pair], list[Pair]]:
    """Pairs for calibration and for the check, none of them from the test split."""
    with open(assets / "index.csv", newline="") as stream:
        names = [row["path"] for row in csv.DictReader(stream) if row["split"] == "train"]
    chosen = [
        read_some([assets / name for name in names if name.startswith(folders) and name.endswith((".jpg", ".png"))])
        for folders in (PHOTOS, PAINTINGS)
    ]
    return make_pairs(*chosen)


def main(folders: list[str], assets: Path) -> None:
    """One line of figures per package."""
    calibration, held_out = train_pairs(assets)
    for folder in folders:
        package = renew_package(open_package(folder), folder)
        try:
            package, check = quantise_package(package, folder, calibration, held_out)
            print(folder, package.digest, check.as_dict(), flush=True)
        except QuantisationRefused as refusal:
            print(folder, package.digest, refusal, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--assets", type=Path, default=Path("../shared/assets"))
    given = parser.parse_args()
    main(given.folders, given.assets)
