"""Exit codes, and how an error becomes one line."""

import os
import sys
from collections.abc import Callable
from typing import Any

import click

PASSED, REJECTED, COULD_NOT_RUN, INCONCLUSIVE = 0, 3, 4, 5  # 1 is Python's own for a crash, 2 is click's for bad usage
WRONG_USAGE, INTERRUPTED = 2, 130


class Stop(Exception):
    """End the command with an exit code; whatever is to be said has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def run_politely(command: Callable[[], Any]) -> int:
    """Run a command and return its exit code. Errors raised on purpose are one line; others keep their traceback."""
    try:
        result = command()
        sys.stdout.flush()
        return result if isinstance(result, int) else PASSED
    except Stop as stop:
        return stop.code
    except click.Abort:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:  # `pentimento versions | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PASSED
    except ImportError as error:
        extra = missing_extra(error)
        if extra is None:
            raise
        print(f"error: {error.name} is not installed; pip install 'pentimento[{extra}]'", file=sys.stderr)
        return COULD_NOT_RUN
    except Exception as error:
        if not is_ours(error):
            raise
        print(f"error: {error}", file=sys.stderr)
        return COULD_NOT_RUN


def is_ours(error: BaseException) -> bool:
    """Whether an error was raised on purpose, with a message for people: its class is from one of our folders."""
    ours = (
        *("batch", "cli", "evaluation", "motion", "registry", "runtime", "samples", "service", "stylenet", "training"),
        "video",
    )
    return type(error).__module__.split(".")[0] in ours


def missing_extra(error: ImportError) -> str | None:
    """The extra that installs a missing package, if one of ours does."""
    extras = {
        "mlflow": "registry",
        "sqlalchemy": "registry",
        "onnx": "train",
        "onnxscript": "train",
        "lpips": "evaluate",
        "pytorch_msssim": "evaluate",
        "pandas": "evaluate",
        "jinja2": "evaluate",
        "plotly": "evaluate",
        "pyarrow": "evaluate",
        "torchvision": "evaluate",
        "alembic": "registry",
        "fsspec": "registry",
        "s3fs": "team",
        "psycopg": "team",
        "bentoml": "serve",
        "locust": "load",
        "openvino": "cpu",
        "av": "video",
        "cv2": "video",
        "ray": "ray",
    }
    return extras.get((error.name or "").split(".")[0])
