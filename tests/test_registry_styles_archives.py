"""Styles travel as one file; a hostile one is refused by the entry's name, and nothing of it is added."""

import hashlib
import json
import warnings
import zipfile
from pathlib import Path

import pytest
from postgres_server import postgres  # noqa: F401
from styles_world import library_fixture, pixels_of, settings_fixture  # noqa: F401

from registry.errors import InvalidArchive, InvalidStyle, StoreError, UnknownStyle
from registry.settings import Settings
from registry.styles import StyleLibrary
from stylenet.pictures import encode_picture

PNG = encode_picture(pixels_of(7))
NAME = f"pictures/{hashlib.sha256(PNG).hexdigest()}.png"


@pytest.fixture
def other(tmp_path: Path):
    opened = StyleLibrary.from_settings(Settings.at(tmp_path / "other"))
    yield opened
    opened.close()


def test_what_is_exported_comes_back_elsewhere_as_it_was(library, other, tmp_path):
    library.add("duo", [pixels_of(1), pixels_of(2)], tags=["b", "a"], title="Zwei Düner", author="A", licence="CC0")
    library.add("one", [pixels_of(1)], note="n")
    assert library.export_archive(tmp_path / "styles.zip") == 2
    done = other.import_archive(tmp_path / "styles.zip")
    assert (done.added, done.already_there) == (("duo", "one"), ())
    for name in ("duo", "one"):
        ours, theirs = library.get(name), other.get(name)
        assert (ours.id, ours.title, ours.tags, ours.author) == (theirs.id, theirs.title, theirs.tags, theirs.author)
        assert [p.tobytes() for p in library.pictures(name)] == [p.tobytes() for p in other.pictures(name)]
    assert [style.name for style in other.list("duner")] == ["duo"]


def test_importing_twice_adds_nothing_and_a_taken_name_gets_digits_of_the_id(library, other, tmp_path):
    style = library.add("wave", [pixels_of(1)])
    library.export_archive(tmp_path / "styles.zip")
    other.add("wave", [pixels_of(9)])
    assert other.import_archive(tmp_path / "styles.zip").added == (f"wave-{style.id[:4]}",)
    done = other.import_archive(tmp_path / "styles.zip")
    assert (done.added, done.already_there) == ((), ("wave",))
    assert len(other.list()) == 2


def test_the_same_styles_give_the_same_bytes_and_a_choice_only_those(library, tmp_path):
    library.add("a", [pixels_of(1)])
    library.add("b", [pixels_of(2)])
    library.export_archive(tmp_path / "1.zip")
    library.export_archive(tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert library.export_archive(tmp_path / "b.zip", ["b"]) == 1
    with pytest.raises(UnknownStyle, match="no style 'c'"):
        library.export_archive(tmp_path / "c.zip", ["c"])
    assert not (tmp_path / "c.zip").exists()


def test_an_export_that_fails_leaves_the_file_of_before_and_no_other(library, tmp_path):
    library.add("a", [pixels_of(1)])
    folder = tmp_path / "out"
    library.export_archive(folder / "styles.zip")
    before = (folder / "styles.zip").read_bytes()
    for path in (tmp_path / "styles").glob("??/*"):
        path.unlink()
    with pytest.raises(StoreError, match="is missing"):
        library.export_archive(folder / "styles.zip")
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("styles.zip", before)]


def listed(*styles: dict, **changes) -> bytes:
    entry = {"name": "good", "pictures": [NAME[9:73]]}
    return json.dumps({"styles": [entry | style for style in (styles or ({},))]} | changes).encode()


def archive_of(path: Path, *entries: tuple[str, bytes, int]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)  # one case writes an entry twice on purpose
        for name, blob, method in entries:
            archive.writestr(name, blob, method)
    return path


STORED, DEFLATED, BZIP2 = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2
GOOD = (("styles.json", listed(), DEFLATED), (NAME, PNG, STORED))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ((*GOOD, ("../../evil.png", PNG, STORED)), r"holds '../../evil.png', which no archive of styles does"),
        ((*GOOD, ("/etc/cron.d/evil", b"x", STORED)), r"holds '/etc/cron.d/evil'"),
        ((*GOOD, (f"pictures/../{NAME}", PNG, STORED)), r"holds 'pictures/\.\./pictures"),
        ((*GOOD, ("pictures\\..\\evil.png", PNG, STORED)), "which no archive of styles does"),
        ((*GOOD, ("readme.txt", b"x", STORED)), "holds 'readme.txt'"),
        ((GOOD[0], (NAME, bytes(50_000_000), DEFLATED)), f"{NAME} is compressed; pictures are stored"),
        ((("styles.json", b" " * (64 * 2**20 + 1), DEFLATED),), "styles.json has 67,108,865 bytes; at most 67,108,864"),
        ((("styles.json", listed(), BZIP2), GOOD[1]), "packed in a way that we never write"),
        ((*GOOD, GOOD[1]), "is there twice"),
        ((GOOD[1],), "has no styles.json"),
        ((GOOD[0],), f"{NAME} is missing"),
        ((GOOD[0], (NAME, PNG + b"x", STORED)), f"{NAME} was altered"),
        ((("styles.json", b"[" * 100_000, STORED), GOOD[1]), "is no JSON"),
        ((("styles.json", b"{", STORED), GOOD[1]), "is no JSON"),
        ((("styles.json", listed(version=2), STORED), GOOD[1]), "version: Input should be 1"),
        ((("styles.json", listed({"surprise": 1}), STORED), GOOD[1]), "styles.0.surprise: Extra inputs"),
        ((("styles.json", listed({"pictures": []}), STORED), GOOD[1]), "styles.0.pictures: "),
        ((("styles.json", listed({"pictures": ["../x"]}), STORED), GOOD[1]), r"pictures/\.\./x\.png is missing"),
    ],
)
def test_an_archive_that_we_would_not_have_written_is_refused_by_its_entry(other, tmp_path, entries, message):
    path = archive_of(tmp_path / "hostile.zip", *entries)
    with pytest.raises(InvalidArchive, match=message):
        other.import_archive(path)
    assert other.list() == ()
    assert not (tmp_path / "evil.png").exists()


def test_an_entry_whose_name_cannot_be_kept_refuses_the_file_before_anything_is_added(other, tmp_path):
    entries = (("styles.json", listed({}, {"name": "Not A Slug"}), STORED), GOOD[1])
    with pytest.raises(InvalidStyle, match="'Not A Slug' cannot be used"):
        other.import_archive(archive_of(tmp_path / "hostile.zip", *entries))
    assert other.list() == ()


def test_entries_that_claim_more_than_the_file_holds_are_refused(other, tmp_path):
    """The densest bombs let many entries share one stretch of the file."""
    path = tmp_path / "bomb.zip"
    big = bytes(1_000_000)
    first = "pictures/" + "0" * 64 + ".png"
    archive_of(path, ("styles.json", listed(), STORED), (first, big, STORED))
    with zipfile.ZipFile(path, "a") as archive:
        kernel = archive.getinfo(first)
        for number in range(1, 200):
            info = zipfile.ZipInfo(f"pictures/{number:064x}.png")
            info.header_offset, info.CRC = kernel.header_offset, kernel.CRC
            info.file_size = info.compress_size = kernel.file_size
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
        archive._didModify = True
    with pytest.raises(InvalidArchive, match="claim 200,000,000 bytes, more than the file itself has"):
        other.import_archive(path)


def test_a_picture_in_an_archive_that_is_none_or_a_bomb_itself_is_told_with_its_style(other, tmp_path):
    bomb = bytearray(PNG)
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    for blob, reason in ((b"no picture", "is not a picture"), (bytes(bomb), "is 60000x60000")):
        digest = hashlib.sha256(blob).hexdigest()
        entries = (("styles.json", listed({"pictures": [digest]}), STORED), (f"pictures/{digest}.png", blob, STORED))
        with pytest.raises(InvalidArchive, match=f"style 'good': the picture {reason}"):
            other.import_archive(archive_of(tmp_path / "bad.zip", *entries))


def test_what_is_no_zip_file_at_all_is_told_in_one_line(other, tmp_path):
    (tmp_path / "text.zip").write_text("hello")
    for name in ("text.zip", "missing.zip"):
        with pytest.raises(InvalidArchive, match=f"{name} cannot be read as a zip file"):
            other.import_archive(tmp_path / name)
    cut = archive_of(tmp_path / "cut.zip", *GOOD).read_bytes()
    (tmp_path / "cut.zip").write_bytes(cut[:400] + b"\0" * 40 + cut[440:])
    with pytest.raises(InvalidArchive, match=r"cut\.zip"):
        other.import_archive(tmp_path / "cut.zip")
