"""`pentimento export`: a model's package, out of the registry, into a folder."""

from pathlib import Path

import click

from cli.options import examples, json_option, model_option, print_json


@click.command(
    epilog=examples(
        "pentimento export -o build/package", "pentimento export --model models:/pentimento@champion -o build/champion"
    )
)
@model_option
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@json_option
def export(model_ref: str, out: Path, as_json: bool) -> None:
    """Write a model's package: ONNX graphs, weights, golden picture, card; every digest verified."""
    from registry.references import resolve
    from registry.settings import Settings
    from runtime.package import copy_package

    package = copy_package(resolve(model_ref, Settings.from_env()), out)
    if as_json:
        print_json({"folder": str(package.folder), "digest": package.digest, "files": package.manifest.files})
        return
    for name in sorted(package.manifest.files):
        print(package.path(name))
