"""The OpenAPI document is true: schemathesis sends what it allows and what it forbids, over HTTP and in bounds."""

import itertools
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import bentoml
import hypothesis
import numpy as np
import pytest
import schemathesis
import uvicorn
from bentoml.exceptions import BentoMLException
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from PIL import Image
from prometheus_client import CollectorRegistry
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks
from service_world import picture

from service.metrics import Metrics
from service.openapi import openapi_document
from service.routes import application
from service.settings import ServiceSettings
from service.studio import Studio
from stylenet.images import Pixels
from stylenet.pictures import encode_picture, read_picture

pytestmark = pytest.mark.filterwarnings("ignore")
HELD = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
]


@pytest.fixture(scope="module")
def base_url(service_settings: ServiceSettings) -> Iterator[str]:
    """The whole application on a socket of its own."""
    settings = replace(service_settings, styles_writable=False, upload_timeout_s=2.0, stall_timeout_s=1.0)
    metrics = Metrics(CollectorRegistry())
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(_Opened(settings, metrics), log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(30)


class _Opened:
    """The application together with its studio's life, as `service.app` holds them."""

    def __init__(self, settings: ServiceSettings, metrics: Metrics) -> None:
        self.settings, self.metrics = settings, metrics

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "lifespan":
            await self.front(scope, receive, send)
            return
        await receive()
        self.studio = Studio(self.settings, self.metrics)
        self.front = application(self.studio, self.metrics)
        self.studio.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.studio.close()
        await send({"type": "lifespan.shutdown.complete"})


@pytest.mark.timeout(240)
def test_every_answer_is_one_that_the_document_promises(base_url, service_settings):
    wait_until_ready(base_url)
    files = [picture(32), picture(15), picture(32)[:100], b"", b"http://127.0.0.1:1/x.png"]
    schemathesis.openapi.format("binary", st.sampled_from(files) | st.binary(max_size=64))
    document = openapi_document(service_settings)
    form = document["paths"]["/v1/stylize"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    form["properties"]["style"]["enum"] = ["waves", "waves:0.5", "nobody"]  # or it would hardly ever name a style
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = base_url
    tried, statuses = set(), set()
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation, mode in itertools.product(operations, modes):
        tried.add(operation.label)

        @hypothesis.settings(
            max_examples=10 if "stylize" in operation.label else 5,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def hold(case: schemathesis.Case) -> None:
            answer = case.call()
            statuses.add(answer.status_code)
            case.validate_response(answer, checks=HELD)

        with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
            hold()  # what takes nothing cannot be sent anything wrong
    assert len(tried) == 13
    assert statuses >= {200, 201, 202, 400, 404, 415, 422}


def test_every_route_is_in_the_document_and_every_operation_has_a_route(service_settings):
    studio = Studio(service_settings, Metrics(CollectorRegistry()))
    routes = application(studio, studio.metrics)._application.routes
    served = {
        (route.path, method)
        for route in routes
        for method in route.methods - {"HEAD"}
        if not re.search(r"\.\w+$|^/$", route.path)  # the page's files, and the documents themselves
    }
    described = {
        (path, method.upper())
        for path, operations in openapi_document(service_settings)["paths"].items()
        for method in operations
    }
    assert served == described
    studio.library.close()


def test_bentomls_own_client_paints(base_url, photo: Pixels, tmp_path: Path):
    wait_until_ready(base_url)
    path = tmp_path / "photo.png"
    path.write_bytes(encode_picture(photo))
    with bentoml.SyncHTTPClient(base_url) as client:
        painted = client.stylize(image=path, style="waves", strength=0.5, keep_color=True, format="png")
        assert isinstance(painted, Image.Image)
        assert painted.size == (photo.shape[1], photo.shape[0])
        same = client.stylize(image=path, style="waves", strength=0.0)
        np.testing.assert_array_equal(np.asarray(same), read_picture(path))
        name = client.keep_photo(image=path)["photo"]
        assert client.stylize(photo=name, style="waves", max_side=64).size == (64, 48)
        with pytest.raises(BentoMLException, match="strength"):
            client.stylize(image=path, style="waves", strength=2.0)


def wait_until_ready(base_url: str) -> None:
    import httpx

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if httpx.get(f"{base_url}/readyz", trust_env=False).status_code == 200:
            return
        time.sleep(0.1)
    raise AssertionError("the service is not ready")
