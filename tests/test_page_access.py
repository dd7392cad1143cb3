"""The page for everybody: keyboard alone, a screen reader's names, contrast in light and dark, a phone's width."""

import time
from collections.abc import Callable

import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright")

from page_world import PHONE, Visitor, address, browser, visitor  # noqa: F401 (fixtures)
from playwright.sync_api import Browser, FileChooser, Page, expect

from stylenet.images import Pixels
from stylenet.pictures import encode_picture

CONTRAST = """() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const brush = canvas.getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        brush.clearRect(0, 0, 1, 1);
        brush.fillStyle = colour;
        brush.fillRect(0, 0, 1, 1);
        return [...brush.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => {
        const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const [x, y, z] = [r, g, b].map((value) => linear(value / 255));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = rgba(getComputedStyle(at).backgroundColor);
            if (colour[3] > 250) return colour;
        }
        return rgba("white");
    };
    const poor = [];
    for (const element of document.querySelectorAll("body *")) {
        const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!text || !element.checkVisibility() || element.closest(":disabled, .away, .skip, .tag")) continue;
        const [one, other] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (ratio < 4.5) poor.push(`${element.className} ${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return poor;
}"""


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.getAttribute('aria-label')"))


def tab_to(page: Page, name: str, most: int = 40) -> None:
    for _ in range(most):
        if focused(page) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached with the Tab key; it stands at {focused(page)}")


def wait_until(page: Page, holds: Callable[[], bool], what: str, most_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + most_s
    while not holds():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"{what} did not come within {most_s:.0f} s; the focus is on {focused(page)}")
        page.wait_for_timeout(50)  # lets the browser's events in


def test_everything_is_done_with_the_keyboard_alone(visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    choosers: list[FileChooser] = []
    page.on(
        "filechooser", lambda chooser: choosers.append(chooser)
    )  # long before the key, since Chromium is told of it without waiting
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the styles")).to_be_focused()
    tab_to(page, "choose")
    page.keyboard.press("Enter")
    wait_until(page, lambda: bool(choosers), "a file chooser")
    choosers[0].set_files({"name": "k.png", "mimeType": "image/png", "buffer": encode_picture(photo)})
    visitor.settled()
    expect(page.get_by_role("button", name="Replace photo")).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    tab_to(page, "divide")
    page.keyboard.press("End")
    expect(page.locator("#divide")).to_have_attribute("aria-valuetext", "100 % photograph, 0 % painting")
    tab_to(page, "search")
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "style":
            break
    page.keyboard.press("ArrowRight")
    expect(page.locator("#chosen")).to_have_text("Style 01")
    tab_to(page, "strength")
    page.keyboard.press("Home")
    expect(page.locator("output[for=strength]")).to_have_text("0 %")
    page.wait_for_timeout(100)
    visitor.settled()
    assert visitor.errors == []


def test_every_control_has_a_name_and_every_picture_says_what_it_is(visitor, photo: Pixels):  # noqa: F811
    page = visitor.arrive()
    visitor.bring(photo)
    page.get_by_role("radio", name="Mix").check(force=True)
    page.get_by_role("checkbox", name="Style 05").check(force=True)
    tree = page.locator("body").aria_snapshot()
    roles = ("button", "slider", "radio", "checkbox", "searchbox", "combobox", "textbox")
    nameless = [line.strip() for line in tree.splitlines() if line.strip(" -:").split(" [")[0].strip() in roles]
    assert nameless == []
    for name in ("Strength", "Fidelity", "Texture", "Semantics", "Weight of Style 05"):
        expect(page.get_by_role("slider", name=name)).to_be_visible()
    for name in ("Style", "Dials", "Mix"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Picture")).to_be_visible()
    expect(page.get_by_role("status").first).to_be_attached()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("img:not([alt])").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(browser: Browser, address: str, scheme: str, photo: Pixels):  # noqa: F811
    visitor = Visitor(browser, address, color_scheme=scheme)  # noqa: F811
    page = visitor.arrive()
    assert page.evaluate(CONTRAST) == []
    visitor.bring(photo)
    page.get_by_role("radio", name="Mix").check(force=True)
    page.locator("#file").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_role("alert").wait_for()
    page.get_by_role("button", name="Add a style").click()
    assert page.evaluate(CONTRAST) == []
    visitor.leave()


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_needs_no_sideways_scrolling_and_a_finger_finds_everything(
    browser: Browser,  # noqa: F811
    address: str,  # noqa: F811
    width: int,
    photo: Pixels,
):
    visitor = Visitor(browser, address, viewport={**PHONE, "width": width}, has_touch=True, is_mobile=True)  # noqa: F811
    page = visitor.arrive()
    visitor.bring(photo)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_role("button", name="Download full size")).to_be_in_viewport()
    page.get_by_role("slider", name="Semantics").scroll_into_view_if_needed()
    expect(page.get_by_role("img", name="The painting")).to_be_in_viewport()  # it stays in sight while one turns
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, label.button, .chip, .segments label, .tile, .check")]
            .filter((element) => element.checkVisibility()).map((element) => [element.textContent.trim(),
                Math.round(element.getBoundingClientRect().height)]).filter(([, height]) => height < 32)"""
    )
    assert small == []
    visitor.leave()


def test_the_page_is_small_and_asks_nobody_else(visitor):  # noqa: F811
    sizes: dict[str, int] = {}
    visitor.page.on("response", lambda answer: sizes.__setitem__(answer.url, len(answer.body())))
    visitor.arrive()
    files = {url: size for url, size in sizes.items() if "/v1/" not in url}
    assert 10 < len(files) < 25
    assert sum(files.values()) < 80_000
