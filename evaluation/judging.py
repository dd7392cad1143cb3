"""One door for every command: whoever is to be judged, by reference, against whoever else; all is found and kept.

`pentimento evaluate`, the demo and scripts call `judge`; it opens the engines, picks the champion, keeps numbers in the
home's cache, runs here or on a cluster, and closes what it opened.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evaluation.foreign import is_foreign, open_foreign
from evaluation.harness import evaluate
from evaluation.methods import Method, Painter
from evaluation.pipeline import Here, Progress, Workers
from evaluation.scores import CANDIDATE, Report
from evaluation.settings import EvaluationSettings
from evaluation.soundness import check_weights
from registry.references import resolve
from registry.settings import Settings
from registry.versions import Registry, Version
from runtime.engine import Engine, EngineName
from runtime.loading import load_engine

Where = Literal["here", "ray"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rivals:
    """Whom a candidate is held against, by reference.

    Args:
        adain: the baseline that everybody is tuned to.
        champion: "auto" is the registry's champion, if there is one and it is not the candidate; "none" is nobody.
        others: model references, ONNX files, folders of finished pictures; each becomes a baseline of the report.
    """

    adain: str = "pretrained:adain"
    champion: str = "auto"
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What came out.

    Args:
        report: the scores.
        version: the registered version that was judged, None where it is none.
    """

    report: Report
    version: Version | None


def judge(
    model: str,
    *,
    data: Sequence[Path],
    out: Path,
    home: Settings,
    rivals: Rivals | None = None,
    settings: EvaluationSettings | None = None,
    engine: EngineName = "auto",
    where: Where = "here",
    keep: bool = True,
    progress: Progress | None = None,
) -> Judgement:
    """Judge a model reference, an ONNX file, or a folder of finished pictures, and write the report into `out`.

    Args:
        model: models:/..., pretrained:..., a package's folder, an .onnx file, or a folder of finished pictures.
        data: folders of pictures.
        out: where the report goes.
        home: where the registry and the cache are.
        rivals: whom it is held against.
        settings: which pairs, sizes and strengths.
        engine: what computes our packages.
        where: this process, or the Ray cluster that RAY_ADDRESS names (this machine's cores without it).
        keep: keep every pair's numbers in the home's cache and use what is kept there; else measure everything anew.
        progress: called before each step.

    Raises:
        DataError, MethodError: see `evaluation.harness.evaluate`; also weights that hold NaN.
        RegistryError, PackageError: a reference that cannot be resolved (from `registry` and `runtime`).
    """
    against, chosen = rivals or Rivals(), settings or EvaluationSettings()
    cache = home.home / "cache" / "evaluation" if keep else None
    with ExitStack() as stack:

        def load(reference: str) -> Engine:
            package = resolve(reference, home)
            check_weights(package)
            loaded = load_engine(package, engine)
            stack.callback(loaded.close)
            return loaded

        candidate: Engine | Method = open_foreign(Path(model), CANDIDATE) if is_foreign(Path(model)) else load(model)
        champion = _champion(against.champion, candidate, home)
        report = evaluate(
            candidate,
            data=list(data),
            out=out,
            adain=load(against.adain),
            champion=None if champion is None else load(champion),
            baselines=[_baseline(reference, load, cache) for reference in against.others],
            settings=chosen,
            cache=cache,
            workers=_workers(where, chosen, stack),
            progress=progress,
        )
    digest = report.candidate.digest
    return Judgement(report=report, version=None if digest is None else Registry(home).find(digest))


def _champion(asked: str, candidate: Engine | Method, home: Settings) -> str | None:
    """Which champion to compare with: none where there is none, or where it is the candidate itself."""
    if asked != "auto":
        return None if asked == "none" else asked
    version = Registry(home).champion()
    package: Any = getattr(candidate, "package", None)
    is_itself = version is not None and package is not None and package.digest == version.digest
    return None if version is None or is_itself else f"models:/pentimento/{version.number}"


def _baseline(reference: str, load: Callable[[str], Engine], cache: Path | None) -> Method:
    """Somebody else as a baseline: foreign, or a package of ours under its own name."""
    if is_foreign(Path(reference)):
        return open_foreign(Path(reference))
    engine = load(reference)
    return Painter(f"{engine.package.manifest.name}-{engine.package.digest[:8]}", engine, cache)


def _workers(where: Where, settings: EvaluationSettings, stack: ExitStack) -> Workers:
    if where == "here":
        return Here()
    from evaluation.cluster import RayWorkers

    workers = RayWorkers(settings)
    stack.callback(workers.close)
    return workers
