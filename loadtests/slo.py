"""What is sent and what was promised: the SLO file, validated as it is read. `configs/slo.yaml` shows all of it."""

from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

EXAMPLE = "configs/slo.yaml"
Milliseconds = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Rate = Annotated[float, Field(gt=0, le=10_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class SloError(ValueError):
    """An SLO file that cannot be used. The message names the key."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Promise(_Entry):
    """What one endpoint promises. What is not stated is not promised, except that no answer may be wrong."""

    p50_ms: Milliseconds | None = None
    p95_ms: Milliseconds | None = None
    p99_ms: Milliseconds | None = None
    refused_p50_ms: Milliseconds | None = Field(default=None, description="of what was refused with 429 or 503")
    refused_p95_ms: Milliseconds | None = None
    refused_p99_ms: Milliseconds | None = None
    max_error_share: Share = 0.0
    max_shed_share: Share = 0.0
    minimum_requests: int = Field(default=1, ge=1)


class Phase(_Entry):
    """So many requests a second for so long. `endpoints` changes single promises for this phase."""

    name: str = Field(min_length=1, max_length=60)
    rate_per_s: Rate
    duration_s: Seconds
    settle_s: float = Field(default=0.0, ge=0, description="at its start, in which only wrong answers are judged")
    endpoints: dict[str, Promise] = {}

    @model_validator(mode="after")
    def _leaves_something_to_judge(self) -> Self:
        if self.settle_s >= self.duration_s:
            raise ValueError(f"settle_s={self.settle_s:g} leaves nothing of {self.duration_s:g} s; use less")
        return self

    def promises(self, base: dict[str, Promise]) -> dict[str, Promise]:
        """The file's promises with this phase's changes."""
        changed = {
            name: base.get(name, Promise()).model_copy(
                update={key: getattr(change, key) for key in change.model_fields_set}
            )
            for name, change in self.endpoints.items()
        }
        return base | changed


class Recovery(_Entry):
    """How soon after a phase the promises of the next one must hold, for good."""

    after: str
    within_s: Seconds
    endpoint: str = "stylize"


class Rise(_Entry):
    """A rate that is multiplied until a promise breaks. Each rung starts with nothing under way."""

    from_per_s: Rate
    factor: float = Field(default=1.25, gt=1, le=10)
    duration_s: Seconds = 20.0
    most_per_s: Rate = 1000.0

    def rung(self, index: int) -> Phase | None:
        """The index-th rate, as a phase; None beyond the highest."""
        rate = self.from_per_s * self.factor**index
        if rate > self.most_per_s * 1.0001:  # a product of floats may pass its own limit
            return None
        return Phase(name=f"{rate:.3g} per second", rate_per_s=rate, duration_s=self.duration_s)


class Shape(_Entry):
    """Either phases, one right after the other, or a rise until something breaks."""

    phases: list[Phase] = []
    recovery: Recovery | None = None
    rise: Rise | None = None
    minimum_per_s: Rate | None = Field(default=None, description="a rise must hold at least this")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if bool(self.phases) == (self.rise is not None):
            raise ValueError("give either phases or rise")
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names):
            raise ValueError(f"two phases have the same name; they are {', '.join(names)}")
        if self.recovery and self.recovery.after not in names[:-1]:
            raise ValueError(f"recovery.after={self.recovery.after!r} is no phase with one behind it")
        if self.minimum_per_s is not None and self.rise is None:
            raise ValueError("minimum_per_s belongs to a rise")
        return self


class Generator(_Entry):
    """When the one who sends was too slow to judge anybody."""

    max_lag_ms: Milliseconds = Field(default=250.0, description="later than that, a request was not sent on time")
    minimum_on_time_share: Share = 0.95


class Golden(_Entry):
    """How like what was painted when idle a painting must be under load."""

    min_ssim: Share = 0.95
    min_structure: Share = Field(default=0.4, description="of the photograph, that an idle painting must keep")


class Mix(_Entry):
    """How often each kind of request is sent, relative to the others."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    preview: float = Field(default=5, ge=0)
    picture: float = Field(default=2, ge=0)
    large: float = Field(default=0, ge=0)
    own_style: float = Field(default=0.5, ge=0, alias="own style")
    kept_photo: float = Field(default=0.5, ge=0, alias="kept photo")
    upload: float = Field(default=0.2, ge=0)
    styles: float = Field(default=1, ge=0)
    thumbnail: float = Field(default=0.5, ge=0)
    model: float = Field(default=1, ge=0)
    bad_input: float = Field(default=1, ge=0, alias="bad input")

    @model_validator(mode="after")
    def _sends_something(self) -> Self:
        if not sum(self.model_dump().values()):
            raise ValueError("every weight is 0; give at least one kind more than that")
        return self


class Slo(_Entry):
    """The whole file."""

    mix: Mix = Mix()
    endpoints: dict[str, Promise] = Field(min_length=1)
    shapes: dict[str, Shape] = Field(min_length=1)
    generator: Generator = Generator()
    golden: Golden = Golden()
    drain_s: Seconds = Field(default=30.0, description="how long answers are waited for after the last request")
    seed: int = 1

    @model_validator(mode="after")
    def _phases_change_what_there_is(self) -> Self:
        for name, shape in self.shapes.items():
            unknown = {endpoint for phase in shape.phases for endpoint in phase.endpoints} - set(self.endpoints)
            if unknown:
                raise ValueError(f"shapes.{name} promises for {min(unknown)!r}, which is not under endpoints")
        return self

    def shape(self, name: str) -> Shape:
        """One of the shapes.

        Raises:
            SloError: there is none of that name.
        """
        if name not in self.shapes:
            raise SloError(f"there is no shape {name!r} (have: {', '.join(self.shapes)}); add it under shapes:")
        return self.shapes[name]


def load_slo(path: Path) -> Slo:
    """Read an SLO file.

    Raises:
        SloError: unreadable, no YAML, an unknown key or an impossible value.
    """
    try:
        return Slo.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SloError(f"{path} cannot be read ({error.strerror}); {EXAMPLE} is an example") from error
    except yaml.YAMLError as error:
        raise SloError(f"{path} is no YAML ({error}); {EXAMPLE} is an example") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SloError(f"{path}: {where}: {first['msg']}; {EXAMPLE} is an example") from error
