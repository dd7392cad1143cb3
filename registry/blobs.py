"""Files named by what is in them: written whole or not at all, checked when read, kept once.

`BlobFolder` is the default; `BlobBucket` is any place that fsspec reaches by a URL (s3://bucket/prefix for a team).
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Protocol

from registry.errors import StoreError
from stylenet.pictures import write_bytes

OWNER_NAME = "library-id"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class BlobStore(Protocol):
    """Bytes by their sha256, under the name `ab/abcdef...`."""

    place: str
    """Where it is, for people."""

    def put(self, blob: bytes) -> str:
        """Keep the bytes and return their sha256.

        Raises:
            StoreError: they could not be written.
        """
        ...

    def get(self, digest: str) -> bytes:
        """The bytes of that sha256.

        Raises:
            StoreError: they are missing or altered; the file is named.
        """
        ...

    def delete(self, digest: str) -> None:
        """Forget the bytes; nothing happens where there are none."""
        ...

    def digests(self) -> set[str]:
        """Every sha256 that is kept."""
        ...

    def owner(self) -> str | None:
        """The library that `claim` named; None where none has."""
        ...

    def claim(self, library: str) -> None:
        """Say that the store is this library's: nobody else may delete from it."""
        ...

    def unfinished(self) -> set[str]:
        """Names of files that a killed writer left half-written; `discard` removes one."""
        ...

    def discard(self, name: str) -> None:
        """Remove what `unfinished` named."""
        ...


def open_blobs(place: str | os.PathLike[str]) -> BlobStore:
    """The store at a folder's path, or at a URL (`s3://bucket/prefix`)."""
    text = os.fspath(place)
    if "://" not in text:
        return BlobFolder(Path(text))
    from registry.blob_bucket import BlobBucket

    return BlobBucket(text)


class BlobFolder:
    """Blobs in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = str(folder)

    def put(self, blob: bytes) -> str:
        """See `BlobStore.put`."""
        digest = hashlib.sha256(blob).hexdigest()
        path = self._path(digest)
        try:
            if not path.is_file():
                write_bytes(blob, path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written ({error.strerror}); make room, or check its rights") from error
        return digest

    def get(self, digest: str) -> bytes:
        """See `BlobStore.get`."""
        path = self._path(digest)
        try:
            blob = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path} is missing ({error.strerror}); restore it, or remove its style") from error
        return checked(blob, digest, str(path))

    def delete(self, digest: str) -> None:
        """See `BlobStore.delete`."""
        self._path(digest).unlink(missing_ok=True)

    def digests(self) -> set[str]:
        """See `BlobStore.digests`."""
        return {path.name for path in self.folder.glob("??/*") if _DIGEST.fullmatch(path.name)}

    def owner(self) -> str | None:
        """See `BlobStore.owner`."""
        path = self.folder / OWNER_NAME
        return path.read_text().strip() if path.is_file() else None

    def claim(self, library: str) -> None:
        """See `BlobStore.claim`."""
        write_bytes(library.encode(), self.folder / OWNER_NAME)

    def unfinished(self) -> set[str]:
        """See `BlobStore.unfinished`: what `write_bytes` had begun aside."""
        asides = (path for path in self.folder.glob("??/.*") if _DIGEST.fullmatch(path.name[1:65]))
        return {path.relative_to(self.folder).as_posix() for path in asides}

    def discard(self, name: str) -> None:
        """See `BlobStore.discard`."""
        (self.folder / name).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self.folder / checked_name(digest)


def checked_name(digest: str) -> str:
    """`ab/abcdef...`; a digest becomes a path, so nothing else may.

    Raises:
        StoreError: it is no sha256.
    """
    if not _DIGEST.fullmatch(digest):
        raise StoreError(f"{digest!r} is no sha256")
    return f"{digest[:2]}/{digest}"


def checked(blob: bytes, digest: str, place: str) -> bytes:
    """The bytes, if they are those of the digest.

    Raises:
        StoreError: they are not.
    """
    if hashlib.sha256(blob).hexdigest() != digest:
        raise StoreError(f"{place} was altered: its contents are not those of its name; restore it from a backup")
    return blob
