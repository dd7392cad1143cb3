"""Blob stores, and what a killed process leaves in them: the same on a folder and on an S3 server."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from styles_world import pixels_of, s3_bucket_fixture  # noqa: F401

from registry.blobs import BlobFolder, BlobStore, open_blobs
from registry.errors import StoreError
from registry.settings import Settings
from registry.style_repair import leftovers
from registry.style_rows import find
from registry.styles import StyleLibrary
from stylenet.pictures import encode_picture


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where blobs go: a folder, or a prefix of its own in the bucket."""
    if request.param == "folder":
        return str(tmp_path / "blobs")
    return f"{request.getfixturevalue('s3_bucket')}/{tmp_path.name}"


@pytest.fixture
def store(place: str) -> BlobStore:
    return open_blobs(place)


@pytest.fixture
def settings(place: str, tmp_path: Path) -> Settings:
    return replace(Settings.at(tmp_path), styles_blobs=place)


def test_bytes_come_back_by_their_sha256_until_they_are_deleted(store):
    digest = store.put(b"one")
    assert store.put(b"one") == digest
    assert store.digests() == {digest}
    assert store.get(digest) == b"one"
    store.delete(digest)
    store.delete(digest)
    assert store.digests() == set()
    with pytest.raises(StoreError, match=f"{digest} is missing"):
        store.get(digest)


def test_a_digest_that_is_none_leads_nowhere(store):
    with pytest.raises(StoreError, match=r"'\.\./\.\./etc/passwd' is no sha256"):
        store.get("../../etc/passwd")


def test_altered_bytes_are_refused_by_their_name(store, place):
    digest = store.put(b"one")
    if isinstance(store, BlobFolder):
        (Path(place) / digest[:2] / digest).write_bytes(b"two")
    else:
        import s3fs

        s3fs.S3FileSystem().pipe_file(f"{place}/{digest[:2]}/{digest}", b"two")
    with pytest.raises(StoreError, match=f"{digest} was altered"):
        store.get(digest)


def test_a_bucket_that_is_not_there_is_told_with_the_cure(s3_bucket):
    with pytest.raises(StoreError, match=r"cannot write (to|in the blob store) s3://no-such-bucket"):
        open_blobs("s3://no-such-bucket/styles").put(b"one")
    with pytest.raises(StoreError, match="check PENTIMENTO_STYLES_BLOBS"):
        open_blobs("nosuchscheme://bucket").put(b"one")


def test_the_whole_library_works_on_this_store(settings, place, tiny_engine):
    library = StyleLibrary.from_settings(settings)
    library.add("one", [pixels_of(1)])
    library.add("two", [pixels_of(1), pixels_of(2)])
    np.testing.assert_array_equal(library.pictures("one")[0], pixels_of(1))
    assert library.thumbnail("two")[8:12] == b"WEBP"
    assert library.refresh_codes(tiny_engine).made == ("one", "two")
    library.remove("two")
    np.testing.assert_array_equal(library.pictures("one")[0], pixels_of(1))
    library.remove("one")
    assert open_blobs(place).digests() == set()
    library.close()


def test_files_that_no_style_uses_are_named_and_cleaned_and_the_others_stay(settings, place):
    library = StyleLibrary.from_settings(settings)
    library.add("one", [pixels_of(1)])
    needed = open_blobs(place).digests()
    orphan = open_blobs(place).put(b"of a killed add")
    found = leftovers(settings)
    assert [leftover.name for leftover in found] == [f"{place}/{orphan[:2]}/{orphan}"]
    assert "no style uses it" in found[0].cure
    found[0].clean()
    found[0].clean()
    assert open_blobs(place).digests() == needed
    assert leftovers(settings) == []
    library.close()


def test_a_file_that_a_style_came_to_need_meanwhile_is_not_cleaned(settings, place):
    library = StyleLibrary.from_settings(settings)
    library.add("one", [pixels_of(1)])
    before = open_blobs(place).digests()
    library.remove("one")
    library.add("two", [pixels_of(2)])
    store = open_blobs(place)
    store.put(encode_picture(pixels_of(1)))
    found = leftovers(settings)
    assert len(found) == 1
    library.add("one", [pixels_of(1)])
    found[0].clean()
    assert before <= store.digests()
    assert leftovers(settings) == []
    library.close()


def test_a_missing_thumbnail_is_named_and_made_again(settings, place):
    library = StyleLibrary.from_settings(settings)
    library.add("one", [pixels_of(1)])
    with library.database.reading() as session:
        digest = find(session, "one").thumbnail
    open_blobs(place).delete(digest)
    found = leftovers(settings)
    assert [(leftover.kind, leftover.name) for leftover in found] == [("style thumbnail", "one")]
    found[0].clean()
    assert library.thumbnail("one")[8:12] == b"WEBP"
    assert leftovers(settings) == []
    library.close()


def test_a_store_of_another_library_is_named_and_never_cleaned(settings, place, tmp_path):
    library = StyleLibrary.from_settings(settings)
    library.add("one", [pixels_of(1)])
    strangers = replace(settings, styles_url=f"sqlite:///{tmp_path / 'other.db'}")
    StyleLibrary.from_settings(strangers).close()
    found = leftovers(strangers)
    assert len(found) == 1
    assert "they are another library's" in found[0].cure
    found[0].clean()
    np.testing.assert_array_equal(library.pictures("one")[0], pixels_of(1))
    library.close()


def test_a_half_written_file_is_named_and_removed(tmp_path):
    settings = Settings.at(tmp_path)
    library = StyleLibrary.from_settings(settings)
    library.add("one", [pixels_of(1)])
    blob = next((tmp_path / "styles").glob("??/*"))
    aside = blob.with_name(f".{blob.name}.x7_k2")
    aside.write_bytes(b"ha")
    found = leftovers(settings)
    assert [leftover.name for leftover in found] == [str(aside)]
    found[0].clean()
    assert not aside.exists()
    library.close()


def test_where_there_is_no_library_nothing_is_left_over_and_none_is_made(tmp_path):
    assert leftovers(Settings.at(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_an_add_that_fails_in_the_database_takes_its_files_back(tmp_path):
    settings = Settings.at(tmp_path)
    library = StyleLibrary.from_settings(settings)
    with library.database.writing() as session:
        session.execute(text("CREATE TRIGGER full BEFORE INSERT ON styles BEGIN SELECT RAISE(ABORT, 'disk'); END"))
    with pytest.raises(StoreError, match="'one' could not be kept: disk"):
        library.add("one", [pixels_of(1)])
    assert BlobFolder(tmp_path / "styles").digests() == set()
    library.close()


def test_the_environment_says_where_the_pictures_are():
    env = {"PENTIMENTO_HOME": "/h", "PENTIMENTO_STYLES_BLOBS": "s3://team/styles"}
    assert Settings.from_env(env).styles_place == "s3://team/styles"
    assert Settings.from_env({"PENTIMENTO_HOME": "/h"}).styles_place == "/h/styles"
