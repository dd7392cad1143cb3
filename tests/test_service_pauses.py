"""The collector's pauses: what lives for ever is passed over, and what was exchanged can still go."""

import gc
import weakref

from service.pauses import set_aside


class Model:
    """Part of a cycle, as models are."""

    def __init__(self) -> None:
        self.self = self


def test_what_lives_is_passed_over_until_a_new_model_came():
    model = Model()
    gone = weakref.ref(model)
    try:
        set_aside()
        assert gc.get_freeze_count() > 10_000
        del model
        gc.collect()
        assert gone() is not None  # it was set aside, and nobody looks
        set_aside()
        assert gone() is None
    finally:
        gc.unfreeze()
