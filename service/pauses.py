"""Python's garbage collector stops every thread while it looks through all objects; of those, most stay for ever.

Measured under three times the load (docs/LOAD.md): one full collection over 336,000 objects took 0.25 to 0.4 s, and for
so long nobody was answered, not even with a no.
"""

import gc


def set_aside() -> None:
    """Let the collector pass over everything that lives now. Pauses once; call it when a model has become ready.

    What was set aside before is looked through once more, so that a model that was exchanged can go.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
