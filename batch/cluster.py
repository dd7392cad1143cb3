"""The same job on Ray Data: several workers, on this machine or a cluster, with the same bytes out.

Ray streams the orders through a pool of workers, holds back when outcomes are not taken, and starts a worker anew that
died; its order is then painted again, into the same bytes. Photographs, package and output folder must lie under the
same paths on every machine.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from batch.errors import ClusterError
from batch.pipeline import Order, Outcome, paint_order
from stylenet.codes import StyleCode
from stylenet.dials import Dials


class Worker:
    """One process with an engine of its own. Ray makes it.

    Args:
        package: the model package's folder.
        codes: every style's code, as bytes.
        threads: of torch: as many as the driver has, since the number decides the last bits of a sum.
    """

    def __init__(self, package: str, codes: Mapping[str, bytes], threads: int) -> None:
        import torch

        from runtime.loading import load_engine

        torch.set_num_threads(threads)
        self._engine = load_engine(package, "auto")
        self._codes = {name: StyleCode.from_bytes(blob) for name, blob in codes.items()}

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """An order as a dictionary -> its outcome as a dictionary."""
        order = Order(**{**row, "dials": Dials(**row["dials"])})
        return {**asdict(paint_order(order, self._engine, self._codes)), "worker": os.getpid()}


def paint_on_ray(
    orders: Iterable[Order],
    *,
    package: Path,
    codes: Mapping[str, StyleCode],
    workers: int,
    address: str | None = None,
) -> Iterator[Outcome]:
    """Paint orders on a cluster; outcomes come as they are finished.

    Args:
        package: folder of the model package.
        codes: of every style that the orders name.
        workers: how many processes, each with its own engine.
        address: of a cluster; None starts Ray on this machine for the time of the job.

    Raises:
        ClusterError: the cluster cannot be reached, or the job failed there.
    """
    import torch

    rows = [asdict(order) for order in orders]
    if not rows:
        return
    with _ray(address, workers) as ray:
        shipped = {name: code.to_bytes() for name, code in codes.items()}
        painted = ray.data.from_items(rows, override_num_blocks=min(len(rows), 8 * workers)).map(
            Worker,
            fn_constructor_args=(str(package.absolute()), shipped, torch.get_num_threads()),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        )
        try:
            for row in painted.iter_rows():
                yield Outcome(**row)
        except ray.exceptions.RayError as error:
            raise ClusterError(f"the job failed on Ray: {error}; run it again, it goes on where it was") from error


@contextmanager
def _ray(address: str | None, workers: int) -> Iterator[Any]:
    """Ray, connected; what was started here is stopped at the end."""
    import ray

    root = str(Path(__file__).resolve().parents[1])
    settings: dict[str, Any] = {
        "address": address,
        "log_to_driver": False,
        "include_dashboard": False,
        "configure_logging": False,
        "runtime_env": {"env_vars": {"PYTHONPATH": root}},
    }
    if address is None:
        settings |= {"num_cpus": workers}
    else:
        settings.pop("include_dashboard")
    try:
        ray.init(**settings)
    except Exception as error:  # a node that is too slow to start raises nothing more special
        raise ClusterError(
            f"Ray at {address or 'this machine'} cannot be used ({error}); check --ray-address"
        ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    try:
        yield ray
    finally:
        ray.shutdown()
