"""Torch and OpenVINO on random sizes: `python -m benchmarks.engines_parity pretrained/compact 200` prints the worst."""

import sys

import numpy as np

from runtime.loading import load_engine


def main(folder: str, count: int, *, most_px: int = 320) -> tuple[int, int]:
    """The largest difference of any pixel in levels of 255, and how many pictures differ by more than one level."""
    reference, other = load_engine(folder, "torch"), load_engine(folder, "openvino", precision="float32")
    random = np.random.default_rng(0)
    code = reference.encode_style(random.integers(0, 256, (64, 72, 3), dtype=np.uint8))
    worst, beyond = 0, 0
    for height, width in random.integers(16, most_px, (count, 2)):
        coarse = random.integers(0, 256, (-(-height // 9), -(-width // 9), 3), dtype=np.uint8)
        pixels = np.ascontiguousarray(np.kron(coarse, np.ones((9, 9, 1), np.uint8))[:height, :width])
        difference = np.abs(reference.stylize(pixels, code).astype(int) - other.stylize(pixels, code)).max()
        worst, beyond = max(worst, int(difference)), beyond + int(difference > 1)
    return worst, beyond


if __name__ == "__main__":
    worst, beyond = main(sys.argv[1], int(sys.argv[2]))
    print(f"largest difference {worst} of 255 levels; {beyond} of {sys.argv[2]} pictures differ by more than one level")
