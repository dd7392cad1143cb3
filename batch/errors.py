"""What can go wrong in `batch`. One bad picture is no error: it is listed at the end.

BatchError
├── NothingToPaint       a folder, glob or list without a single picture
├── ListError            a CSV list that cannot be used; the message names the line
├── TargetConflict       two pictures that would become one file, or paintings that would lie among their photographs
├── JobBusy              another process paints into the same folder
└── ClusterError         Ray cannot be reached, or lost its workers
"""


class BatchError(ValueError):
    """Base of everything that `batch` raises on purpose. The message names the cure."""


class NothingToPaint(BatchError):
    """There is no picture where pictures were expected."""


class ListError(BatchError):
    """A list of pictures that cannot be followed."""


class TargetConflict(BatchError):
    """Paintings would overwrite something."""


class JobBusy(BatchError):
    """Somebody else is painting into this folder."""


class ClusterError(BatchError):
    """The cluster cannot do the job."""
