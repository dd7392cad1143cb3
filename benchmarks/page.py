"""How long the page takes to answer a dial: real Chromium, the shipped weights, the service on this machine.

    python benchmarks/page.py PHOTO [--turns 30] [--home FOLDER]

Prints JSON. A turn is one step of the fidelity dial; its answer counts when the draft's picture is decoded and shown.
Needs Chromium on the path, or PENTIMENTO_CHROMIUM.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, this folder is first on the path instead of the project's

from playwright.sync_api import Page, sync_playwright  # noqa: E402 (after the path, as what follows)

from service.launch import running_service  # noqa: E402

TURN = """(value) => new Promise((done) => {
    const [dial, after] = [document.querySelector("#fidelity"), document.querySelector("#after")];
    const shown = new MutationObserver(async () => {
        shown.disconnect();
        await after.decode().catch(() => {});
        done({ ms: performance.now() - begun, side: Math.max(after.naturalWidth, after.naturalHeight) });
    });
    shown.observe(after, { attributes: true, attributeFilter: ["src"] });
    const begun = performance.now();
    dial.value = value;
    dial.dispatchEvent(new Event("input", { bubbles: true }));
})"""


def measure(page: Page, turns: int) -> dict[str, object]:
    """Turn the dial from rest, one answer after the other."""
    seen = [page.evaluate(TURN, 0.1 + 0.8 * (turn % 9) / 9) for turn in range(turns)]
    times = sorted(turn["ms"] for turn in seen[turns // 4 :])  # the first ones find the size that is quick enough here
    return {
        "turns": len(times),
        "median_ms": round(statistics.median(times)),
        "p95_ms": round(times[int(0.95 * (len(times) - 1))]),
        "within_250_ms": round(sum(ms <= 250 for ms in times) / len(times), 3),
        "sides_px": sorted({turn["side"] for turn in seen[turns // 4 :]}),
        "load_average": os.getloadavg()[0],
    }


def main() -> int:
    """Start the service, drive the page, print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--home", type=Path, help="a PENTIMENTO_HOME whose library is filled; a new one by default")
    arguments = parser.parse_args()
    chromium = os.environ.get("PENTIMENTO_CHROMIUM") or shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory() as home,
        running_service("pretrained:compact", environment={"PENTIMENTO_HOME": str(arguments.home or home)}) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        page.locator(".tile").first.wait_for()
        page.locator("#file").set_input_files(arguments.photo)
        page.locator("#caption", has_text="Preview").wait_for()
        print(json.dumps(measure(page, arguments.turns)))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
