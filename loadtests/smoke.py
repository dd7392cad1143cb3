"""The smoke run: look whether anybody is there, send the mix, judge. Importing this patches the process for gevent."""

import gevent.monkey

gevent.monkey.patch_all()  # before anything that opens sockets is imported

import json  # noqa: E402
import urllib.error  # noqa: E402
import urllib.request  # noqa: E402
from collections.abc import Callable  # noqa: E402

from loadtests.openloop import fire, schedule  # noqa: E402
from loadtests.shots import smoke_mix  # noqa: E402
from loadtests.slo import Slo  # noqa: E402
from loadtests.verdict import Verdict, judge  # noqa: E402

_FIRST_LOOK_S = 10.0


class CannotRun(Exception):
    """Nothing to test: no server, no model or no styles."""


class NoAnswer(Exception):
    """Somebody accepts connections and does not answer: that is a verdict, not an obstacle."""


def run_smoke(host: str, slo: Slo, *, tell: Callable[[str], None]) -> Verdict:
    """Send the smoke mix to `host` and judge the answers.

    Args:
        host: base URL.
        slo: promises and load.
        tell: told what is happening, one line at a time.
    """
    try:
        style_ids = _first_look(host, min(_FIRST_LOOK_S, slo.load.drain_s))
    except CannotRun as error:
        return Verdict(outcome="could_not_run", reason=str(error))
    except NoAnswer as error:
        return Verdict(outcome="failed", reason=str(error), requests=1, unanswered=1)
    load = slo.load
    arrivals = schedule(smoke_mix(style_ids), rate_per_s=load.rate_per_s, duration_s=load.duration_s, seed=load.seed)
    tell(f"sending {len(arrivals)} requests to {host} over {load.duration_s:g} s")
    records = fire(host, arrivals, drain_s=load.drain_s)
    return judge(records, slo, duration_s=load.duration_s)


def _first_look(host: str, timeout_s: float) -> list[str]:
    status, blob = _get(f"{host}/readyz", timeout_s)
    if status != 200:
        why = blob.decode("utf-8", "replace")[:300]
        raise CannotRun(f"{host} is not ready (GET /readyz gave {status}): {why}")
    status, blob = _get(f"{host}/v1/styles", timeout_s)
    try:
        ids = [str(style["id"]) for style in json.loads(blob)["styles"]] if status == 200 else []
    except (ValueError, KeyError, TypeError):
        ids = []
    if not ids:
        raise CannotRun(f"{host} has no styles (GET /v1/styles gave {status}); add one with `pentimento styles add`")
    return ids


def _get(url: str, timeout_s: float) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except TimeoutError as error:
        raise NoAnswer(f"{url} accepted the connection and did not answer within {timeout_s:g} s") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise NoAnswer(f"{url} did not answer within {timeout_s:g} s") from error
        raise CannotRun(f"nobody answers at {url} ({error.reason}); is the service running?") from error
    except OSError as error:
        raise CannotRun(f"{url} broke the connection ({error}); is it the service?") from error
