"""The service over real HTTP: one BentoML server with the tiny network, a real registry and a real style library."""

import io
import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from registry_world import settings_in

from registry.settings import Settings
from registry.styles import StyleLibrary
from registry.versions import Registry
from service.launch import running_service
from stylenet.images import Pixels
from stylenet.pictures import encode_picture, read_picture

MAX_BYTES = 300_000


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, tiny_package: Path, photo: Pixels, painting: Pixels) -> Settings:
    """A registry with one version, and a library with two styles."""
    settings = settings_in(tmp_path_factory.mktemp("service-home"))
    Registry(settings).register(tiny_package)
    library = StyleLibrary.from_settings(settings)
    library.add("waves", [painting], title="Waves", tags=["bold"])
    library.add("walls", [photo, painting], title="Walls")
    library.close()
    return settings


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[httpx.Client]:
    """A client of the real service, which serves the alias `candidate`."""
    environment = {
        "PENTIMENTO_HOME": str(settings.home),
        "PENTIMENTO_SEED_STYLES": "0",
        "PENTIMENTO_MAX_BYTES": str(MAX_BYTES),
        "PENTIMENTO_THREADS": "1",
        "MLFLOW_TRACKING_URI": "",
        "PENTIMENTO_STYLES_URL": "",
    }
    with (
        running_service("models:/pentimento@candidate", environment=environment) as base_url,
        httpx.Client(base_url=base_url, timeout=60, trust_env=False) as client,
    ):
        yield client


def stylize(client: httpx.Client, image: bytes, **fields: str) -> httpx.Response:
    return client.post("/v1/stylize", files={"image": ("x", image)}, data={"style": "waves", **fields})


def problem(answer: httpx.Response, status: int) -> str:
    """Check that it is a problem of that status, and return what it says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["instance"].endswith(answer.headers["x-request-id"])
    return str(body["detail"])


def stored(picture: Image.Image, picture_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, picture_format, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and then holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(333, 517), (853, 1280), (128, 85), (16, 16)])
@pytest.mark.parametrize("picture_format", ["png", "jpeg", "webp"])
def test_a_picture_comes_back_at_exactly_its_size_in_the_asked_format(client, photo, size, picture_format):
    image = stored(Image.fromarray(photo).resize(size), "JPEG")
    answer = stylize(client, image, format=picture_format)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == f"image/{picture_format}"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == size
        assert picture.format == picture_format.upper()


def test_an_answer_names_the_version_the_package_and_every_stage(client, photo, settings):
    answer = stylize(client, encode_picture(photo))
    version = Registry(settings).get("candidate")
    assert answer.headers["x-model-version"] == version.name == "pentimento/1"
    assert answer.headers["x-model-digest"] == version.digest
    stages = re.findall(r"(\w+);dur=[\d.]+", answer.headers["server-timing"])
    assert stages == ["decode", "wait", "encode_style", "stylize", "encode"]
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_request_id_is_kept_where_it_is_harmless_and_replaced_where_it_is_not(client):
    assert client.get("/livez", headers={"X-Request-Id": "my-id.1"}).headers["x-request-id"] == "my-id.1"
    assert client.get("/livez", headers={"X-Request-Id": "a b<script>"}).headers["x-request-id"] != "a b<script>"


def test_strength_0_returns_the_input_bit_for_bit(client, photo):
    answer = stylize(client, encode_picture(photo), strength="0")
    np.testing.assert_array_equal(read_picture(answer.content), photo)


def test_the_same_request_gives_the_same_bytes_and_other_dials_give_others(client, photo):
    image = encode_picture(photo)
    first, again = stylize(client, image).content, stylize(client, image).content
    assert first == again
    assert stylize(client, image, strength="0.5").content != first
    assert stylize(client, image, keep_color="true").content != first


def test_an_uploaded_style_picture_paints_as_the_library_style_made_of_it(client, photo, painting):
    files = {"image": ("x", encode_picture(photo)), "style_image": ("s", encode_picture(painting))}
    uploaded = client.post("/v1/stylize", files=files)
    assert uploaded.status_code == 200, uploaded.text
    assert uploaded.content == stylize(client, encode_picture(photo)).content


def test_a_mask_says_where_to_paint(client, photo):
    mask = np.zeros(photo.shape, dtype=np.uint8)
    mask[:, 64:] = 255
    files = {"image": ("x", encode_picture(photo)), "mask": ("m", encode_picture(mask))}
    painted = read_picture(client.post("/v1/stylize", files=files, data={"style": "waves"}).content)
    np.testing.assert_array_equal(painted[:, :48], photo[:, :48])
    assert (painted[:, 80:] != photo[:, 80:]).any()


def odd_pictures() -> dict[str, tuple[bytes, tuple[int, int]]]:
    """Pictures that are stored in other ways than 8-bit RGB, with the size that comes back."""
    gradient = Image.linear_gradient("L").resize((90, 60))
    rgb = Image.merge("RGB", [gradient, gradient.transpose(Image.Transpose.ROTATE_180), gradient])
    rgba = rgb.copy()
    rgba.putalpha(gradient)
    deep = Image.fromarray(np.asarray(gradient).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6  # lying on its side: a quarter turn makes it upright
    return {
        "RGBA": (stored(rgba, "PNG"), (90, 60)),
        "grey": (stored(gradient, "JPEG"), (90, 60)),
        "CMYK": (stored(rgb.convert("CMYK"), "JPEG"), (90, 60)),
        "16-bit": (stored(deep, "PNG"), (90, 60)),
        "palette": (stored(rgb.convert("P"), "PNG"), (90, 60)),
        "rotated by EXIF": (stored(rgb, "JPEG", exif=exif), (60, 90)),
        "TIFF": (stored(rgb, "TIFF"), (90, 60)),
        "BMP": (stored(rgb, "BMP"), (90, 60)),
    }


@pytest.mark.parametrize("kind", odd_pictures())
def test_pictures_of_other_kinds_are_painted_upright_and_without_metadata(client, kind):
    image, size = odd_pictures()[kind]
    answer = stylize(client, image, format="jpeg")
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.size, picture.mode, len(picture.getexif())) == (size, "RGB", 0)


def test_bytes_that_are_no_picture_are_unreadable(client, photo):
    jpeg = encode_picture(photo, "jpeg")
    assert "not a picture" in problem(stylize(client, b"only words\n"), 400)
    assert "cut short" in problem(stylize(client, jpeg[: len(jpeg) // 2]), 400)
    assert "empty" in problem(stylize(client, b""), 400)


def test_a_header_of_30000x30000_is_refused_without_decoding(client):
    assert "4,194,304" in problem(stylize(client, png_header(30000, 30000)), 413)


def test_a_header_just_over_the_limit_is_refused_and_the_limit_itself_is_read(client):
    assert "2049x2048" in problem(stylize(client, png_header(2049, 2048)), 413)
    assert "cut short" in problem(stylize(client, png_header(2048, 2048)), 400)


def test_too_many_bytes_are_refused_by_announcement_and_by_count(client):
    assert f"{MAX_BYTES:,}" in problem(stylize(client, b"x" * (MAX_BYTES + 1)), 413)

    def endless() -> Iterator[bytes]:  # chunked: no Content-Length to believe
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        for _ in range(40):
            yield b"x" * 10_000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert f"{MAX_BYTES:,}" in problem(client.post("/v1/stylize", content=endless(), headers=headers), 413)


def test_a_picture_in_another_format_and_a_body_of_another_type_are_unsupported(client, photo):
    assert "PNG" in problem(stylize(client, stored(Image.fromarray(photo), "GIF")), 415)
    assert "multipart/form-data" in problem(client.post("/v1/stylize", json={"image": "x"}), 415)
    assert "multipart/form-data" in problem(client.post("/v1/stylize", content=b"x"), 415)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"no form at all"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    ],
)
def test_a_form_that_is_none_is_broken(client, content_type, body):
    problem(client.post("/v1/stylize", content=body, headers={"Content-Type": content_type}), 400)


@pytest.mark.parametrize("value", ["1.01", "-0.1", "nan", "inf", "much", "true", "1e999"])
def test_a_dial_out_of_range_is_named(client, photo, value):
    answer = stylize(client, encode_picture(photo), fidelity=value)
    assert "fidelity" in problem(answer, 422)
    assert answer.json()["field"] == "fidelity"


def test_fields_that_are_missing_unknown_doubled_or_of_the_wrong_kind_are_named(client, photo):
    image = encode_picture(photo)
    refused = [
        ("image", client.post("/v1/stylize", files={"style": (None, "waves")})),
        ("style", client.post("/v1/stylize", files={"image": ("x", image)})),
        ("stength", stylize(client, image, stength="1")),
        ("format", stylize(client, image, format="gif")),
        ("keep_color", stylize(client, image, keep_color="maybe")),
        ("style", client.post("/v1/stylize", files={"image": ("x", image), "style": ("s", b"waves")})),
        ("image", client.post("/v1/stylize", files=[("image", ("x", image))] * 2, data={"style": "waves"})),
    ]
    for field, answer in refused:
        assert field in problem(answer, 422)
        assert answer.json()["field"] == field


def test_both_kinds_of_style_at_once_are_refused(client, photo):
    files = {"image": ("x", encode_picture(photo)), "style_image": ("s", encode_picture(photo))}
    assert "either" in problem(client.post("/v1/stylize", files=files, data={"style": "waves"}), 422)


def test_an_address_in_a_file_field_is_refused_and_never_fetched(client):
    fields = {"image": (None, "http://127.0.0.1:1/secret.png"), "style": (None, "waves")}
    assert "not fetched" in problem(client.post("/v1/stylize", files=fields), 422)


@pytest.mark.parametrize("path", ["/docs.json", "/is_ready", "/healthz", "/static_content/", "/stylize", "/submit"])
def test_no_route_of_the_framework_is_reachable(client, path):
    problem(client.get(path), 404)
    problem(client.post(path, json={"image": "http://127.0.0.1:1/x"}), 404)


def test_a_picture_that_is_too_small_or_a_mask_of_another_size_is_refused(client, photo):
    assert "at least 16" in problem(stylize(client, stored(Image.new("RGB", (15, 40)), "PNG")), 422)
    files = {"image": ("x", encode_picture(photo)), "mask": ("m", encode_picture(photo[:50]))}
    assert "128x50" in problem(client.post("/v1/stylize", files=files, data={"style": "waves"}), 422)


def test_an_unknown_style_is_not_found_and_the_message_says_which_there_are(client, photo):
    assert "waves" in problem(stylize(client, encode_picture(photo), style="no-such"), 404)
    problem(client.get("/v1/styles/no-such"), 404)
    problem(client.get("/v1/styles/no-such/thumbnail"), 404)


def test_a_wrong_method_or_path_is_a_problem_too(client):
    answer = client.get("/v1/stylize")
    problem(answer, 405)
    assert answer.headers["allow"] == "POST"
    problem(client.get("/v2/everything"), 404)


def test_pages_of_other_sites_may_not_paint_or_change_the_library(client, photo):
    files = {"image": ("x", encode_picture(photo))}
    headers = {"Origin": "https://elsewhere.example"}
    problem(client.post("/v1/stylize", files=files, data={"style": "waves"}, headers=headers), 403)
    problem(client.delete("/v1/styles/waves", headers=headers), 403)


def test_the_library_is_listed_shown_and_pictured(client):
    styles = {style["name"]: style for style in client.get("/v1/styles").json()["styles"]}
    assert styles.keys() >= {"waves", "walls"}
    assert styles["walls"]["pictures"] == 2
    assert client.get(f"/v1/styles/{styles['waves']['id']}").json() == styles["waves"]
    thumbnail = client.get(styles["waves"]["thumbnail"])
    with Image.open(io.BytesIO(thumbnail.content)) as picture:
        assert thumbnail.headers["content-type"] == f"image/{(picture.format or '').lower()}"
    unchanged = client.get(styles["waves"]["thumbnail"], headers={"If-None-Match": thumbnail.headers["etag"]})
    assert unchanged.status_code == 304


def test_a_style_is_added_used_and_removed(client, photo):
    files = [("picture", ("a", encode_picture(photo[:64]))), ("picture", ("b", encode_picture(photo[32:])))]
    added = client.post("/v1/styles", files=files, data={"name": "two-walls", "tags": "test,walls"})
    assert added.status_code == 201, added.text
    assert added.headers["location"] == f"/v1/styles/{added.json()['id']}"
    assert stylize(client, encode_picture(photo), style="two-walls").status_code == 200
    assert "two-walls" in problem(client.post("/v1/styles", files=files, data={"name": "two-walls"}), 409)
    assert client.delete("/v1/styles/two-walls").status_code == 204
    problem(stylize(client, encode_picture(photo), style="two-walls"), 404)


def test_a_style_that_cannot_be_added_says_why(client, photo):
    picture = [("picture", ("a", encode_picture(photo)))]
    problem(client.post("/v1/styles", files=picture, data={"name": "Not A Slug!"}), 422)
    problem(client.post("/v1/styles", files=picture), 422)
    problem(client.post("/v1/styles", files={"name": (None, "no-picture")}), 422)
    problem(client.post("/v1/styles", files=[("picture", ("a", b"words"))], data={"name": "words"}), 400)


def test_probes_and_the_model_say_what_is_served(client, settings):
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 200
    model = client.get("/v1/model").json()
    assert model["digest"] == Registry(settings).get("candidate").digest
    assert model["state"] == "ready"
    assert model["limits"]["max_bytes"] == MAX_BYTES
    assert model["engine"]["name"] in ("openvino", "torch")


def test_metrics_have_bounded_labels(client, photo):
    stylize(client, encode_picture(photo))
    for number in range(5):
        client.get(f"/v1/styles/never-{number}")
        client.request(f"VERB{number}", f"/unheard-of/{number}")
    text = client.get("/metrics").text
    assert 'pentimento_requests_total{method="POST",route="stylize",status="200"}' in text
    assert "pentimento_stage_seconds_bucket" in text
    assert "pentimento_queue_pixels 0.0" in text
    assert 'pentimento_model_info{digest="' in text
    assert "never-" not in text
    assert "unheard-of" not in text
    assert "VERB" not in text


def test_the_page_asks_no_other_host_for_anything(client):
    for path, kind in (("/", "text/html"), ("/page.js", "javascript"), ("/page.css", "text/css"), ("/icon.svg", "svg")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        assert set(re.findall(r"https?://[\w.]+", answer.text)) <= {"http://www.w3.org"}  # the SVG namespace
    assert "default-src 'none'" in client.get("/").headers["content-security-policy"]


def test_after_all_of_this_the_service_still_paints_and_nothing_was_our_fault(client, photo):
    assert stylize(client, encode_picture(photo)).status_code == 200
    text = client.get("/metrics").text
    assert 'status="500"' not in text
    assert "pentimento_in_progress 0.0" in text
    assert json.loads(client.get("/v1/model").text)["state"] == "ready"
