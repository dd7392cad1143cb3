"""The pictures that are sent: drawn here, so that a load test needs no file and every run sends the same bytes."""

import io
import random

from PIL import Image, ImageDraw


def photograph_jpeg(width_px: int, height_px: int, *, seed: int = 1) -> bytes:
    """A skyline at dusk with photographic grain, as JPEG bytes; the same arguments give the same bytes."""
    dice = random.Random(seed)
    sky = Image.linear_gradient("L").resize((width_px, height_px))
    ramps = ((60, 240), (90, 170), (150, 120))  # red, green and blue, from the zenith to the horizon
    bands = [sky.point([round(low + (high - low) * v / 255) for v in range(256)]) for low, high in ramps]
    picture = Image.merge("RGB", bands)
    draw = ImageDraw.Draw(picture)
    left = 0
    while left < width_px:
        width = dice.randint(max(2, width_px // 16), max(3, width_px // 6))
        top = dice.randint(height_px // 4, height_px * 3 // 4)
        shade = dice.randint(20, 90)
        draw.rectangle((left, top, left + width, height_px), fill=(shade, shade + 8, shade + 24))
        for x in range(left + 3, left + width - 3, 7):
            for y in range(top + 4, height_px - 3, 9):
                if dice.random() < 0.5:
                    draw.rectangle((x, y, x + 3, y + 4), fill=(250, 214, 130))
        left += width
    grain = Image.frombytes("L", (64, 64), dice.randbytes(64 * 64)).resize((width_px, height_px)).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(picture, grain, 0.06).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def painting_jpeg(width_px: int, height_px: int, *, seed: str = "1") -> bytes:
    """Broad strokes in few colours, as JPEG bytes; the same arguments give the same bytes."""
    dice = random.Random(seed)
    palette = [tuple(dice.randrange(256) for _ in range(3)) for _ in range(5)]
    picture = Image.new("RGB", (width_px, height_px), palette[0])
    draw = ImageDraw.Draw(picture)
    reach = max(width_px, height_px) // 4
    for _ in range(120):
        x, y = dice.randrange(width_px), dice.randrange(height_px)
        end = (x + dice.randint(-reach, reach), y + dice.randint(-reach, reach) // 2)
        draw.line((x, y, *end), fill=dice.choice(palette), width=dice.randint(2, max(3, reach // 4)))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
