"""What can go wrong with the embedded sample."""


class SampleError(Exception):
    """A name that is not in the sample, or a photograph that the installed libraries no longer carry."""
