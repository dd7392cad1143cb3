"""What the page's tests share: one real service with a library of many styles, and real Chromium."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from registry_world import settings_in

from registry.styles import StyleLibrary
from service.launch import running_service
from stylenet.images import Pixels
from stylenet.pictures import encode_picture

STYLES = 50  # more than one page of them
CHROMIUM = os.environ.get("PENTIMENTO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, tiny_package: Path) -> Iterator[str]:
    """The service's address; its library holds style-00, style-01, ..."""
    if not CHROMIUM:
        pytest.skip("needs Chromium on the path (Debian: chromium), or PENTIMENTO_CHROMIUM")
    settings = settings_in(tmp_path_factory.mktemp("page-home"))
    library = StyleLibrary.from_settings(settings)
    noise = np.random.default_rng(0)
    for number in range(STYLES):
        pixels = noise.integers(0, 256, (24, 24, 3), dtype=np.uint8).repeat(2, axis=0).repeat(2, axis=1)
        library.add(f"style-{number:02}", [pixels], title=f"Style {number:02}", tags=["noise"])
    library.close()
    environment = {
        "PENTIMENTO_HOME": str(settings.home),
        "PENTIMENTO_SEED_STYLES": "0",
        "PENTIMENTO_THREADS": "1",
        "PENTIMENTO_PHOTO_PIXELS": str(2 * 96 * 128),  # a second photograph pushes the first one out
        "MLFLOW_TRACKING_URI": "",
        "PENTIMENTO_STYLES_URL": "",
    }
    with running_service(str(tiny_package), environment=environment) as base_url:
        yield base_url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    if not CHROMIUM:
        pytest.skip("needs Chromium on the path (Debian: chromium), or PENTIMENTO_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visitor:
    """One visitor's page: notes every request to another host and every error in the console."""

    def __init__(self, browser: Browser, address: str, **options: object) -> None:
        self.address = address
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.sent: list[str] = []
        self._context = browser.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("request", lambda request: self._note(request.method, request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)

    def _note(self, method: str, url: str) -> None:
        self.sent.append(f"{method} {url.removeprefix(self.address)}")
        if not url.startswith((self.address + "/", "blob:" + self.address)):
            self.foreign.append(url)

    def arrive(self) -> Page:
        """Open the page and wait for the library."""
        self.page.goto(self.address)
        self.page.locator(".tile").first.wait_for()
        return self.page

    def bring(self, photo: Pixels, name: str = "house.png") -> None:
        """Choose a photograph and wait for its painting at rest."""
        file = {"name": name, "mimeType": "image/png", "buffer": encode_picture(photo)}
        self.page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
        self.settled()

    def settled(self) -> None:
        """Wait for a painting that no draft will replace."""
        self.page.locator("#stage[data-state=painted][aria-busy=false]").wait_for()
        self.page.locator("#caption", has_text="Preview").wait_for()

    def leave(self) -> None:
        """Close the page."""
        self._context.close()


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    """A visitor with a large screen who does without errors and other hosts."""
    visitor = Visitor(browser, address)
    yield visitor
    visitor.leave()
    assert visitor.foreign == []
