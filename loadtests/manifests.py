"""What deploy/kubernetes says about scaling, read from there, so that no number stands in two places."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from loadtests.manifest_forms import (
    Deployment,
    FallbackBehaviour,
    Rules,
    ScaledObject,
    ServiceMonitor,
    TriggerForm,
)
from loadtests.scaling import DOWN, SYNC_S, UP, Behaviour, Bounds, Policy

KUBERNETES = Path(__file__).resolve().parent.parent / "deploy" / "kubernetes"
SCALED_OBJECT = KUBERNETES / "components" / "keda" / "scaledobject.yaml"
DEPLOYMENT = KUBERNETES / "base" / "deployment.yaml"
SERVICE_MONITOR = KUBERNETES / "components" / "monitoring" / "servicemonitor.yaml"

T = TypeVar("T", bound=BaseModel)


class ManifestError(ValueError):
    """A manifest that cannot be used. The message names the file and the key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """One question to Prometheus, and how much of its answer one replica should have.

    Args:
        null_is_zero: KEDA's `ignoreNullValues`: whether no answer means none, or is an error.
    """

    name: str
    query: str
    threshold: float
    activation_threshold: float = 0.0
    null_is_zero: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Fallback:
    """What to do when a trigger failed more than `failure_threshold` times in a row."""

    failure_threshold: int
    replicas: int
    behaviour: FallbackBehaviour = "static"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaling:
    """Everything about scaling that the manifests say, and the HPA's own period, which stands in no manifest."""

    bounds: Bounds
    triggers: tuple[Trigger, ...]
    cooldown_s: float
    scrape_s: float
    sync_s: float = SYNC_S
    fallback: Fallback | None = None
    before_stop_s: float = 0.0  # pre_stop: until every proxy has heard
    grace_s: float = 30.0  # from the decision to SIGKILL, pre_stop included

    def faster(self, factor: float) -> "Scaling":
        """Shorter periods of the autoscaler and of Prometheus; processes begin and end as slowly as ever."""
        return replace(
            self,
            bounds=replace(self.bounds, up=_faster(self.bounds.up, factor), down=_faster(self.bounds.down, factor)),
            cooldown_s=self.cooldown_s / factor,
            scrape_s=self.scrape_s / factor,
            sync_s=self.sync_s / factor,
        )


def load_scaling(
    scaled_object: Path = SCALED_OBJECT, deployment: Path = DEPLOYMENT, monitor: Path = SERVICE_MONITOR
) -> Scaling:
    """Read the three manifests.

    Raises:
        ManifestError: unreadable, no YAML, a missing key or an impossible value.
    """
    spec = _read(scaled_object, ScaledObject).spec
    pod = _read(deployment, Deployment).spec.template.spec
    behaviour = spec.advanced.horizontal_pod_autoscaler_config.behavior
    return Scaling(
        bounds=Bounds(
            minimum=spec.min_replica_count,
            maximum=spec.max_replica_count,
            up=_behaviour(behaviour.scale_up, UP),
            down=_behaviour(behaviour.scale_down, DOWN),
        ),
        triggers=tuple(_trigger(trigger, number) for number, trigger in enumerate(spec.triggers)),
        cooldown_s=spec.cooldown_period,
        scrape_s=_read(monitor, ServiceMonitor).spec.endpoints[0].seconds,
        fallback=None
        if spec.fallback is None
        else Fallback(
            failure_threshold=spec.fallback.failure_threshold,
            replicas=spec.fallback.replicas,
            behaviour=spec.fallback.behavior,
        ),
        before_stop_s=pod.containers[0].lifecycle.pre_stop.sleep.seconds,
        grace_s=pod.termination_grace_period_seconds,
    )


def _behaviour(rules: Rules, otherwise: Behaviour) -> Behaviour:
    """The rules, with Kubernetes' own where they say nothing."""
    window_s = rules.stabilization_window_seconds
    return Behaviour(
        stabilisation_s=otherwise.stabilisation_s if window_s is None else window_s,
        policies=otherwise.policies
        if rules.policies is None
        else tuple(Policy(kind=p.type, value=p.value, period_s=p.period_seconds) for p in rules.policies),
        select=rules.select_policy,
    )


def _faster(behaviour: Behaviour, factor: float) -> Behaviour:
    policies = tuple(replace(policy, period_s=policy.period_s / factor) for policy in behaviour.policies)
    return replace(behaviour, stabilisation_s=behaviour.stabilisation_s / factor, policies=policies)


def _trigger(trigger: TriggerForm, number: int) -> Trigger:
    asked = trigger.metadata
    return Trigger(
        name=trigger.name or f"trigger {number}",
        query=asked.query,
        threshold=asked.threshold,
        activation_threshold=asked.activation_threshold,
        null_is_zero=asked.ignore_null_values,
    )


def _read(path: Path, form: type[T]) -> T:
    try:
        return form.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ManifestError(
            f"{path} cannot be read ({error.strerror}); run from a checkout, or name another"
        ) from error
    except yaml.YAMLError as error:
        raise ManifestError(f"{path} is no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ManifestError(f"{path}: {where}: {first['msg']}") from error
