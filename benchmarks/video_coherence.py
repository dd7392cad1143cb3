"""How much steadier a film is that is painted as a film: against the same frames painted one by one.

    python -m benchmarks.video_coherence FRAMES_FOLDER --style night-swirls --style great-wave --out build/coherence

FRAMES_FOLDER holds the frames of one shot as pictures. Prints one JSON document; writes both paintings of every style.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from cli.stylize import style_code
from evaluation.content_metrics import ssim
from evaluation.temporal import score_film
from registry.references import resolve
from registry.settings import Settings
from runtime.loading import load_engine
from stylenet.dials import Dials
from stylenet.images import Pixels, to_image
from stylenet.pictures import read_picture, write_picture
from video.coherence import FilmPainter

STYLES = ("night-swirls", "great-wave", "harbour-impasto")


def main() -> None:
    """Measure every style and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", type=Path)
    parser.add_argument("--count", type=int, default=20, help="how many frames, from the first")
    parser.add_argument("--style", action="append", help="picture or library name")
    parser.add_argument("--model", default="pretrained:compact")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--no-lpips", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    frames = [read_picture(path) for path in sorted(arguments.frames.glob("*.png"))[: arguments.count]]
    settings = Settings.from_env()
    engine = load_engine(resolve(arguments.model, settings), arguments.engine)
    rows = {}
    for style in arguments.style or STYLES:
        code = style_code(style, engine, settings)
        alone = [engine.stylize(frame, code) for frame in frames]
        painter = FilmPainter(engine, Dials())
        together = [painter.paint(frame, code) for frame in frames]
        rows[Path(style).stem] = row = compare(frames, alone, together, with_lpips=not arguments.no_lpips)
        row["per_frame_ms"] = painter.costs.per_frame_ms(len(frames))
        print(f"{style}: {row}", file=sys.stderr, flush=True)
        if arguments.out:
            for name, paintings in (("alone", alone), ("together", together)):
                for number, painting in enumerate(paintings):
                    write_picture(painting, arguments.out / Path(style).stem / f"{name}-{number:03d}.png")
    print(json.dumps({"frames": len(frames), "engine": engine.name, "digest": engine.package.digest, "styles": rows}))


def compare(
    frames: list[Pixels], alone: list[Pixels], together: list[Pixels], *, with_lpips: bool
) -> dict[str, object]:
    """Both ways of painting, beside one another."""
    one, other = (score_film(frames, paintings, with_lpips=with_lpips) for paintings in (alone, together))
    row: dict[str, object] = {}
    for name, scores in (("alone", one), ("together", other)):
        row[name] = {
            "short_added_error": scores.short.added_error,
            "short_added_root_error": scores.short.added_root_error,
            "long_added_error": scores.long.added_error,
            "short_added_lpips": scores.short.added_lpips,
            "long_added_lpips": scores.long.added_lpips,
        }
    row["short_ratio"] = other.short.added_error / one.short.added_error
    row["long_ratio"] = other.long.added_error / one.long.added_error
    row["ssim_alone"], row["ssim_together"] = (mean_ssim(paintings, frames) for paintings in (alone, together))
    return row


def mean_ssim(paintings: list[Pixels], frames: list[Pixels]) -> float:
    """SSIM of every painting to its frame, on average."""
    pairs = zip(paintings, frames, strict=True)
    return float(torch.stack([ssim(to_image(one), to_image(other))[0] for one, other in pairs]).mean())


if __name__ == "__main__":
    main()
