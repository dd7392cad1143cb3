"""The style library: what goes in comes out, nothing comes in twice, and several processes do not hurt each other.

Every test runs on SQLite and on a real PostgreSQL.
"""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from postgres_server import postgres  # noqa: F401
from sqlalchemy import text
from styles_world import library_fixture, pixels_of, settings_fixture  # noqa: F401

from registry.errors import DuplicateStyle, InvalidStyle, StoreError, UnknownStyle
from registry.settings import Settings
from registry.styles import StyleLibrary, slug
from stylenet.codes import mix
from stylenet.errors import UnreadablePicture
from stylenet.pictures import encode_picture, read_picture


def blobs_of(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "styles").glob("??/*")}


def test_what_is_added_comes_back_by_name_and_by_id(library):
    added = library.add(
        "wave", [pixels_of(1)], tags=["sea", "print"], title="The wave", author="A", licence="CC0", note="n"
    )
    assert library.get("wave") == library.get(added.id) == added
    assert (added.title, added.author, added.licence, added.note) == ("The wave", "A", "CC0", "n")
    assert added.tags == ("print", "sea")
    assert added.pictures == ((48, 40),)
    assert not added.builtin
    assert added.created_at.tzinfo is not None


def test_the_original_pixels_are_kept_exactly_and_the_thumbnail_is_a_small_webp(library):
    pixels = pixels_of(2, 300, 700)
    library.add("big", [pixels])
    np.testing.assert_array_equal(library.pictures("big")[0], pixels)
    thumbnail = library.thumbnail("big")
    assert thumbnail[8:12] == b"WEBP"
    assert read_picture(thumbnail).shape == (110, 256, 3)


def test_pictures_may_be_paths_bytes_or_pixels(library, tmp_path):
    Image.fromarray(pixels_of(3)).save(tmp_path / "a.png")
    style = library.add("mixed", [tmp_path / "a.png", encode_picture(pixels_of(4)), pixels_of(5)])
    assert [p.tobytes() for p in library.pictures(style.id)] == [pixels_of(n).tobytes() for n in (3, 4, 5)]


def test_the_same_pictures_have_the_same_id_in_every_library(library, tmp_path):
    other = StyleLibrary.from_settings(Settings.at(tmp_path / "other"))
    one = library.add("one", [pixels_of(1), pixels_of(2)])
    assert other.add("two", [pixels_of(2), pixels_of(1)]).id == one.id
    other.close()


def test_styles_are_listed_by_name_and_by_tag(library):
    library.add("b", [pixels_of(1)], tags=["blue"])
    library.add("a", [pixels_of(2)])
    assert [style.name for style in library.list()] == ["a", "b"]
    assert [style.name for style in library.list(tag="blue")] == ["b"]
    assert library.list(tag="none") == ()


def test_a_taken_name_is_refused_and_the_library_is_as_before(library, tmp_path):
    library.add("wave", [pixels_of(1)])
    before = blobs_of(tmp_path)
    with pytest.raises(DuplicateStyle, match="the name 'wave' is taken"):
        library.add("wave", [pixels_of(2)])
    assert blobs_of(tmp_path) == before
    assert len(library.list()) == 1


def test_the_same_pictures_in_another_file_format_and_order_are_refused_naming_the_existing_style(library):
    library.add("wave", [pixels_of(1), pixels_of(2)])
    with pytest.raises(DuplicateStyle, match="are the style 'wave'"):
        library.add("again", [encode_picture(pixels_of(2)), pixels_of(1)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Big Wave"}, "style name 'Big Wave' cannot be used.*'big-wave'"),
        ({"name": "-a"}, "for example 'a'"),
        ({"name": "a" * 65}, "cannot be used"),
        ({"name": "0123456789abcdef"}, "looks like an id"),
        ({"tags": ["Ünruly Tag"]}, "tag 'Ünruly Tag' cannot be used.*'unruly-tag'"),
        ({"tags": ["t"] * 33}, "33 tags; at most 32"),
        ({"note": "x" * 2001}, "note has 2001 characters; at most 2000"),
        ({"author": "a\0b"}, "author holds control characters"),
        ({"pictures": []}, "has 0 pictures; give 1 to 16"),
        ({"pictures": [pixels_of(n) for n in range(17)]}, "has 17 pictures"),
        ({"pictures": [pixels_of(1), pixels_of(1)]}, "the same picture twice"),
    ],
)
def test_what_cannot_be_a_style_is_refused_with_the_cure(library, change, message):
    with pytest.raises(InvalidStyle, match=message):
        library.add(**{"name": "good", "pictures": [pixels_of(1)], **change})
    assert library.list() == ()


def test_a_picture_that_is_none_is_refused(library):
    with pytest.raises(UnreadablePicture):
        library.add("text", [b"no picture"])


def test_an_unknown_style_is_told_with_what_there_is(library):
    with pytest.raises(UnknownStyle, match="have: none yet"):
        library.get("x")
    library.add("wave", [pixels_of(1)])
    for ask in (library.get, library.thumbnail, library.pictures, library.remove):
        with pytest.raises(UnknownStyle, match=r"no style 'x' in the library \(have: wave\)"):
            ask("x")


def test_removing_a_style_removes_its_files_but_not_those_of_others(library, tmp_path):
    library.add("one", [pixels_of(1)])
    kept = blobs_of(tmp_path)
    library.add("two", [pixels_of(1), pixels_of(2)])  # shares a picture, and so a thumbnail, with "one"
    assert library.remove("two").name == "two"
    assert blobs_of(tmp_path) == kept
    np.testing.assert_array_equal(library.pictures("one")[0], pixels_of(1))
    library.remove("one")
    assert blobs_of(tmp_path) == set()
    assert library.list() == ()
    assert library.add("one", [pixels_of(1)]).name == "one"  # the name and the pictures are free again


def test_an_altered_or_missing_original_is_refused_by_its_file_name(library, tmp_path):
    library.add("wave", [pixels_of(1)])
    files = list((tmp_path / "styles").glob("??/*"))
    for path in files:
        path.write_bytes(b"something else")
    with pytest.raises(StoreError, match="was altered"):
        library.pictures("wave")
    for path in files:
        path.unlink()
    with pytest.raises(StoreError, match="is missing"):
        library.thumbnail("wave")


def test_the_code_of_several_pictures_is_the_mean_of_theirs(library, tiny_engine):
    library.add("pair", [pixels_of(1), pixels_of(2)])
    expected = mix([tiny_engine.encode_style(pixels_of(n)) for n in (1, 2)])
    assert library.code("pair", tiny_engine).to_bytes() == expected.to_bytes()


class CountingEngine:
    """The tiny engine, with every style encoding counted."""

    def __init__(self, engine):
        self.engine = engine
        self.calls = 0

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def encode_style(self, pixels):
        self.calls += 1
        return self.engine.encode_style(pixels)


def test_a_code_is_computed_once_and_again_only_when_its_cache_is_damaged_or_gone(library, tiny_engine):
    counting = CountingEngine(tiny_engine)
    style = library.add("wave", [pixels_of(1)])
    first = library.code(style, counting)
    assert library.code("wave", counting).to_bytes() == first.to_bytes()
    assert counting.calls == 1
    with library.database.writing() as session:
        assert session.scalars(text("SELECT package_digest FROM style_codes")).all() == [tiny_engine.package.digest]
        session.execute(text("UPDATE style_codes SET code = :code"), {"code": b"0"})
    assert library.code("wave", counting).to_bytes() == first.to_bytes()
    assert library.code("wave", counting).to_bytes() == first.to_bytes()
    assert counting.calls == 2
    library.remove("wave")
    with library.database.reading() as session:
        assert session.scalars(text("SELECT count(*) FROM style_codes")).all() == [0]


def test_the_built_in_styles_are_seeded_once_and_a_removed_one_does_not_return(library):
    samples = pytest.importorskip("samples")
    seen: list[str] = []
    added = library.seed_builtin(seen.append, short_side_px=64)
    assert [style.name for style in added] == seen == [entry.name for entry in samples.PAINTINGS]
    assert len(added) >= 10
    assert all(style.builtin and style.tags for style in added)
    library.remove(added[0].name)
    assert library.seed_builtin(seen.append, short_side_px=64) == ()
    assert len(seen) == len(added)
    assert len(library.list()) == len(added) - 1


@pytest.mark.parametrize(
    ("query", "tag", "names"),
    [
        ("durer", None, ["hare", "wing"]),
        ("DÜRER hase", None, ["hare"]),
        ("grass", None, ["turf"]),
        ("dürer", "bird", ["wing"]),
        ("100%", None, ["turf"]),
        ("1_0", None, []),
        ("", None, ["hare", "turf", "wing"]),
        ("nothing-of-that", None, []),
    ],
)
def test_search_finds_every_word_wherever_it_stands_whatever_its_accents(library, query, tag, names):
    library.add("hare", [pixels_of(1)], title="Der Feldhase", author="Albrecht Dürer", tags=["animal"])
    library.add("wing", [pixels_of(2)], author="Albrecht Dürer", tags=["bird"])
    library.add("turf", [pixels_of(3)], tags=["grass"], note="100% watercolour")
    assert [style.name for style in library.list(query, tag)] == names
    assert library.count(query, tag) == len(names)


def test_pages_follow_each_other_without_gap_or_repeat(library):
    names = sorted(f"style-{word}" for word in ("a", "a-b", "ab", "b", "c1", "c10", "c2"))
    for number, name in enumerate(names):
        library.add(name, [pixels_of(number)])
    pages, after = [], None
    while page := library.list(limit=3, after=after):
        pages.append([style.name for style in page])
        after = page[-1].name
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [name for page in pages for name in page] == names
    assert [style.name for style in library.list(limit=None)] == names


def test_a_list_without_a_limit_said_stops_at_fifty(library):
    with library.database.writing() as session:
        for number in range(51):
            session.execute(
                text(
                    "INSERT INTO styles (id, name, title, author, licence, note, builtin, content_digest, thumbnail, "
                    "created_at) VALUES (:i, :i, '', '', '', '', :no, :i, '', '2026-01-01 00:00:00')"
                ),
                {"i": f"n{number:03}", "no": False},
            )
    assert len(library.list()) == 50
    assert library.count() == 51


def test_after_a_promotion_every_code_is_made_in_the_background_and_kept(library, tiny_engine):
    for number in range(3):
        library.add(f"s{number}", [pixels_of(number)])
    library.code("s1", tiny_engine)
    counting = CountingEngine(tiny_engine)
    done = library.refresh_codes(counting)
    assert (done.made, done.failed, done.finished) == (("s0", "s2"), (), True)
    assert counting.calls == 2
    assert library.refresh_codes(counting).made == ()
    assert counting.calls == 2


def test_the_refreshing_of_codes_stops_when_it_is_told_to_and_goes_on_later(library, tiny_engine):
    for number in range(3):
        library.add(f"s{number}", [pixels_of(number)])
    answers = iter([False, True])
    done = library.refresh_codes(tiny_engine, should_stop=lambda: next(answers))
    assert (done.made, done.finished) == (("s0",), False)
    assert library.refresh_codes(tiny_engine).made == ("s1", "s2")


def test_a_style_whose_picture_is_gone_does_not_keep_the_others_from_their_codes(library, tiny_engine, tmp_path):
    library.add("lost", [pixels_of(1)])
    for path in (tmp_path / "styles").glob("??/*"):
        path.unlink()
    library.add("whole", [pixels_of(2)])
    done = library.refresh_codes(tiny_engine)
    assert (done.made, done.failed, done.finished) == (("whole",), ("lost",), True)


def test_codes_of_packages_that_nobody_needs_can_be_forgotten(library, tiny_engine):
    library.add("wave", [pixels_of(1)])
    library.code("wave", tiny_engine)
    assert library.forget_codes(keep=[tiny_engine.package.digest]) == 0
    assert library.forget_codes(keep=["f" * 64]) == 1
    assert library.refresh_codes(tiny_engine).made == ("wave",)


def test_two_libraries_that_share_a_blob_folder_do_not_delete_each_others_pictures(library, settings, tmp_path):
    library.add("wave", [pixels_of(1)])
    other = StyleLibrary(f"sqlite:///{tmp_path / 'other.db'}", settings.styles_place)
    other.add("the-same", [pixels_of(1)])
    other.remove("the-same")
    np.testing.assert_array_equal(library.pictures("wave")[0], pixels_of(1))
    other.close()


def add_the_same(settings: Settings, queue) -> None:
    opened = StyleLibrary.from_settings(settings)
    try:
        queue.put(opened.add("wave", [pixels_of(1)]).name)
    except DuplicateStyle:
        queue.put("duplicate")


def test_of_several_processes_that_add_the_same_style_to_a_new_library_one_wins(settings):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [context.Process(target=add_the_same, args=(settings, queue)) for _ in range(4)]
    for process in processes:
        process.start()
    results = sorted(queue.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert results == ["duplicate", "duplicate", "duplicate", "wave"]


def test_a_database_that_cannot_be_opened_is_told_in_one_line_without_its_password(tmp_path):
    (tmp_path / "styles.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreError, match=r"file is not a database.*PENTIMENTO_STYLES_URL"):
        StyleLibrary.from_settings(Settings.at(tmp_path))
    for url in ("postgresql+nosuchdriver://me:secret@host/db", "postgresql+psycopg://me:secret@127.0.0.1:1/db"):
        with pytest.raises(StoreError, match="did not do as asked") as caught:
            StyleLibrary(url, tmp_path / "blobs")
        assert "secret" not in str(caught.value)


def test_a_database_that_we_never_tried_is_refused_by_name(tmp_path):
    with pytest.raises(StoreError, match="kept in SQLite or PostgreSQL, not in mysql"):
        StyleLibrary("mysql+mysqldb://host/db", tmp_path)


def test_words_become_a_slug():
    assert slug("Stained Glass") == "stained-glass"
    assert slug("Œuvre — Été!") == "uvre-ete"
    assert slug("???") == "style"
