"""The parts of two custom resources that our manifests use, as JSON schemas of our own.

KEDA's ScaledObject with its Prometheus scaler, and the Prometheus operator's ServiceMonitor (monitoring.coreos.com/v1);
not their CRDs, which are the authority (keda.sh/docs/latest/reference/scaledobject-spec). Closed on purpose: a field
that is not here is a slip of the pen until somebody looked it up and added it.
"""

from typing import Any


def closed(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


WHOLE = {"type": "integer", "minimum": 0}
TEXT = {"type": "string", "minLength": 1}
NUMBER_AS_TEXT = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}
METADATA = closed(
    {"name": TEXT, "namespace": TEXT, "labels": {"type": "object", "additionalProperties": TEXT}}, ("name",)
)
LABEL_SELECTOR = closed({"matchLabels": {"type": "object", "additionalProperties": TEXT}}, ("matchLabels",))
SCALING_RULES = closed(
    {
        "stabilizationWindowSeconds": {"type": "integer", "minimum": 0, "maximum": 3600},
        "selectPolicy": {"enum": ["Max", "Min", "Disabled"]},
        "policies": {
            "type": "array",
            "items": closed(
                {"type": {"enum": ["Pods", "Percent"]}, "value": WHOLE, "periodSeconds": WHOLE},
                ("type", "value", "periodSeconds"),
            ),
        },
    }
)
PROMETHEUS_TRIGGER = closed(
    {
        "type": {"const": "prometheus"},
        "name": TEXT,
        "metricType": {"const": "AverageValue"},  # the only kind that `fallback` works with
        "metadata": closed(
            {
                "serverAddress": {"type": "string", "pattern": "^https?://"},
                "query": TEXT,
                "threshold": NUMBER_AS_TEXT,
                "activationThreshold": NUMBER_AS_TEXT,
                "ignoreNullValues": {"enum": ["true", "false"]},
            },
            ("serverAddress", "query", "threshold", "ignoreNullValues"),
        ),
    },
    ("type", "metadata"),
)
SCALED_OBJECT = closed(
    {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "ScaledObject"},
        "metadata": METADATA,
        "spec": closed(
            {
                "scaleTargetRef": closed({"name": TEXT, "kind": TEXT, "apiVersion": TEXT}, ("name",)),
                "pollingInterval": WHOLE,
                "cooldownPeriod": WHOLE,
                "minReplicaCount": WHOLE,
                "maxReplicaCount": WHOLE,
                "fallback": closed(
                    {
                        "failureThreshold": WHOLE,
                        "replicas": WHOLE,
                        "behavior": {
                            "enum": ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]
                        },
                    },
                    ("failureThreshold", "replicas"),
                ),
                "advanced": closed(
                    {
                        "horizontalPodAutoscalerConfig": closed(
                            {"behavior": closed({"scaleUp": SCALING_RULES, "scaleDown": SCALING_RULES})}
                        )
                    }
                ),
                "triggers": {"type": "array", "minItems": 1, "items": PROMETHEUS_TRIGGER},
            },
            ("scaleTargetRef", "triggers"),
        ),
    },
    ("apiVersion", "kind", "metadata", "spec"),
)
SERVICE_MONITOR = closed(
    {
        "apiVersion": {"const": "monitoring.coreos.com/v1"},
        "kind": {"const": "ServiceMonitor"},
        "metadata": METADATA,
        "spec": closed(
            {
                "jobLabel": TEXT,
                "selector": LABEL_SELECTOR,
                "endpoints": {
                    "type": "array",
                    "minItems": 1,
                    "items": closed(
                        {
                            "port": TEXT,
                            "path": {"type": "string", "pattern": "^/"},
                            "interval": DURATION,
                            "scrapeTimeout": DURATION,
                        },
                        ("port",),
                    ),
                },
            },
            ("selector", "endpoints"),
        ),
    },
    ("apiVersion", "kind", "metadata", "spec"),
)
SCHEMAS = {"ScaledObject": SCALED_OBJECT, "ServiceMonitor": SERVICE_MONITOR}
