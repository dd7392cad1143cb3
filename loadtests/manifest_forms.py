"""The parts of Kubernetes' and KEDA's objects that say how much is scaled, when and how fast; with their defaults."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

FallbackBehaviour = Literal["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]


class _Form(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class PolicyForm(_Form):
    """One of `policies`."""

    type: Literal["Pods", "Percent"]
    value: int = Field(gt=0)
    period_seconds: float = Field(gt=0, le=1800)


class Rules(_Form):
    """`scaleUp` or `scaleDown`."""

    stabilization_window_seconds: float | None = Field(default=None, ge=0, le=3600)
    select_policy: Literal["Max", "Min", "Disabled"] = "Max"
    policies: list[PolicyForm] | None = None


class BehaviourForm(_Form):
    """`behavior` of an HPA."""

    scale_up: Rules = Rules()
    scale_down: Rules = Rules()


class HpaConfig(_Form):
    """What KEDA hands on to the HPA that it makes."""

    behavior: BehaviourForm = BehaviourForm()


class Advanced(_Form):
    """`advanced` of a ScaledObject."""

    horizontal_pod_autoscaler_config: HpaConfig = HpaConfig()


class Metadata(_Form):
    """What the Prometheus scaler asks."""

    query: str = Field(min_length=1)
    threshold: float = Field(gt=0)
    activation_threshold: float = 0.0
    ignore_null_values: bool = True


class TriggerForm(_Form):
    """One of `triggers`; of the only kind that `fallback` works with."""

    type: Literal["prometheus"]
    name: str | None = None
    metric_type: Literal["AverageValue"] = "AverageValue"
    metadata: Metadata


class FallbackForm(_Form):
    """`fallback` of a ScaledObject."""

    failure_threshold: int = Field(ge=1)
    replicas: int = Field(ge=0)
    behavior: FallbackBehaviour = "static"


class ScaledObjectSpec(_Form):
    """Its `spec`."""

    min_replica_count: int = Field(default=0, ge=0)
    max_replica_count: int = Field(default=100, ge=1)
    cooldown_period: float = Field(default=300, ge=0)
    fallback: FallbackForm | None = None
    advanced: Advanced = Advanced()
    triggers: list[TriggerForm] = Field(min_length=1)


class ScaledObject(_Form):
    """keda.sh/v1alpha1."""

    kind: Literal["ScaledObject"]
    spec: ScaledObjectSpec


class Sleep(_Form):
    """A hook that only waits."""

    seconds: float = 0


class PreStop(_Form):
    """Before SIGTERM."""

    sleep: Sleep = Sleep()


class Lifecycle(_Form):
    """A container's hooks."""

    pre_stop: PreStop = PreStop()


class Container(_Form):
    """One container of a pod."""

    lifecycle: Lifecycle = Lifecycle()


class PodSpec(_Form):
    """`spec` of a pod."""

    termination_grace_period_seconds: float = 30
    containers: list[Container] = Field(min_length=1)


class Template(_Form):
    """Of pods."""

    spec: PodSpec


class DeploymentSpec(_Form):
    """Its `spec`."""

    template: Template


class Deployment(_Form):
    """apps/v1."""

    kind: Literal["Deployment"]
    spec: DeploymentSpec


class Endpoint(_Form):
    """What is scraped, and how often."""

    interval: str = Field(pattern=r"^\d+s$")

    @property
    def seconds(self) -> float:
        """The interval."""
        return float(self.interval.removesuffix("s"))


class MonitorSpec(_Form):
    """Its `spec`."""

    endpoints: list[Endpoint] = Field(min_length=1)


class ServiceMonitor(_Form):
    """monitoring.coreos.com/v1."""

    kind: Literal["ServiceMonitor"]
    spec: MonitorSpec
