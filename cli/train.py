"""`pentimento train`: from a configuration to a registered candidate."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import examples, json_option, print_json, progress_bar, say

if TYPE_CHECKING:
    from training.loop import StepReport


@click.command(
    epilog=examples("pentimento train configs/demo.yaml", "pentimento train configs/assets.yaml --fresh --json")
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--fresh", is_flag=True, help="Start anew, even if an interrupted run of that name could go on.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; all cores by default.")
@json_option
def train(config: Path, fresh: bool, threads: int | None, as_json: bool) -> None:
    """Train as CONFIG says, in two stages; track the run in MLflow; register the result with alias candidate.

    Interrupted, the same command goes on at the last checkpoint and ends with the same weights. On several GPUs, or
    several machines: torchrun --nproc-per-node 8 --no-python pentimento train CONFIG.
    """
    import torch

    from registry.settings import Settings
    from training.config import load_config
    from training.runs import train as run_training
    from training.workers import this_worker

    settings = Settings.from_env()
    loaded = load_config(config)
    if threads is not None:
        torch.set_num_threads(threads)
    with progress_bar() as advance:

        def show(report: "StepReport") -> None:
            text = f"stage {report.stage} of 2, step {report.step}/{report.steps}, loss {report.total:.3f}"
            advance(report.step + (report.stage - 1) * report.steps, 2 * report.steps, text)

        result = run_training(loaded, settings, progress=show, fresh=fresh)
    if not this_worker().is_first:
        return
    version = result.version
    if as_json:
        print_json(
            {
                "version": version.number,
                "reference": f"models:/pentimento/{version.number}",
                "digest": version.digest,
                "run_id": result.run_id,
                "package": str(result.package.folder),
            }
        )
        return
    print(f"registered pentimento/{version.number} as candidate (digest {version.digest[:12]}, run {result.run_id})")
    say(f"next: pentimento evaluate models:/pentimento/{version.number} --data sample --out build/evaluation")
