"""`pentimento doctor`: what this machine has, and how to get the rest."""

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from cli.options import examples, json_option, print_json, table
from cli.outcome import COULD_NOT_RUN, Stop


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


@click.command(epilog=examples("pentimento doctor", "pentimento doctor --repair"))
@click.option("--repair", is_flag=True, help="Clean up what killed processes left behind.")
@json_option
def doctor(repair: bool, as_json: bool) -> None:
    """Look for processors, engines, weights, data, registry and styles, and for what killed processes left behind.

    It tells, it does not judge: always exits 0, unless --repair could not clean everything (4).
    """
    findings = [finding for look in LOOKS for finding in look()]
    leftovers, failures = _leftovers(repair)
    if as_json:
        print_json([asdict(finding) for finding in findings] + _as_findings(leftovers, repair))
    else:
        _print_findings(findings)
        _print_leftovers(leftovers, repair)
    for failure in failures:
        click.echo(f"error: {failure}", err=True)
    if failures and repair:
        raise Stop(COULD_NOT_RUN)


def _print_findings(findings: list[Finding]) -> None:
    print(table(("", "what", "found"), [("ok" if f.there else "--", f.what, f.found) for f in findings]))
    cures = [f for f in findings if f.cure]
    if cures:
        print("\nto get the rest:")
        for finding in cures:
            print(f"  {finding.what}: {finding.cure}")


def _print_leftovers(leftovers: list[dict[str, str]], repair: bool) -> None:
    if not leftovers:
        if repair:
            print("\nnothing was left behind")
        return
    print(
        "\ncleaned up:" if repair else "\nleft behind by killed processes (`pentimento doctor --repair` cleans it up):"
    )
    for entry in leftovers:
        print(f"  {entry['kind']} {entry['name']}: {entry['cure']}")


def _as_findings(leftovers: list[dict[str, str]], repair: bool) -> list[dict[str, object]]:
    cure = "cleaned up now" if repair else "pentimento doctor --repair"
    return [{"what": f"leftover {e['kind']}", "there": False, "found": e["name"], "cure": cure} for e in leftovers]


def _leftovers(repair: bool) -> tuple[list[dict[str, str]], list[str]]:
    """What was left behind, cleaned where that is asked for; and what could not be cleaned, in words."""
    from registry.errors import RegistryError
    from registry.leftovers import clean, find_leftovers
    from registry.settings import Settings

    settings = Settings.from_env()
    if not settings.home.is_dir() and settings.uses_database_directly:
        return [], []  # a look makes no folder
    try:
        found = find_leftovers(settings)
    except RegistryError as error:
        return [], [str(error)]
    named, failures = [], []
    for leftover in found:
        try:
            if repair:
                clean(leftover, settings)
        except RegistryError as error:
            failures.append(f"{leftover.kind} {leftover.name}: {error}")
        else:
            named.append({"kind": leftover.kind, "name": leftover.name, "cure": leftover.cure})
    return named, failures


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
        from runtime.openvino_core import openvino_core

        capabilities = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
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
    if not settings.has_registry:
        yield Finding("registry", False, f"none in {settings.home}", "`pentimento train configs/demo.yaml` makes one")
        return
    from registry.store import without_password
    from registry.versions import Registry

    registry = Registry(settings)
    champion = registry.champion()
    serving = f"champion {champion.number}" if champion else "no champion"
    where = without_password(settings.tracking_uri)
    yield Finding("registry", True, f"{len(registry.versions())} versions, {serving}, in {where}")


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (_machine, _gpu, _engines, _extras, _weights, _data, _registry)
