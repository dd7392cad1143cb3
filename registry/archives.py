"""Styles as one file: a zip of `styles.json` and the pictures, for carrying a library, or a part of it, elsewhere.

Reading distrusts the file. Only names that we write are accepted, so no path leads outside; pictures are stored, not
compressed, so what they take when read is what they take in the file, and no bomb fits into it.
"""

import hashlib
import json
import os
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from registry.errors import InvalidArchive
from registry.style_entries import MAX_PICTURES, MAX_TAGS, Style
from stylenet.pictures import MAX_BYTES

LIST_NAME = "styles.json"
MAX_LIST_BYTES = 64 * 2**20
MAX_STYLES = 100_000
_PICTURE = re.compile(r"pictures/([0-9a-f]{64})\.png")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same styles give the same bytes


class StyleEntry(BaseModel):
    """One style of an archive. What it may hold is checked again when it is added."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(max_length=64)
    title: str = Field(default="", max_length=200)
    author: str = Field(default="", max_length=200)
    licence: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=2000)
    tags: tuple[str, ...] = Field(default=(), max_length=MAX_TAGS)
    builtin: bool = False
    pictures: tuple[str, ...] = Field(min_length=1, max_length=MAX_PICTURES)
    """sha256 of each picture's file, in order."""


class StyleList(BaseModel):
    """`styles.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["pentimento-styles"] = "pentimento-styles"
    version: Literal[1] = 1
    styles: tuple[StyleEntry, ...] = Field(max_length=MAX_STYLES)


def write_archive(path: Path, styles: Iterable[tuple[Style, Iterable[bytes]]]) -> int:
    """Write styles and the PNG files of their pictures. The file is there whole or not at all. Returns how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            entries = [_write_style(archive, style, files) for style, files in styles]
            blob = StyleList(styles=tuple(entries)).model_dump_json(indent=1).encode()
            archive.writestr(zipfile.ZipInfo(LIST_NAME, _EPOCH), blob, zipfile.ZIP_DEFLATED)
        os.chmod(aside, 0o644)  # mkstemp's 0600 would hide it from whom it is meant for
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    return len(entries)


@contextmanager
def open_archive(path: Path) -> Iterator["StyleArchive"]:
    """An archive whose list and every entry's name, size and digest have been checked; pictures are read one by one.

    Raises:
        InvalidArchive: it is none, or holds what no archive of ours holds; the entry is named.
    """
    with _told_plainly(path):
        archive = zipfile.ZipFile(path)
    with archive:
        yield StyleArchive(path, archive)


class StyleArchive:
    """An open archive; see `open_archive`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        with _told_plainly(path):
            _check_entries(path, archive.infolist())
            self.styles = _read_list(path, archive).styles
        there = {found[1] for name in archive.namelist() if (found := _PICTURE.fullmatch(name))}
        for digest in sorted({digest for style in self.styles for digest in style.pictures}):
            if digest not in there:
                raise InvalidArchive(f"{path}: pictures/{digest}.png is missing; export the styles again")
            self.picture(digest)

    def picture(self, digest: str) -> bytes:
        """A picture's file.

        Raises:
            InvalidArchive: it is not what its name says.
        """
        name = f"pictures/{digest}.png"
        with _told_plainly(self._path):
            blob = _read(self._archive, name, MAX_BYTES)
        if hashlib.sha256(blob).hexdigest() != digest:
            raise InvalidArchive(f"{self._path}: {name} was altered; export the styles again")
        return blob


@contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    """What zipfile raises for a broken or encrypted file becomes an InvalidArchive of one line."""
    try:
        yield
    except InvalidArchive:
        raise
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, RuntimeError) as error:
        raise InvalidArchive(f"{path} cannot be read as a zip file ({error}); export the styles again") from error


def _write_style(archive: zipfile.ZipFile, style: Style, files: Iterable[bytes]) -> StyleEntry:
    digests = []
    for blob in files:
        digest = hashlib.sha256(blob).hexdigest()
        name = f"pictures/{digest}.png"
        if name not in archive.NameToInfo:  # two styles may share a picture
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), blob)
        digests.append(digest)
    return StyleEntry(
        name=style.name,
        title=style.title,
        author=style.author,
        licence=style.licence,
        note=style.note,
        tags=style.tags,
        builtin=style.builtin,
        pictures=tuple(digests),
    )


def _check_entries(path: Path, entries: Iterable[zipfile.ZipInfo]) -> None:
    """Raise InvalidArchive for any entry that we would not have written, before anything is read."""
    total, names = 0, set()
    for entry in entries:
        if entry.filename in names:
            raise InvalidArchive(f"{path}: {entry.filename!r} is there twice; export the styles again")
        names.add(entry.filename)
        if entry.filename == LIST_NAME:
            most = MAX_LIST_BYTES
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InvalidArchive(f"{path}: {LIST_NAME} is packed in a way that we never write")
        elif _PICTURE.fullmatch(entry.filename):
            most, total = MAX_BYTES, total + entry.file_size
            if entry.compress_type != zipfile.ZIP_STORED:
                raise InvalidArchive(f"{path}: {entry.filename} is compressed; pictures are stored as they are")
        else:
            raise InvalidArchive(
                f"{path}: holds {entry.filename!r}, which no archive of styles does; only {LIST_NAME} and "
                "pictures/<sha256>.png are taken"
            )
        if entry.file_size > most:
            raise InvalidArchive(f"{path}: {entry.filename} has {entry.file_size:,} bytes; at most {most:,}")
    if total > path.stat().st_size:  # entries that overlap: one stretch of the file read as many pictures
        raise InvalidArchive(f"{path}: its pictures claim {total:,} bytes, more than the file itself has")


def _read_list(path: Path, archive: zipfile.ZipFile) -> StyleList:
    if LIST_NAME not in archive.namelist():
        raise InvalidArchive(f"{path}: has no {LIST_NAME}; give a file that `pentimento styles export` wrote")
    try:
        return StyleList.model_validate(json.loads(_read(archive, LIST_NAME, MAX_LIST_BYTES)))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidArchive(f"{path}: {LIST_NAME}: {place}: {first['msg']}; export the styles again") from error
    except (ValueError, RecursionError) as error:
        raise InvalidArchive(f"{path}: {LIST_NAME} is no JSON ({error}); export the styles again") from error


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """An entry's bytes, but never more than `most`, whatever its header says."""
    with archive.open(name) as stream:
        blob = stream.read(most + 1)
    if len(blob) > most:
        raise InvalidArchive(f"{name} has more than {most:,} bytes")
    return blob
