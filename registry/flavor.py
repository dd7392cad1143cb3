"""A model package as an MLflow model folder: pyfunc from code, the package among its artifacts, the code beside it."""

import importlib.metadata
import importlib.util
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from registry.errors import RegistrationFailed
from registry.store import quiet_mlflow
from runtime.package import Package, open_package

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

PACKAGE_IN_MODEL = "artifacts/package"
"""Where the package lies inside the MLflow model."""
CODE_PACKAGES = ("stylenet", "runtime")
REQUIREMENTS = ("mlflow", "pandas", "torch", "numpy", "pillow", "safetensors", "pydantic", "openvino")


def save_mlflow_model(
    package: Package, folder: Path, *, run_id: str | None = None, model_id: str | None = None
) -> None:
    """Write the MLflow model into `folder`, which must not exist yet.

    `mlflow.pyfunc.load_model` and `mlflow models serve` need nothing but this folder and the pinned requirements: the
    code that opens the package is copied beside it, so an old version paints as it did when it was registered.

    Raises:
        RegistrationFailed: our own code is not where Python can copy it from.
    """
    quiet_mlflow()
    import mlflow.pyfunc
    from mlflow.models import Model

    # MLflow names an artifact's folder after its source; ours must always be "package", whatever it was called before.
    staged = folder.with_name(f"{folder.name}-staged") / "package"
    shutil.copytree(package.folder, staged)
    if open_package(staged).digest != package.digest:
        raise RegistrationFailed(f"{package.folder} changed while it was being registered; register it again")
    with warnings.catch_warnings():
        # MLflow asks for an input example to check the signature with; the golden picture has checked more than that.
        warnings.simplefilter("ignore", UserWarning)
        mlflow.pyfunc.save_model(
            path=str(folder),
            python_model=str(Path(__file__).with_name("pyfunc.py")),
            artifacts={"package": str(staged)},
            code_paths=[str(_source(name)) for name in CODE_PACKAGES],
            signature=_signature(),
            pip_requirements=pinned_requirements(),  # left to itself, MLflow guesses for 40 s
            metadata={"pentimento.digest": package.digest, "pentimento.variant": package.manifest.variant},
            mlflow_model=Model(run_id=run_id, model_id=model_id),
        )
    shutil.rmtree(staged.parent)


def pinned_requirements() -> list[str]:
    """What the model needs, at the versions that it was made with, less the local part ("+cpu") that no index has."""
    pins = []
    for name in REQUIREMENTS:
        try:
            pins.append(f"{name}=={importlib.metadata.version(name).partition('+')[0]}")
        except importlib.metadata.PackageNotFoundError:
            continue  # openvino is an extra; the torch engine does without
    return pins


def _signature() -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    from stylenet.dials import DIAL_NAMES

    dials = [ColSpec(DataType.double, name, required=False) for name in DIAL_NAMES]
    pictures = [ColSpec(DataType.binary, name) for name in ("image", "style")]
    return ModelSignature(
        inputs=Schema([*pictures, *dials, ColSpec(DataType.boolean, "keep_color", required=False)]),
        outputs=Schema([ColSpec(DataType.binary, "stylized")]),
    )


def _source(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders or not Path(folders[0]).is_dir():
        raise RegistrationFailed(f"the code of {name!r} is not a folder that can be copied; run from a plain checkout")
    return Path(folders[0])
