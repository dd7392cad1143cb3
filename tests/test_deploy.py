"""The Kubernetes manifests: valid, locked down, and of one mind with the service about ports, paths and metrics."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_schemas import SCHEMAS
from prometheus_client import CollectorRegistry

from service.metrics import Metrics
from service.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[1]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("cpu", "gpu")
WRITABLE = ("/var/lib/pentimento", "/var/lib/bentoml", "/tmp")
Manifests = dict[str, dict[str, Any]]


def rendered(folder: Path) -> Manifests:
    """What kustomize makes of a folder, by kind; each of ours occurs once."""
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, whose kustomize renders the overlays")
    built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60)
    assert built.returncode == 0, built.stderr
    documents = [document for document in yaml.safe_load_all(built.stdout) if document]
    assert len({document["kind"] for document in documents}) == len(documents)
    return {document["kind"]: document for document in documents}


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> Manifests:
    return rendered(KUBERNETES / "overlays" / request.param)


def composed(tmp_path: Path, *components: str) -> Manifests:
    """The base with other components than an overlay's, as an operator would write it."""
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    overlay = tmp_path / "kubernetes" / "overlays" / "own"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        yaml.safe_dump({"resources": ["../../base"], "components": [f"../../components/{name}" for name in components]})
    )
    return rendered(overlay)


def check(manifest: Mapping[str, Any]) -> None:
    """Raise unless a manifest fits its schema."""
    if manifest["kind"] in SCHEMAS:
        jsonschema = pytest.importorskip("jsonschema")
        jsonschema.validate(manifest, SCHEMAS[manifest["kind"]])
    else:
        kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="needs kubernetes-validate")
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def pod(manifests: Manifests) -> dict[str, Any]:
    return manifests["Deployment"]["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def container(manifests: Manifests) -> dict[str, Any]:
    [only] = pod(manifests)["containers"]
    return only  # type: ignore[no-any-return]


def environment(manifests: Manifests) -> dict[str, str]:
    plain = {entry["name"]: entry["value"] for entry in container(manifests)["env"]}
    return {**manifests["ConfigMap"]["data"], **plain}


def test_every_manifest_fits_its_schema(manifests):
    for manifest in manifests.values():
        check(manifest)


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("ScaledObject", ("spec", "triggers", 0, "metadata", "threshold"), 2),  # KEDA's metadata is text
        ("ScaledObject", ("spec", "fallbacks"), {}),
        ("ServiceMonitor", ("spec", "endpoints", 0, "scrape_interval"), "15s"),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "readinesProbe"), {}),
    ],
)
def test_a_slip_in_a_manifest_is_seen(kind, path, value):
    manifest = rendered(KUBERNETES / "overlays" / "cpu")[kind]
    check(manifest)
    place = manifest
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(Exception, match=str(path[-1])):
        check(manifest)


def test_every_selector_finds_the_pods(manifests):
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    for selector in (
        manifests["Deployment"]["spec"]["selector"]["matchLabels"],
        manifests["Service"]["spec"]["selector"],
        manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector
        assert selector.items() <= labels
    monitored = manifests["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items()
    assert monitored <= manifests["Service"]["metadata"]["labels"].items()
    assert manifests["ScaledObject"]["spec"]["scaleTargetRef"]["name"] == manifests["Deployment"]["metadata"]["name"]
    assert manifests["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1


def test_the_pod_has_no_rights_and_writes_only_into_scratch(manifests):
    assert pod(manifests)["securityContext"]["runAsNonRoot"] is True
    assert pod(manifests)["securityContext"]["runAsUser"] > 0
    assert pod(manifests)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(manifests)["automountServiceAccountToken"] is False
    rights = container(manifests)["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    volumes = {volume["name"]: volume for volume in pod(manifests)["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container(manifests)["volumeMounts"]}
    assert set(mounts) == set(WRITABLE)
    assert all("sizeLimit" in volume["emptyDir"] for volume in mounts.values())
    for name in ("PENTIMENTO_HOME", "BENTOML_HOME", "HOME", "TMPDIR"):
        assert environment(manifests)[name] in WRITABLE
    assert environment(manifests)["BENTOML_HOME"] != environment(manifests)["PENTIMENTO_HOME"]


def test_ports_probes_and_metrics_are_where_the_service_answers(manifests):
    routes = (ROOT / "service" / "routes.py").read_text()
    [port] = container(manifests)["ports"]
    assert f'"--port", "{port["containerPort"]}"' in dockerfile()
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container(manifests)[probe]["httpGet"]
        assert asked["port"] == port["name"]
        assert f'Route("{asked["path"]}"' in routes
    assert container(manifests)["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container(manifests)["livenessProbe"]["httpGet"]["path"] == "/livez"
    [served] = manifests["Service"]["spec"]["ports"]
    [scraped] = manifests["ServiceMonitor"]["spec"]["endpoints"]
    assert served["targetPort"] == port["name"]
    assert scraped["port"] == served["name"]
    assert f'Route("{scraped["path"]}"' in routes
    [entered] = manifests["NetworkPolicy"]["spec"]["ingress"]
    assert entered["ports"] == [{"port": port["name"], "protocol": "TCP"}]


def test_what_was_accepted_can_be_finished_before_the_pod_is_killed(manifests):
    settings = ServiceSettings.from_env(environment(manifests))  # every variable of ours works
    before = container(manifests)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert before + settings.drain_s < pod(manifests)["terminationGracePeriodSeconds"]
    assert manifests["Deployment"]["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert "replicas" not in manifests["Deployment"]["spec"]  # the autoscaler's


def test_the_autoscaler_asks_for_metrics_that_exist_and_never_takes_silence_for_rest(manifests):
    registry = CollectorRegistry()
    Metrics(registry)
    known = {sample.name for family in registry.collect() for sample in family.samples}
    spec = manifests["ScaledObject"]["spec"]
    asked = [trigger["metadata"] for trigger in spec["triggers"]]
    names = {name for trigger in asked for name in re.findall(r"pentimento_\w+", trigger["query"])}
    assert names == {"pentimento_queue_pixels", "pentimento_in_progress"}
    assert names <= known
    assert all(trigger["ignoreNullValues"] == "false" for trigger in asked)
    assert 1 < spec["fallback"]["replicas"] <= spec["maxReplicaCount"]
    assert 1 <= spec["minReplicaCount"] < spec["maxReplicaCount"]
    job = manifests["Service"]["metadata"]["labels"][manifests["ServiceMonitor"]["spec"]["jobLabel"]]
    assert all(f'job="{job}"' in trigger["query"] for trigger in asked)
    pixels = next(trigger for trigger in asked if "queue_pixels" in trigger["query"])
    assert float(pixels["threshold"]) < ServiceSettings.from_env({}).queue_pixels  # before a replica refuses


def test_the_plain_autoscaler_and_tokens_can_be_had_instead(tmp_path: Path):
    manifests = composed(tmp_path, "hpa", "tokens")
    for manifest in manifests.values():
        check(manifest)
    assert "ScaledObject" not in manifests
    target = manifests["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", manifests["Deployment"]["metadata"]["name"])
    tokens = Path(environment(manifests)["PENTIMENTO_TOKENS"])
    assert str(tokens.parent) in {mount["mountPath"] for mount in container(manifests)["volumeMounts"]}


def test_only_the_gpu_overlay_asks_for_a_gpu():
    for name in OVERLAYS:
        limits = container(rendered(KUBERNETES / "overlays" / name))["resources"]["limits"]
        assert ("nvidia.com/gpu" in limits) == (name == "gpu")


def dockerfile() -> str:
    return (ROOT / "deploy" / "docker" / "Dockerfile").read_text()


def test_the_image_is_not_root_and_writes_where_the_pod_lets_it():
    text = dockerfile()
    stages = text.split("\nFROM ")
    assert re.search(r"^USER (\d+):\1$", stages[-1], re.MULTILINE)
    assert f"USER {container_user()}:" in stages[-1]
    for folder in WRITABLE[:2]:
        assert f"={folder}" in stages[-1]
    assert "uv" not in stages[-1].split("ENV")[0]  # nothing that installs is left in the image
    uv = next(text for text in project()["optional-dependencies"]["dev"] if text.startswith("uv"))
    assert f'"{uv}"' in text


def container_user() -> int:
    deployment = yaml.safe_load((KUBERNETES / "base" / "deployment.yaml").read_text())
    return int(deployment["spec"]["template"]["spec"]["securityContext"]["runAsUser"])


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]  # type: ignore[no-any-return]
