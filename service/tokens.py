"""Bearer tokens: who may read, paint, or change the style library.

The file holds the SHA-256 of each token, never the token. A token is 32 random bytes, so a plain digest cannot be
turned back by guessing; slow password hashes are for what people choose.

    {"tokens": [{"name": "studio", "sha256": "…", "scopes": ["read", "stylize"]}]}

The file is read again when it changes, so that a token is revoked without a restart.
"""

import hashlib
import secrets
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from service.errors import Forbidden, ServiceSettingsError, Unauthorized
from stylenet.pictures import write_bytes

Scope = Literal["read", "stylize", "manage-styles"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
_REALM = 'Bearer realm="pentimento"'
_MOST_BYTES = 1_000_000


class Holder(BaseModel):
    """Whom a token was given to, and what it opens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the token, in hex")
    scopes: tuple[Scope, ...] = Field(min_length=1)


class TokenFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: tuple[Holder, ...] = ()

    @field_validator("tokens")
    @classmethod
    def _names_are_unique(cls, tokens: tuple[Holder, ...]) -> tuple[Holder, ...]:
        names = [holder.name for holder in tokens]
        if len(set(names)) < len(names):
            raise ValueError("two tokens have the same name")
        return tokens


class Tokens:
    """The tokens of one file, as it is now. Safe for several threads.

    Args:
        path: the file.

    Raises:
        ServiceSettingsError: it is missing or broken: a service that shall ask for tokens does not start without them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp = _stamp(path)
        self._holders = {holder.sha256: holder for holder in read_tokens(path).tokens}

    def holder(self, authorization: str | None, needed: Scope) -> Holder:
        """Who sends this Authorization header, if they may do what needs the scope.

        Raises:
            Unauthorized: no token, or none that is known.
            Forbidden: its scopes do not reach.
        """
        if authorization is None:
            raise Unauthorized("a token is needed; send it as 'Authorization: Bearer TOKEN'", challenge=_REALM)
        scheme, _, token = authorization.partition(" ")
        self._read_again_if_changed()
        # Looked up by digest: how long that takes says nothing about the token.
        holder = self._holders.get(token_digest(token.strip())) if scheme.lower() == "bearer" else None
        if holder is None:
            raise Unauthorized(
                "this token is not known (any more); ask for a new one", challenge=f'{_REALM}, error="invalid_token"'
            )
        if needed not in holder.scopes:
            raise Forbidden(
                f"the token {holder.name!r} may {', '.join(holder.scopes)}; this needs {needed}",
                challenge=f'{_REALM}, error="insufficient_scope", scope="{needed}"',
            )
        return holder

    def _read_again_if_changed(self) -> None:
        with self._lock:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            try:
                self._holders = {holder.sha256: holder for holder in read_tokens(self._path).tokens}
            except ServiceSettingsError:
                return  # half exchanged, or broken: what was read last holds until it can be read
            self._stamp = stamp


def token_digest(token: str) -> str:
    """What the file holds of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def read_tokens(path: Path) -> TokenFile:
    """Read a token file.

    Raises:
        ServiceSettingsError: missing, too large, or not such a file.
    """
    try:
        with open(path, "rb") as stream:
            blob = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ServiceSettingsError(
            f"PENTIMENTO_TOKENS={path}: {error.strerror}; `pentimento tokens add NAME --scope read` makes one"
        ) from error
    if len(blob) > _MOST_BYTES:
        raise ServiceSettingsError(f"PENTIMENTO_TOKENS={path}: more than {_MOST_BYTES:,} bytes; give it a token file")
    try:
        return TokenFile.model_validate_json(blob)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ServiceSettingsError(f"PENTIMENTO_TOKENS={path}: {where}: {first['msg']}") from error


def add_token(path: Path, name: str, scopes: Collection[Scope]) -> str:
    """Make a token and write its digest into the file; returns the token, which is kept nowhere.

    Raises:
        ServiceSettingsError: the name is taken or cannot be used, or the file is broken.
    """
    known = read_tokens(path).tokens if path.exists() else ()
    token = f"pnt_{secrets.token_urlsafe(32)}"
    holder: dict[str, object] = {
        "name": name,
        "sha256": token_digest(token),
        "scopes": [s for s in SCOPES if s in scopes],
    }
    _write(path, [*(entry.model_dump() for entry in known), holder])
    return token


def remove_token(path: Path, name: str) -> None:
    """Revoke a token; services that follow the file refuse it from their next request on.

    Raises:
        ServiceSettingsError: there is none of that name, or the file is broken.
    """
    known = read_tokens(path).tokens
    if name not in {entry.name for entry in known}:
        have = ", ".join(entry.name for entry in known) or "none"
        raise ServiceSettingsError(f"no token {name!r} in {path} (have: {have})")
    _write(path, [entry.model_dump() for entry in known if entry.name != name])


def _write(path: Path, entries: list[dict[str, object]]) -> None:
    try:
        checked = TokenFile.model_validate({"tokens": entries})
    except ValidationError as error:
        first = error.errors()[0]
        raise ServiceSettingsError(
            f"{path}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}; choose another name"
        ) from error
    write_bytes((checked.model_dump_json(indent=1) + "\n").encode(), path)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
