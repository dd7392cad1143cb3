"""What can go wrong in `service`.

ServiceError
├── ServiceSettingsError     an environment variable, or a file that one names, that cannot work
├── ServeError               the server process did not come up, or died
└── Refusal                  a request that is answered with a problem instead of a picture
    ├── BrokenForm           400  the body is not the multipart form that it says it is
    ├── UnreadableUpload     400  a file that is no picture, or a broken one
    ├── Unauthorized         401  a token is needed, and none that is known was sent
    ├── Forbidden            403  the token's scopes do not reach, a read-only library, or a page of another site
    ├── NotFound             404  no such style, no such page
    │   └── UnknownPhoto     404  a photograph that is not kept (any more); send it again
    ├── UploadTooSlow        408  the body did not arrive in time
    ├── Conflict             409  the style exists already
    ├── BodyTooLarge         413  more bytes than the limit
    ├── UnsupportedBody      415  not a multipart form
    ├── BadField             422  a field that is missing, unknown or out of range
    │   └── UnusablePicture  422  a picture that can be read, but not painted
    ├── QueueFull            429  come back in `retry_after_s`
    ├── NotReady             503  no model is loaded yet; come back in `retry_after_s`
    │   ├── NoModel          503  the model cannot be loaded; it is tried again
    │   └── Draining         503  this replica is going away; another one answers
    └── DeadlinePassed       504  it took longer than the deadline
"""

from typing import ClassVar


class ServiceError(RuntimeError):
    """Base of everything that `service` raises on purpose. The message names the cure."""


class ServiceSettingsError(ServiceError):
    """An environment variable that cannot work."""


class ServeError(ServiceError):
    """The server process did not come up, or died."""


class Refusal(ServiceError):
    """A request that cannot be served. The message says what was wrong and what would be right.

    Args:
        detail: for people, one sentence or two.
        field: the form field at fault, if one is.
        retry_after_s: when it makes sense to come back, if it does.
        challenge: what WWW-Authenticate says, where a token would help.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        retry_after_s: int | None = None,
        challenge: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.retry_after_s = retry_after_s
        self.challenge = challenge


class BrokenForm(Refusal):
    """The body is not the multipart form that its header announces."""

    status, code = 400, "broken-form"


class UnreadableUpload(Refusal):
    """A file that is no picture, or a broken one."""

    status, code = 400, "unreadable-picture"


class Unauthorized(Refusal):
    """A token is needed, and none that is known was sent."""

    status, code = 401, "unauthorized"


class Forbidden(Refusal):
    """Not allowed here."""

    status, code = 403, "forbidden"


class NotFound(Refusal):
    """Nothing of that name."""

    status, code = 404, "not-found"


class UnknownPhoto(NotFound):
    """A photograph that is not kept here, or not any more."""

    code = "unknown-photo"


class UploadTooSlow(Refusal):
    """The body did not arrive in time."""

    status, code = 408, "upload-too-slow"


class Conflict(Refusal):
    """It exists already."""

    status, code = 409, "conflict"


class BodyTooLarge(Refusal):
    """More bytes than the limit."""

    status, code = 413, "too-large"


class UnsupportedBody(Refusal):
    """A body of another kind than the one that is understood."""

    status, code = 415, "unsupported-media-type"


class BadField(Refusal):
    """A field that is missing, unknown, of the wrong kind or out of range."""

    status, code = 422, "bad-field"


class UnusablePicture(BadField):
    """A picture that can be read, but not painted: too small, or a mask of another size than its picture."""

    code = "unusable-picture"


class QueueFull(Refusal):
    """As much work is waiting as can be done in reasonable time."""

    status, code = 429, "queue-full"


class NotReady(Refusal):
    """No model is loaded yet."""

    status, code = 503, "not-ready"


class NoModel(NotReady):
    """The model cannot be loaded. It is tried again, but somebody has to do something."""

    code = "no-model"


class Draining(NotReady):
    """This replica finishes what it accepted and takes nothing new."""

    code = "draining"


class DeadlinePassed(Refusal):
    """The work was not done in time."""

    status, code = 504, "deadline-passed"
