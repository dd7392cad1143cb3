"""Builds a Bento around one model package, which lies in it under its digest; prints the Bento's tag.

    python deploy/build_bento.py                                    the weights that ship
    python deploy/build_bento.py --model models:/pentimento@champion

`bentoml build` alone does the same for pretrained:compact, without the digest's label.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, this folder is first on the path instead of the project's

import yaml  # noqa: E402 (after the path, as what follows)

from registry.errors import RegistryError  # noqa: E402
from registry.references import resolve  # noqa: E402
from registry.settings import Settings  # noqa: E402
from runtime.errors import RuntimeLayerError  # noqa: E402
from runtime.package import Package  # noqa: E402

BUILT, COULD_NOT_RUN = 0, 4


class BuildError(RuntimeError):
    """BentoML did not build it; the message holds its last words."""


def build(ref: str, settings: Settings) -> str:
    """Build a Bento that paints with the model `ref` and needs nothing else at run time.

    Returns:
        The Bento's tag, for example "pentimento:kq4bcohhroct6ax4".

    Raises:
        BuildError: BentoML failed.
        RegistryError, RuntimeLayerError: no such model, or a damaged package.
    """
    package = resolve(ref, settings)
    with tempfile.TemporaryDirectory(prefix="pentimento-bento-") as staging:
        _stage(Path(staging), package)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # `uv` lies there
        built = subprocess.run(
            [sys.executable, "-m", "bentoml", "build", "--output", "tag"],
            cwd=staging,
            env={**os.environ, "PATH": path, "BENTOML_DO_NOT_TRACK": "True"},
            capture_output=True,
            text=True,
        )
    if built.returncode:
        raise BuildError("\n".join(built.stderr.strip().splitlines()[-12:]) or "bentoml build said nothing")
    return built.stdout.strip().splitlines()[-1].removeprefix("__tag__:")


def _stage(staging: Path, package: Package) -> None:
    """Lay out what bentofile.yaml includes, with this package as the only one."""
    name = f"{package.manifest.variant}-{package.digest[:12]}"
    bentofile = bentofile_for(name, package.digest)
    for pattern in bentofile["include"]:
        source = ROOT / pattern.removesuffix("/**")
        if source.is_dir() and source.name != name:
            shutil.copytree(
                source,
                staging / source.relative_to(ROOT),
                ignore=shutil.ignore_patterns("__pycache__"),
                dirs_exist_ok=True,
            )
        elif source.is_file():
            target = staging / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    shutil.copytree(package.folder, staging / "pretrained" / name)
    (staging / "bentofile.yaml").write_text(yaml.safe_dump(bentofile, sort_keys=False))


def bentofile_for(name: str, digest: str) -> dict[str, Any]:
    """The repository's bentofile, told to hold `pretrained/NAME` alone; `bento_service` paints with it."""
    bentofile: dict[str, Any] = yaml.safe_load((ROOT / "bentofile.yaml").read_text())
    bentofile["include"] = [pattern for pattern in bentofile["include"] if not pattern.startswith("pretrained/")] + [
        f"pretrained/{name}/**"
    ]
    bentofile["labels"]["package"] = digest[:63]  # as much as a label of Kubernetes holds
    return bentofile


def main() -> int:
    """Parse the command line, build, print the tag."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="pretrained:compact", metavar="REF", help="default: %(default)s")
    try:
        print(build(parser.parse_args().model, Settings.from_env()))
    except (BuildError, RegistryError, RuntimeLayerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    return BUILT


if __name__ == "__main__":
    sys.exit(main())
