"""The page at /, in real Chromium against the real service: what a visitor does, and what is sent for it."""

import io
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright")

from page_world import STYLES, Visitor, address, browser, visitor  # noqa: F401 (fixtures)
from PIL import Image
from playwright.sync_api import Browser, Page, Request, Route, expect

from stylenet.images import Pixels
from stylenet.pictures import encode_picture, read_picture


def turn(page: Page, dial: str, value: str) -> None:
    page.get_by_role("slider", name=dial).fill(value)


def order_of(page: Page, visitor: Visitor) -> str:  # noqa: F811
    """Turn one more dial, fidelity to .3, and return the form of the order that is sent for it."""

    def is_it(request: Request) -> bool:
        return request.url.endswith("/v1/stylize") and field(form_of(request), "fidelity") == "0.3"

    with page.expect_request(is_it) as request:
        turn(page, "Fidelity", "0.3")
    visitor.settled()
    return form_of(request.value)


def form_of(request: Request) -> str:
    return (request.post_data_buffer or b"").decode("utf-8", "replace")


def field(form: str, name: str) -> str:
    found = re.search(rf'name="{name}"\r\n\r\n(.*?)\r\n', form)
    return found[1] if found else ""


def test_a_photograph_is_painted_compared_and_downloaded_at_its_own_size(visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    visitor.bring(photo)
    expect(page.get_by_role("img", name="The painting")).to_be_visible()
    divider = page.get_by_role("slider", name="Divider between photograph and painting")
    assert divider.get_attribute("aria-valuetext") == "50 % photograph, 50 % painting"
    divider.fill("80")
    assert divider.get_attribute("aria-valuetext") == "80 % photograph, 20 % painting"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download full size").click()
    assert download.value.suggested_filename == "house-style-00.png"
    assert read_picture(Path(download.value.path())).shape == photo.shape
    expect(page.locator("#status")).to_have_text("The painting is saved at full size.")
    assert visitor.errors == []


def test_turning_dials_repaints_without_sending_the_photograph_again(visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    visitor.bring(photo)
    before = page.locator("#after").get_attribute("src")
    for value in ("0.9", "0.4", "0.1"):
        turn(page, "Strength", value)
    form = order_of(page, visitor)
    assert (field(form, "strength"), field(form, "format")) == ("0.1", "jpeg")
    assert page.locator("#after").get_attribute("src") != before
    assert visitor.sent.count("POST /v1/photos") == 1
    page.get_by_role("button", name="Reset").click()
    form = order_of(page, visitor)
    assert field(form, "strength") == "1"


def test_a_photograph_that_the_service_forgot_is_sent_again_by_itself(browser: Browser, visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    visitor.bring(photo)
    other = Visitor(browser, visitor.address)
    for shade in (40, 90, 140):
        other.arrive()
        other.bring(photo // 2 + shade // 2)
    other.leave()
    turn(page, "Strength", "0.5")
    page.wait_for_timeout(300)
    visitor.settled()
    assert visitor.sent.count("POST /v1/photos") == 2
    expect(page.get_by_role("alert")).to_be_hidden()


def test_styles_are_found_by_words_and_come_in_pages(visitor):  # noqa: F811
    page = visitor.arrive()
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(48)
    expect(page.locator("#found")).to_have_text(f"{STYLES} styles")
    page.get_by_role("button", name="Show more styles").click()
    expect(tiles).to_have_count(STYLES)
    expect(page.get_by_role("radio", name="Style 48")).to_be_focused()
    page.get_by_role("searchbox", name="Search the styles").fill("Style 17")
    expect(tiles).to_have_count(1)
    page.get_by_role("radio", name="Style 17").check(force=True)
    page.get_by_role("searchbox").fill("no such thing")
    expect(page.locator("#nothing")).to_be_visible()
    expect(page.locator("#chosen")).to_have_text("Style 17")  # found or not, it stays chosen


def test_several_styles_are_mixed_by_weight(visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    visitor.bring(photo)
    page.get_by_role("radio", name="Mix").check(force=True)
    page.get_by_role("checkbox", name="Style 03").check(force=True)
    page.get_by_role("slider", name="Weight of Style 03").fill("100")
    assert field(order_of(page, visitor), "style") == "style-00:0.5,style-03:1"
    expect(page.locator("#weights output").first).to_have_text("33 %")
    page.get_by_role("button", name="Remove Style 00 from the mix").click()
    assert field(order_of(page, visitor), "style") == "style-03"
    page.get_by_role("radio", name="One", exact=True).check(force=True)
    expect(page.get_by_role("radio", name="Style 03")).to_be_checked()


def test_a_style_of_ones_own_is_kept_in_the_library_or_used_once(visitor, photo, painting: Pixels):  # noqa: F811
    page = visitor.arrive()
    visitor.bring(photo)
    page.get_by_role("button", name="Add a style").click()
    dialog = page.get_by_role("dialog", name="A style of your own")
    dialog.get_by_role("button", name="Use this style").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Choose a picture first")
    file = {"name": "bold-strokes.png", "mimeType": "image/png", "buffer": encode_picture(painting)}
    dialog.locator("input[type=file]").set_input_files(file)
    expect(dialog.get_by_role("textbox", name="Name")).to_have_value("bold strokes")
    dialog.get_by_role("button", name="Use this style").click()
    expect(page.locator("#chosen")).to_have_text("bold strokes")
    assert field(order_of(page, visitor), "style") == "bold-strokes"
    page.get_by_role("button", name="Add a style").click()
    dialog.locator("input[type=file]").set_input_files(file)
    dialog.get_by_role("button", name="Use this style").click()
    expect(dialog.get_by_role("alert")).to_contain_text("already")  # the service's own words
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Use this style").click()
    expect(page.locator("#chosen")).to_have_text("bold strokes (your own picture)")
    with page.expect_response("**/v1/stylize") as answer:
        turn(page, "Fidelity", "0.1")
    assert answer.value.ok
    visitor.settled()


def test_a_file_that_is_no_picture_is_refused_in_words_and_leaves_the_old_one(visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    visitor.bring(photo)
    page.locator("#file").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This file is not a picture that can be read")
    expect(alert).to_contain_text("use one of PNG, JPEG")
    page.get_by_role("button", name="Dismiss").click()
    expect(alert).to_be_hidden()
    turn(page, "Strength", "0.7")
    visitor.settled()
    expect(alert).to_be_hidden()


def test_a_picture_that_only_the_service_can_read_is_shown_through_it(visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    stored = io.BytesIO()
    Image.fromarray(photo).save(stored, "TIFF")
    page.locator("#file").set_input_files({"name": "x.tiff", "mimeType": "image/tiff", "buffer": stored.getvalue()})
    visitor.settled()
    expect(page.locator("#before")).to_have_js_property("naturalWidth", photo.shape[1])


def test_a_picture_larger_than_the_limit_is_made_smaller_first(visitor):  # noqa: F811
    page = visitor.arrive()
    large = io.BytesIO()
    Image.new("RGB", (2600, 2000), (90, 120, 160)).save(large, "PNG")
    page.locator("#file").set_input_files({"name": "large.png", "mimeType": "image/png", "buffer": large.getvalue()})
    expect(page.locator("#name")).to_contain_text("large · 2335 × 1796 px", timeout=30_000)


def test_a_busy_service_is_asked_again_when_it_says_so_and_a_lost_one_on_request(visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    visitor.bring(photo)
    busy = '{"type": "urn:pentimento:problem:queue-full", "detail": "the service is busy"}'
    refusals = [{"status": 429, "headers": {"Retry-After": "1"}, "body": busy}]

    def refuse_once(route: Route) -> None:
        route.fulfill(**refusals.pop()) if refusals else route.continue_()

    page.route("**/v1/stylize", refuse_once)
    turn(page, "Strength", "0.6")
    expect(page.locator("#caption")).to_have_text("the service is busy")
    visitor.settled()
    page.unroute("**/v1/stylize")
    page.route("**/v1/stylize", lambda route: route.abort())
    turn(page, "Strength", "0.5")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/v1/stylize")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    visitor.settled()


def test_where_a_token_is_asked_for_the_page_asks_once_and_sends_it(visitor, photo: Pixels):  # noqa: F811
    def guard(route: Route) -> None:
        if route.request.headers.get("authorization") == "Bearer secret":
            route.continue_()
        else:
            body = '{"type": "urn:pentimento:problem:unauthorized", "detail": "send a token"}'
            route.fulfill(status=401, body=body, content_type="application/problem+json")

    page = visitor.page
    page.route("**/v1/**", guard)
    page.goto(visitor.address)
    dialog = page.get_by_role("dialog", name="This service asks for a token")
    dialog.get_by_label("Token").fill("secret")
    dialog.get_by_role("button", name="Continue").click()
    page.locator(".tile img").first.wait_for()
    visitor.bring(photo)
    expect(page.locator(".tile img").first).to_have_js_property("complete", True)
    assert page.evaluate("document.querySelector('.tile img').naturalWidth") > 0


def test_a_pasted_picture_is_taken(visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    page.evaluate(
        """(bytes) => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: files, bubbles: true }));
        }""",
        list(encode_picture(photo)),
    )
    visitor.settled()
    expect(page.locator("#name")).to_contain_text("pasted")
