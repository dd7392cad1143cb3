"""kill -9 while styles are added and tables migrated, a few times; benchmarks/styles_kill.py does it hundreds."""

import importlib.util
from pathlib import Path

import pytest
from postgres_server import why_not

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "styles_kill.py"


@pytest.fixture(scope="module")
def killing():
    spec = importlib.util.spec_from_file_location("styles_kill", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgresql"])
def test_no_kill_leaves_half_a_style_or_half_a_migration_or_a_file_that_is_not_named(killing, tmp_path, postgres):
    if postgres and why_not():
        pytest.skip(why_not())
    done = killing.run(tmp_path, kills=6, seed=11, postgres=postgres)
    assert done["adding and removing"]["kills"] == done["migrating"]["kills"] == 6


def test_half_a_style_would_be_noticed(killing, tmp_path):
    """The check itself bites."""
    import sqlalchemy as sa

    from registry.settings import Settings
    from registry.styles import StyleLibrary

    settings = Settings.at(tmp_path)
    library = StyleLibrary.from_settings(settings)
    library.add("duo", [killing.pixels_of(1), killing.pixels_of(2)])
    library.close()
    assert killing.check_whole(settings)[0] == 1
    with sa.create_engine(settings.styles_url).begin() as connection:
        connection.execute(sa.text("DELETE FROM style_pictures WHERE position = 1"))
    with pytest.raises(SystemExit, match="half a style"):
        killing.check_whole(settings)
