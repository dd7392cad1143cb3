"""`pentimento export`: a model's package, out of the registry, into a folder; renewed, or with an INT8 graph."""

from pathlib import Path

import click

from cli.options import examples, json_option, model_option, print_json, say


@click.command(
    epilog=examples(
        "pentimento export --model models:/pentimento@champion -o build/champion",
        "pentimento export --int8 --photos photos/ --paintings paintings/ -o build/int8",
    )
)
@model_option
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option("--renew", is_flag=True, help="Write graphs and golden picture anew from the package's own weights.")
@click.option("--int8", is_flag=True, help="Add an INT8 graph, if it passes its check; refuse with the figures if not.")
@click.option(
    "--photos", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Calibrate INT8 on these."
)
@click.option("--paintings", type=click.Path(exists=True, file_okay=False, path_type=Path), help="And in these styles.")
@json_option
def export(
    model_ref: str,
    out: Path,
    renew: bool,
    int8: bool,
    photos: Path | None,
    paintings: Path | None,
    as_json: bool,
) -> None:
    """Write a model's package: ONNX graphs, weights, golden picture, card; every digest verified.

    A package that an older Pentimento wrote is brought up to date with --renew. INT8 is calibrated on the folders
    given, or on the embedded sample; half of the pairs are kept for the check.
    """
    from registry.references import resolve
    from registry.settings import Settings
    from runtime.calibration import read_pairs
    from runtime.package import copy_package
    from runtime.packaging import renew_package
    from runtime.quantising import quantise_package

    if (photos is None) != (paintings is None):
        raise click.UsageError("--photos and --paintings go together: calibration paints each in the other's style")
    source = resolve(model_ref, Settings.from_env())
    package = renew_package(source, out) if renew else copy_package(source, out)
    figures = None
    if int8:
        say("calibrating INT8: some minutes")
        calibration, held_out = read_pairs(photos, paintings)
        package, check = quantise_package(package, out, calibration, held_out)
        figures = check.as_dict()
        say(
            f"INT8: {check.quantised} convolutions, {check.psnr_db:.1f} dB at least, SSIM moves {check.ssim_change:.4f}"
        )
    if as_json:
        files = package.manifest.files
        print_json({"folder": str(package.folder), "digest": package.digest, "files": files, "int8": figures})
        return
    for name in sorted(package.manifest.files):
        print(package.path(name))
