"""What can go wrong in `motion`.

MotionError
├── FlowFileError        a .flo file that cannot be used; the message names it
└── FrameMismatch        two frames, or a frame and a flow, of different sizes
"""


class MotionError(ValueError):
    """Base of everything that `motion` raises on purpose. The message names the cure."""


class FlowFileError(MotionError):
    """No flow file, or a broken one."""


class FrameMismatch(MotionError):
    """Two things that must have one size do not."""
