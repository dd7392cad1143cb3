"""The embedded sample: photographs that installed libraries carry, and paintings that our own code paints.

Needs no download and no network. Open `paintings/harbour.py` first for one picture from composition to varnish;
`strokes.py` is the brush, `scene.py` the drawing board, `folder.py` writes it all to disk.
"""

from samples.errors import SampleError
from samples.folder import write_sample
from samples.paintings import PAINTINGS, Painting, painting
from samples.photographs import PHOTOGRAPHS, photograph

__all__ = ["PAINTINGS", "PHOTOGRAPHS", "Painting", "SampleError", "painting", "photograph", "write_sample"]
