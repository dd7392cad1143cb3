"""What was promised: the SLO file, validated as it is read."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Milliseconds = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class SloError(ValueError):
    """An SLO file that cannot be used. The message names the key."""


class Load(BaseModel):
    """How much is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate_per_s: float = Field(default=3.0, gt=0, le=10_000)
    duration_s: float = Field(default=20.0, gt=0, le=86_400)
    drain_s: float = Field(default=30.0, gt=0, description="how long answers are waited for after the last request")
    seed: int = 1


class Promise(BaseModel):
    """What one endpoint promises. What is not stated is not promised, except that no answer may be wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    p50_ms: Milliseconds | None = None
    p95_ms: Milliseconds | None = None
    p99_ms: Milliseconds | None = None
    max_error_share: Share = 0.0
    max_shed_share: Share = 0.0
    minimum_requests: int = Field(default=1, ge=1)


class Slo(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    load: Load = Load()
    minimum_on_time_share: Share = Field(default=0.95, description="of the requests, sent when they should have been")
    max_lag_ms: Milliseconds = Field(default=250.0, description="later than that, a request was not sent on time")
    endpoints: dict[str, Promise] = Field(min_length=1)


def load_slo(path: Path) -> Slo:
    """Read an SLO file.

    Raises:
        SloError: unreadable, no YAML, an unknown key or an impossible value.
    """
    try:
        return Slo.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SloError(f"{path} cannot be read ({error.strerror}); configs/slo-smoke.yaml is an example") from error
    except yaml.YAMLError as error:
        raise SloError(f"{path} is no YAML ({error}); configs/slo-smoke.yaml is an example") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SloError(f"{path}: {where}: {first['msg']}") from error
