"""Blobs in a bucket: whatever fsspec reaches by a URL, S3 and what speaks like it first of all."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from registry.blobs import OWNER_NAME, checked, checked_name
from registry.errors import StoreError
from registry.store import without_password

_NAME = re.compile(r"(?:^|/)[0-9a-f]{2}/([0-9a-f]{64})$")


class BlobBucket:
    """Blobs below a URL. One object is written by one request, so there are no half-written ones.

    Credentials and the server's address come from the environment, as botocore reads it (AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL); MLflow's own MLFLOW_S3_ENDPOINT_URL serves where the last is not set.

    Args:
        url: s3://bucket/prefix, or another scheme that fsspec knows. Nothing is opened before the first use.
    """

    def __init__(self, url: str) -> None:
        self.place = without_password(url)
        self._url = url.rstrip("/")

    def put(self, blob: bytes) -> str:
        """See `BlobStore.put`."""
        digest = hashlib.sha256(blob).hexdigest()
        with self._told_plainly("write"):
            path = self._path(digest)
            if not self._files.exists(path):
                self._files.pipe_file(path, blob)
        return digest

    def get(self, digest: str) -> bytes:
        """See `BlobStore.get`."""
        try:
            with self._told_plainly("read"):
                blob: bytes = self._files.cat_file(self._path(digest))
        except FileNotFoundError as error:
            name = f"{self.place}/{checked_name(digest)}"
            raise StoreError(f"{name} is missing; restore it, or remove its style") from error
        return checked(blob, digest, f"{self.place}/{checked_name(digest)}")

    def delete(self, digest: str) -> None:
        """See `BlobStore.delete`."""
        with self._told_plainly("delete"):
            if self._files.exists(self._path(digest)):
                self._files.rm_file(self._path(digest))

    def digests(self) -> set[str]:
        """See `BlobStore.digests`."""
        try:
            with self._told_plainly("list"):
                names = self._files.find(self._root)
        except FileNotFoundError:
            return set()
        return {found.group(1) for found in map(_NAME.search, names) if found}

    def owner(self) -> str | None:
        """See `BlobStore.owner`."""
        try:
            with self._told_plainly("read"):
                blob: bytes = self._files.cat_file(f"{self._root}/{OWNER_NAME}")
        except FileNotFoundError:
            return None
        return blob.decode("utf-8", "replace").strip()

    def claim(self, library: str) -> None:
        """See `BlobStore.claim`."""
        with self._told_plainly("write"):
            self._files.pipe_file(f"{self._root}/{OWNER_NAME}", library.encode())

    def unfinished(self) -> set[str]:
        """See `BlobStore.unfinished`: never any."""
        return set()

    def discard(self, name: str) -> None:
        """See `BlobStore.discard`."""

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        import fsspec

        # Another machine writes too: a listing remembered here would be wrong there.
        options: dict[str, Any] = {"use_listings_cache": False}
        endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL")
        if urlsplit(self._url).scheme == "s3" and endpoint and not os.environ.get("AWS_ENDPOINT_URL"):
            options["endpoint_url"] = endpoint
        files, root = fsspec.url_to_fs(self._url, **options)
        return files, root

    @property
    def _files(self) -> Any:
        return self._opened[0]

    @property
    def _root(self) -> str:
        return self._opened[1]

    def _path(self, digest: str) -> str:
        return f"{self._root}/{checked_name(digest)}"

    @contextmanager
    def _told_plainly(self, verb: str) -> Iterator[None]:
        """Anything but a missing file becomes a StoreError: what a driver raises is its own affair."""
        try:
            yield
        except StoreError:
            raise
        except FileNotFoundError as error:
            if verb != "write":
                raise
            raise StoreError(f"cannot write to {self.place}: no such bucket; make it first") from error
        except Exception as error:
            first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise StoreError(
                f"cannot {verb} in the blob store {self.place}: {first_line}; check PENTIMENTO_STYLES_BLOBS, the "
                "credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) and AWS_ENDPOINT_URL"
            ) from error
