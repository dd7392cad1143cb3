"""A folder of files named by what is in them: written whole or not at all, checked when read, kept once."""

import hashlib
import re
from pathlib import Path

from registry.errors import StoreError
from stylenet.pictures import write_bytes

_DIGEST = re.compile(r"[0-9a-f]{64}")


class BlobFolder:
    """Bytes by their sha256, in `<folder>/ab/abcdef...`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, blob: bytes) -> str:
        """Keep the bytes and return their sha256."""
        digest = hashlib.sha256(blob).hexdigest()
        path = self._path(digest)
        if not path.is_file():
            write_bytes(blob, path)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of that sha256.

        Raises:
            StoreError: they are missing or altered; the file is named.
        """
        path = self._path(digest)
        try:
            blob = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path} is missing ({error.strerror}); restore it, or remove its style") from error
        if hashlib.sha256(blob).hexdigest() != digest:
            raise StoreError(f"{path} was altered: its contents are not those of its name; restore it from a backup")
        return blob

    def delete(self, digest: str) -> None:
        """Forget the bytes; nothing happens where there are none."""
        path = self._path(digest)
        path.unlink(missing_ok=True)

    def digests(self) -> set[str]:
        """Every sha256 that is kept."""
        return {path.name for path in self.folder.glob("??/*") if _DIGEST.fullmatch(path.name)}

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):  # a digest becomes a path: nothing else may
            raise StoreError(f"{digest!r} is no sha256")
        return self.folder / digest[:2] / digest
