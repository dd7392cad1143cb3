"""The service's settings, read from the environment once, at start.

    PENTIMENTO_MODEL             models:/pentimento@champion (the default), models:/pentimento/3, a folder, ...
    PENTIMENTO_ENGINE            auto, openvino or torch
    PENTIMENTO_THREADS           threads of the CPU engine; every core by default
    PENTIMENTO_MAX_BYTES         most bytes of one request's body
    PENTIMENTO_MAX_PIXELS        most pixels (width x height) of one picture
    PENTIMENTO_QUEUE_PIXELS      most pixels waiting and being painted; more are answered 429
    PENTIMENTO_QUEUE_REQUESTS    most requests that are being received, waiting and painted
    PENTIMENTO_DEADLINE_S        seconds for a picture, from its arrival; then 504
    PENTIMENTO_UPLOAD_TIMEOUT_S  seconds for the body to arrive; then 408
    PENTIMENTO_STALL_TIMEOUT_S   seconds that a body may stand still; then 408
    PENTIMENTO_PHOTO_PIXELS      most pixels of uploaded photographs that are kept for previews
    PENTIMENTO_POLL_S            seconds between two looks at the alias that is followed
    PENTIMENTO_CHALLENGER        models:/pentimento@challenger: a second version beside the first; none by default
    PENTIMENTO_CHALLENGER_SHARE  which part of the requests it gets, 0 to 1
    PENTIMENTO_CHALLENGER_MODE   share: its pictures are the answers; shadow: they are measured and thrown away
    PENTIMENTO_MAX_BATCH         most pictures of one size that the engine paints at once (8 on a GPU, else 1)
    PENTIMENTO_DRAIN_S           seconds to finish what was accepted after SIGTERM
    PENTIMENTO_TOKENS            a file of hashed bearer tokens (`pentimento tokens`); without one nobody needs a token
    PENTIMENTO_LOG_FORMAT        json (one object a line, the default) or text
    PENTIMENTO_SEED_STYLES       whether Pentimento's own paintings are put into the style library at start
    PENTIMENTO_STYLES_WRITABLE   whether the style library may be changed over HTTP

PENTIMENTO_HOME, MLFLOW_TRACKING_URI and PENTIMENTO_STYLES_URL are the registry's (`registry.settings`).
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from registry.settings import Settings
from runtime.engine import EngineName
from service.errors import ServiceSettingsError
from stylenet.pictures import MAX_PIXELS

MEBIBYTE = 2**20
ChallengerMode = Literal["share", "shadow"]
LogFormat = Literal["json", "text"]
YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceSettings:
    """Everything that the service may be told. See the module for each one's variable."""

    registry: Settings
    model: str = "models:/pentimento@champion"
    engine: EngineName = "auto"
    threads: int | None = None
    max_bytes: int = 32 * MEBIBYTE
    max_pixels: int = MAX_PIXELS
    queue_pixels: int = 4 * MAX_PIXELS
    queue_requests: int = 64  # each holds at most 1 MB of its body in memory until it is admitted, the rest on disk
    deadline_s: float = 60.0
    upload_timeout_s: float = 30.0
    stall_timeout_s: float = 10.0
    photo_pixels: int = 4 * MAX_PIXELS
    photo_keep_s: float = 900.0
    poll_s: float = 10.0
    challenger: str | None = None
    challenger_share: float = 0.1
    challenger_mode: ChallengerMode = "share"
    max_batch: int | None = None  # as many as pay where the engine paints
    drain_s: float = 25.0
    tokens: Path | None = None
    log_format: LogFormat = "json"
    style_cache_size: int = 512  # codes of some KB each
    retry_s: float = 15.0  # until the next try at a model that could not be loaded
    seed_styles: bool = True
    styles_writable: bool = False

    @staticmethod
    def from_env(env: Mapping[str, str] | None = None) -> "ServiceSettings":
        """Read the environment; what is not set stays at its default.

        Raises:
            ServiceSettingsError: a value that cannot work; the message names the variable and a value that can.
            RegistryError: the same for one of the registry's variables.
        """
        values = os.environ if env is None else env
        readers: dict[str, tuple[str, Callable[[str, str], Any]]] = {
            "model": ("PENTIMENTO_MODEL", _text),
            "engine": ("PENTIMENTO_ENGINE", _one_of(EngineName)),
            "threads": ("PENTIMENTO_THREADS", _whole),
            "max_bytes": ("PENTIMENTO_MAX_BYTES", _whole),
            "max_pixels": ("PENTIMENTO_MAX_PIXELS", _pixels),
            "queue_pixels": ("PENTIMENTO_QUEUE_PIXELS", _whole),
            "queue_requests": ("PENTIMENTO_QUEUE_REQUESTS", _whole),
            "deadline_s": ("PENTIMENTO_DEADLINE_S", _seconds),
            "upload_timeout_s": ("PENTIMENTO_UPLOAD_TIMEOUT_S", _seconds),
            "stall_timeout_s": ("PENTIMENTO_STALL_TIMEOUT_S", _seconds),
            "photo_pixels": ("PENTIMENTO_PHOTO_PIXELS", _whole),
            "poll_s": ("PENTIMENTO_POLL_S", _seconds),
            "challenger": ("PENTIMENTO_CHALLENGER", _text),
            "challenger_share": ("PENTIMENTO_CHALLENGER_SHARE", _share),
            "challenger_mode": ("PENTIMENTO_CHALLENGER_MODE", _one_of(ChallengerMode)),
            "max_batch": ("PENTIMENTO_MAX_BATCH", _whole),
            "drain_s": ("PENTIMENTO_DRAIN_S", _seconds),
            "tokens": ("PENTIMENTO_TOKENS", lambda _, text: Path(text)),
            "log_format": ("PENTIMENTO_LOG_FORMAT", _one_of(LogFormat)),
            "seed_styles": ("PENTIMENTO_SEED_STYLES", _yes_or_no),
            "styles_writable": ("PENTIMENTO_STYLES_WRITABLE", _yes_or_no),
        }
        given = {
            field: parse(name, values[name].strip())
            for field, (name, parse) in readers.items()
            if values.get(name, "").strip()
        }
        return ServiceSettings(registry=Settings.from_env(values), **given)


def _text(_: str, text: str) -> str:
    return text


def _one_of(words: Any) -> Callable[[str, str], str]:
    """A reader of one of a Literal's words."""

    def read(name: str, text: str) -> str:
        if text not in get_args(words):
            raise ServiceSettingsError(f"{name}={text!r} is not known; use one of {', '.join(get_args(words))}")
        return text

    return read


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ServiceSettingsError(f"{name}={text!r} is not a whole number from 1; for example {name}=64")
    return int(text)


def _pixels(name: str, text: str) -> int:
    pixels = _whole(name, text)
    if pixels > MAX_PIXELS:
        raise ServiceSettingsError(f"{name}={text!r} is more than the network's {MAX_PIXELS}; use at most that")
    return pixels


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds <= 0:
        raise ServiceSettingsError(f"{name}={text!r} is not a positive number of seconds; for example {name}=30")
    return seconds


def _share(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise ServiceSettingsError(f"{name}={text!r} is no share; use a number from 0 to 1, for example {name}=0.1")
    return share


def _yes_or_no(name: str, text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ServiceSettingsError(f"{name}={text!r} is neither yes nor no; use 1 or 0")
    return text.lower() in YES
