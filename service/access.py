"""Who may ask for what: every endpoint of /v1 names the scope that it needs, and none is reached while draining."""

import functools
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from service.drain import Drain
from service.requests import facts_of
from service.tokens import Scope, Tokens

Endpoint = Callable[[Request], Awaitable[Response]]


class Access:
    """Guards endpoints.

    Args:
        tokens: None where nobody needs one.
        drain: whether this replica still takes requests.
    """

    def __init__(self, tokens: Tokens | None, drain: Drain) -> None:
        self._tokens = tokens
        self._drain = drain

    def needs(self, scope: Scope, endpoint: Endpoint) -> Endpoint:
        """The endpoint, for those only who may; its name stays, since it is its metric label."""

        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            self._drain.refuse_if_begun()
            if self._tokens is not None:
                facts_of(request).holder = self._tokens.holder(request.headers.get("authorization"), scope).name
            return await endpoint(request)

        return guarded
