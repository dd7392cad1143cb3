"""`pentimento package`: check a model package, register one, and print the form of its package.json."""

from pathlib import Path

import click

from cli.options import engine_option, examples, json_option, print_json


@click.group(epilog=examples("pentimento package verify pretrained/compact", "pentimento package schema"))
def package() -> None:
    """Check model packages (the folders that are registered, judged, shipped and served), and register them."""


@package.command(
    epilog=examples(
        "pentimento package verify pretrained/compact", "pentimento package verify build/export --engine torch --json"
    )
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@engine_option
@json_option
def verify(folder: Path, engine: str, as_json: bool) -> None:
    """Check every file of DIR against its digest, and that the package paints its golden picture.

    Exit code 4, with the file's name, where one is missing, altered, unlisted or unsafe.
    """
    from runtime.loading import load_engine
    from runtime.package import open_package

    opened = open_package(folder)
    loaded = load_engine(opened, engine)  # type: ignore[arg-type]
    painted = f"{loaded.name} {loaded.precision}"
    loaded.close()
    manifest = opened.manifest
    if as_json:
        facts = {"schema_version": manifest.schema_version, "variant": manifest.variant, "files": manifest.files}
        print_json({"folder": str(folder), "digest": opened.digest, "golden": painted, **facts})
        return
    for name in sorted(manifest.files):
        print(f"ok  {name}")
    print(f"ok  golden picture, painted by {painted}")
    print(f"{folder}: {manifest.variant} package {opened.digest}, schema version {manifest.schema_version}")


@package.command(
    epilog=examples(
        "pentimento package register build/export", "pentimento package register pretrained:compact --tag team=sky"
    )
)
@click.argument("model", metavar="DIR_OR_REF")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of your own; may be repeated.")
@engine_option
@json_option
def register(model: str, tags: tuple[str, ...], engine: str, as_json: bool) -> None:
    """Make a package a version with alias `candidate`: all of it or nothing, and the same package only once."""
    from registry.references import resolve
    from registry.settings import Settings
    from registry.versions import Registry

    for tag in tags:
        if not tag.partition("=")[1]:
            raise click.BadParameter(f"{tag!r} has no value; write KEY=VALUE", param_hint="--tag")
    settings = Settings.from_env()
    chosen = {key: value for key, _, value in (tag.partition("=") for tag in tags)}
    version = Registry(settings).register(
        resolve(model, settings).folder,
        tags=chosen,
        engine=engine,  # type: ignore[arg-type]
    )
    if as_json:
        print_json({"version": version.number, "digest": version.digest, "aliases": list(version.aliases)})
    else:
        print(f"candidate: {version.name}, package {version.digest[:12]}")


@package.command(epilog=examples("pentimento package schema", "pentimento package schema > package.schema.json"))
def schema() -> None:
    """Print the JSON schema of package.json."""
    from runtime.package import Manifest

    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **Manifest.model_json_schema()})
