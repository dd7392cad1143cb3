"""The library's tables move with Pentimento: a new one, one that 0.1 made, and one that cannot be known."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from postgres_server import postgres  # noqa: F401
from styles_world import FIRST_TABLES, library_fixture, make_first_library, pixels_of, settings_fixture  # noqa: F401

from registry import style_migrations
from registry.errors import StoreError
from registry.settings import Settings
from registry.style_migrations import HEAD, REVISIONS
from registry.style_repair import leftovers
from registry.style_tables import Base
from registry.styles import StyleLibrary

MIGRATIONS = Path(style_migrations.__file__).parent
NAMES = ("hare", "turf", "wing")


def test_the_steps_lead_to_the_very_tables_that_the_code_uses(library, settings):
    with sa.create_engine(settings.styles_url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_every_step_is_known_by_name_and_the_last_is_the_head():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    steps = ScriptDirectory.from_config(config)
    assert steps.get_current_head() == HEAD
    assert sorted(step.revision for step in steps.walk_revisions()) == list(REVISIONS)


def test_the_first_step_makes_the_tables_that_the_first_pentimento_made(tmp_path):
    from alembic import command

    described = []
    for name in ("by-hand", "by-step"):
        engine = sa.create_engine(f"sqlite:///{tmp_path / name}.db")
        with engine.begin() as connection:
            if name == "by-hand":
                FIRST_TABLES.create_all(connection)
            else:
                config = Config()
                config.set_main_option("script_location", str(MIGRATIONS))
                config.attributes["connection"] = connection
                command.upgrade(config, "0001")
        described.append(describe(engine))
    described[1].pop("alembic_version")
    assert described[0] == described[1]


def describe(engine: sa.Engine) -> dict[str, object]:
    """Columns, keys and indexes of every table, in no particular order."""
    look = sa.inspect(engine)
    return {
        table: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(table)),
            sorted(look.get_pk_constraint(table)["constrained_columns"]),
            sorted((key["referred_table"], str(key["options"])) for key in look.get_foreign_keys(table)),
            sorted((index["name"] or "", str(index["column_names"])) for index in look.get_indexes(table)),
            sorted(str(sorted(unique["column_names"])) for unique in look.get_unique_constraints(table)),
        )
        for table in look.get_table_names()
    }


def test_a_library_that_the_first_pentimento_made_is_adopted_with_all_that_is_in_it(settings):
    make_first_library(settings, NAMES, settings.styles_folder)
    library = StyleLibrary.from_settings(settings)
    assert [style.name for style in library.list()] == list(NAMES)
    np.testing.assert_array_equal(library.pictures("turf")[0], pixels_of(1001))
    assert library.get("hare").tags == ("hare",)
    assert [style.name for style in library.list("durers WING")] == ["wing"]
    assert library.add("new", [pixels_of(1)]).name == "new"
    assert library.remove("hare").name == "hare"
    library.close()
    assert leftovers(settings) == []
    assert revision(settings) == HEAD
    StyleLibrary.from_settings(settings).close()  # and again, when there is nothing left to do


def test_a_library_whose_first_creation_was_killed_half_way_is_made_anew(settings):
    engine = sa.create_engine(settings.styles_url)
    for table in ("pentimento_schema", "styles", "style_tags"):
        FIRST_TABLES.tables[table].create(engine)
    library = StyleLibrary.from_settings(settings)
    assert library.list() == ()
    library.close()


def test_tables_with_styles_in_them_but_no_word_of_their_schema_are_left_alone(settings):
    make_first_library(settings, NAMES, settings.styles_folder)
    with sa.create_engine(settings.styles_url).begin() as connection:
        connection.execute(sa.text("DELETE FROM pentimento_schema"))
    with pytest.raises(StoreError, match="holds rows, but nothing says of which schema; restore a backup"):
        StyleLibrary.from_settings(settings)
    with sa.create_engine(settings.styles_url).connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM styles")).scalar_one() == 3


@pytest.mark.parametrize("table", ["alembic_version", "pentimento_schema"])
def test_a_library_of_a_newer_pentimento_is_refused(settings, table):
    if table == "alembic_version":
        StyleLibrary.from_settings(settings).close()
        statement = "UPDATE alembic_version SET version_num = '9999'"
    else:
        make_first_library(settings, NAMES, settings.styles_folder)
        statement = "UPDATE pentimento_schema SET version = 9999"
    with sa.create_engine(settings.styles_url).begin() as connection:
        connection.execute(sa.text(statement))
    with pytest.raises(StoreError, match=f"has schema 9999; this Pentimento knows up to {HEAD}: use the Pentimento"):
        StyleLibrary.from_settings(settings)


def test_the_first_pentimento_sees_that_the_library_is_newer_than_itself(library, settings):
    with sa.create_engine(settings.styles_url).connect() as connection:
        assert connection.execute(sa.text("SELECT version FROM pentimento_schema")).scalar_one() == 2


def open_it(settings: Settings, queue) -> None:
    library = StyleLibrary.from_settings(settings)
    queue.put(len(library.list()))
    library.close()


def test_several_processes_that_open_an_old_library_at_once_upgrade_it_once(settings):
    make_first_library(settings, NAMES, settings.styles_folder)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [context.Process(target=open_it, args=(settings, queue)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [queue.get(timeout=60) for _ in processes] == [3, 3, 3, 3]
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0


def revision(settings: Settings) -> str:
    with sa.create_engine(settings.styles_url).connect() as connection:
        return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one())
