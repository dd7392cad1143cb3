"""`pentimento doctor`: what this machine has, and how to get the rest."""

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from cli.options import examples, json_option, print_json, table


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for.

    Args:
        what: its name.
        there: whether it was found.
        found: what was found, or what it would be good for.
        cure: how to get it; empty where it is there.
    """

    what: str
    there: bool
    found: str
    cure: str = ""


@click.command(epilog=examples("pentimento doctor", "pentimento doctor --json"))
@json_option
def doctor(as_json: bool) -> None:
    """Look for processors, engines, weights, data, registry and styles. Always exits 0: it tells, it does not judge."""
    findings = [finding for look in LOOKS for finding in look()]
    if as_json:
        print_json([{"what": f.what, "there": f.there, "found": f.found, "cure": f.cure} for f in findings])
        return
    print(table(("", "what", "found"), [("ok" if f.there else "--", f.what, f.found) for f in findings]))
    cures = [f for f in findings if f.cure]
    if cures:
        print("\nto get the rest:")
        for finding in cures:
            print(f"  {finding.what}: {finding.cure}")


def _machine() -> Iterator[Finding]:
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    yield Finding("machine", True, f"Python {platform.python_version()}, {cores} cores, {memory_gib:.0f} GiB")


def _gpu() -> Iterator[Finding]:
    import torch

    yield Finding("torch", True, torch.__version__)
    if torch.cuda.is_available():
        name, capability = torch.cuda.get_device_name(0), torch.cuda.get_device_capability(0)
        yield Finding("GPU", True, f"{name}, compute capability {capability[0]}.{capability[1]}")
    else:
        yield Finding("GPU", False, "none that torch sees", "not needed; with one, install torch's CUDA build")


def _engines() -> Iterator[Finding]:
    if importlib.util.find_spec("openvino") is None:
        yield Finding("OpenVINO", False, "the fast CPU engine", "pip install 'pentimento[cpu]'")
    else:
        import openvino

        capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        precision = "bfloat16" if "BF16" in capabilities else "float32"
        yield Finding("OpenVINO", True, f"{importlib.metadata.version('openvino')}, computes in {precision} here")
    module = next((name for name in ("tensorrt", "tensorrt_rtx_bindings") if importlib.util.find_spec(name)), None)
    if module is None:
        cure = "pip install 'pentimento[tensorrt]' on a machine with an NVIDIA GPU"
        yield Finding("TensorRT", False, "the fast GPU engine (not built into this version yet)", cure)
    else:
        yield Finding("TensorRT", True, f"{module} is installed; this version does not use it yet")


def _extras() -> Iterator[Finding]:
    for module, extra, use in (
        ("mlflow", "registry", "tracking and registry"),
        ("onnx", "train", "packaging what was trained"),
        ("lpips", "evaluate", "the LPIPS metric"),
        ("bentoml", "serve", "the service"),
        ("locust", "load", "load tests"),
    ):
        if importlib.util.find_spec(module) is None:
            yield Finding(module, False, use, f"pip install 'pentimento[{extra}]'")
        else:
            yield Finding(module, True, f"{importlib.metadata.version(module)}: {use}")


def _weights() -> Iterator[Finding]:
    from registry.references import pretrained_names, resolve
    from registry.settings import Settings
    from stylenet.weights import SQUEEZENET, VGG19_OXFORD, find_weights

    for name in pretrained_names():
        package = resolve(f"pretrained:{name}", Settings.from_env())
        yield Finding(f"pretrained:{name}", True, f"digest {package.digest[:12]}, verified")
    for what, known, use in (
        ("VGG-19", VGG19_OXFORD, "the base variant, and the ruler of style distances"),
        ("SqueezeNet", SQUEEZENET, "LPIPS"),
    ):
        path = find_weights(known.name)
        cure = f"put {known.name} into a folder and set PENTIMENTO_WEIGHTS to it"
        yield Finding(what, path is not None, str(path or use), "" if path else cure)


def _data() -> Iterator[Finding]:
    from samples import PAINTINGS, PHOTOGRAPHS

    yield Finding("sample", True, f"{len(PHOTOGRAPHS)} photographs and {len(PAINTINGS)} paintings, embedded")
    assets = Path(os.environ.get("PENTIMENTO_ASSETS", Path(__file__).resolve().parents[2] / "shared" / "assets"))
    there = (assets / "index.csv").is_file()
    cure = "" if there else "set PENTIMENTO_ASSETS to the development assets; the sample serves without"
    yield Finding("assets", there, str(assets) if there else "real pictures for development", cure)


def _registry() -> Iterator[Finding]:
    from registry.settings import Settings

    settings = Settings.from_env()
    there = not settings.uses_database_directly or (settings.home / "mlflow.db").is_file()
    if not there:
        yield Finding("registry", False, f"none in {settings.home}", "`pentimento train configs/demo.yaml` makes one")
        return
    from registry.versions import Registry

    registry = Registry(settings)
    champion = registry.champion()
    serving = f"champion {champion.number}" if champion else "no champion"
    yield Finding("registry", True, f"{len(registry.versions())} versions, {serving}, in {settings.home}")


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (_machine, _gpu, _engines, _extras, _weights, _data, _registry)
