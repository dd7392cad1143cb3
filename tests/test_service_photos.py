"""Previews: photographs that are kept, answers that are smaller, styles that are mixed, and a library in pages."""

import io
from dataclasses import replace

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from service_world import opened, run

from service.errors import BadField, UnknownPhoto
from service.orders import style_shares
from service.photos import PhotoShelf, reduced, reduced_size
from stylenet.codes import mix
from stylenet.dials import Dials
from stylenet.pictures import encode_picture, read_picture


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def grey(width: int, height: int, level: int = 128) -> np.ndarray:
    return np.full((height, width, 3), level, dtype=np.uint8)


def size_of(answer: httpx.Response) -> tuple[int, int]:
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        return picture.size


async def kept(client: httpx.AsyncClient, image: bytes) -> str:
    answer = await client.post("/v1/photos", files={"image": ("x", image)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["photo"])


def test_a_kept_photograph_is_painted_as_the_file_itself(service_settings, photo):
    async def test() -> None:
        async with opened(service_settings) as (_, client, _front):
            name = await kept(client, encode_picture(photo))
            assert name == await kept(client, encode_picture(photo))  # the same photograph, the same name
            fields = {"style": "waves", "strength": "0.7"}
            by_name = await client.post("/v1/stylize", files={"photo": (None, name)}, data=fields)
            by_file = await client.post("/v1/stylize", files={"image": ("x", encode_picture(photo))}, data=fields)
            assert by_name.content == by_file.content

    run(test)


def test_max_side_makes_the_answer_smaller_and_never_larger(service_settings, photo):
    async def test() -> None:
        async with opened(service_settings) as (_, client, _front):
            name = await kept(client, encode_picture(photo))
            for source in ({"photo": (None, name)}, {"image": ("x", encode_picture(photo))}):
                for side, size in ((64, (64, 48)), (2048, (128, 96)), (16, (21, 16))):
                    fields = {"style": "waves", "max_side": str(side)}
                    assert size_of(await client.post("/v1/stylize", files=source, data=fields)) == size
            mask = np.zeros(photo.shape, dtype=np.uint8)
            files = {"photo": (None, name), "mask": ("m", encode_picture(mask))}
            masked = await client.post("/v1/stylize", files=files, data={"style": "waves", "max_side": "64"})
            np.testing.assert_array_equal(read_picture(masked.content), reduced(photo, 64))

    run(test)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("max_side", {"max_side": "15"}),
        ("max_side", {"max_side": "2049"}),
        ("max_side", {"max_side": "64.5"}),
        ("max_side", {"max_side": "all"}),
        ("photo", {"photo": "0" * 32}),
        ("photo", {"photo": "../../etc/passwd"}),
        ("image", {}),
        ("style", {"style": "waves:0.5,waves:0.5"}),
    ],
)
def test_what_cannot_be_asked_for_is_named(service_settings, photo, field, fields):
    async def test() -> None:
        async with opened(service_settings) as (_, client, _front):
            files = {} if field in ("photo", "image") else {"image": ("x", encode_picture(photo))}
            form = {name: (None, value) for name, value in {"style": "waves", **fields}.items()}
            answer = await client.post("/v1/stylize", files={**files, **form})
            assert answer.status_code == (404 if field == "photo" else 422)
            assert answer.json()["field"] == field

    run(test)


def test_a_mixture_is_the_weighted_mean_of_its_codes(service_settings, photo, tiny_engine):
    async def test() -> None:
        async with opened(replace(service_settings, styles_writable=True)) as (studio, client, _):
            studio.library.add("walls", [photo])
            image = encode_picture(photo)
            mixed = await client.post(
                "/v1/stylize", files={"image": ("x", image)}, data={"style": "waves:3,walls:1,waves2:0"}
            )
            assert mixed.status_code == 200, mixed.text  # a style of no weight need not exist
            codes = [studio.library.code(name, tiny_engine) for name in ("waves", "walls")]
            expected = tiny_engine.stylize(photo, mix(codes, [3, 1]), Dials())
            np.testing.assert_array_equal(read_picture(mixed.content), expected)
            studio.library.remove("walls")

    run(test)


@pytest.mark.parametrize(
    "text",
    ["", ",", "a,", ":1", "a:", "a:x", "a:-1", "a:nan", "a:inf", "a:0", "a:0,b:0", "a,a", "a:1_0", "a:1001", "a:٣"],
)
def test_a_mixture_that_is_none_is_refused(text):
    with pytest.raises(BadField):
        style_shares(text)


def test_one_style_and_weights_that_are_left_out():
    assert [(s.style, s.weight) for s in style_shares("waves")] == [("waves", 1.0)]
    assert [(s.style, s.weight) for s in style_shares(" a : 0.5 , b ")] == [("a", 0.5), ("b", 1.0)]
    with pytest.raises(BadField, match="at most 8"):
        style_shares(",".join(f"s{number}" for number in range(9)))


@given(st.integers(16, 2048), st.integers(16, 2048), st.integers(16, 2048))
def test_a_reduced_size_fits_can_be_painted_and_keeps_its_aspect(width, height, side):
    small = reduced_size(width, height, side)
    assert min(small) >= 16
    assert small[0] <= width
    assert small[1] <= height
    if min(small) > 16:
        assert max(small) <= side or small == (width, height)
        assert abs(small[0] / width - small[1] / height) <= 1 / min(width, height)


def test_the_shelf_keeps_what_was_used_last_within_its_pixels_and_its_time():
    clock = Clock()
    shelf = PhotoShelf(capacity_pixels=3 * 32 * 32, keep_s=10, clock=clock)
    first, second, third = (shelf.put(grey(32, 32, level)) for level in (1, 2, 3))
    assert len({first, second, third}) == 3
    shelf.get(first)
    fourth = shelf.put(grey(32, 32, 4))  # the second was used longest ago
    with pytest.raises(UnknownPhoto, match="send it again"):
        shelf.get(second)
    assert shelf.pixels == 3 * 32 * 32
    clock.now_s = 9
    assert shelf.get(fourth)[0, 0, 0] == 4
    clock.now_s = 18  # nine seconds after its last use
    assert shelf.get(fourth, 16).shape == (16, 16, 3)
    with pytest.raises(UnknownPhoto):
        shelf.get(first)
    other = PhotoShelf(capacity_pixels=10**6, keep_s=10)
    assert other.put(grey(32, 32, 1)) != first  # nobody can make up a name


def test_the_library_comes_in_pages_with_a_tag_that_spares_them(service_settings, painting):
    async def test() -> None:
        async with opened(service_settings) as (studio, client, _):
            for number in range(3):
                studio.library.add(f"page-{number}", [np.roll(painting, number + 1, axis=1)], tags=["paged"])
            seen, after = [], None
            while True:
                query = {"tag": "paged", "limit": "2", **({"after": after} if after else {})}
                page = (await client.get("/v1/styles", params=query)).json()
                assert page["total"] == 3
                seen += [style["name"] for style in page["styles"]]
                after = page["next"]
                if after is None:
                    break
            assert seen == ["page-0", "page-1", "page-2"]
            first = await client.get("/v1/styles")
            again = await client.get("/v1/styles", headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            studio.library.remove("page-0")
            changed = await client.get("/v1/styles", headers={"If-None-Match": first.headers["etag"]})
            assert changed.status_code == 200
            for wrong in ("0", "201", "x", "-1", "1.5"):
                assert (await client.get("/v1/styles", params={"limit": wrong})).json()["field"] == "limit"
            for number in (1, 2):
                studio.library.remove(f"page-{number}")

    run(test)


def test_styles_are_suggested_for_a_kept_photograph(service_settings, photo):
    async def test() -> None:
        async with opened(service_settings) as (_, client, _front):
            name = await kept(client, encode_picture(photo))
            answer = await client.get(f"/v1/photos/{name}/styles", params={"limit": "1"})
            assert [style["name"] for style in answer.json()["styles"]] == ["waves"]
            assert (await client.get("/v1/photos/unheard/styles")).status_code == 404

    run(test)


def test_every_file_of_the_page_is_served_under_its_name_and_spared_when_it_is_known(service_settings):
    async def test() -> None:
        async with opened(service_settings) as (_, client, _front):
            page = await client.get("/")
            assert page.content == (await client.get("/index.html")).content
            assert (await client.get("/page.css")).headers["content-type"].startswith("text/css")
            known = await client.get("/", headers={"If-None-Match": f'W/"x", {page.headers["etag"]}'})
            assert known.status_code == 304
            for beyond in ("/../settings.py", "/%2e%2e/settings.py", "/page", "/page/index.html", "/.hidden"):
                assert (await client.get(beyond)).status_code == 404

    run(test)
