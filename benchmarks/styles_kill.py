"""kill -9 at random moments of adding, removing and migrating styles: no half style, nothing left that is not named.

    .venv/bin/python benchmarks/styles_kill.py --kills 150
    .venv/bin/python benchmarks/styles_kill.py --kills 150 --postgres

After every kill the tables and the blob folder are read by themselves, past the library's own code, and compared with
what `registry.style_repair` names; then it cleans, and they are read again. Exits with 1 at the first difference.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from styles_world import make_first_library, pixels_of

from registry.errors import DuplicateStyle, UnknownStyle
from registry.settings import Settings
from registry.style_migrations import HEAD
from registry.style_repair import leftovers
from registry.styles import StyleLibrary

CONTEXT = multiprocessing.get_context("fork")  # starts in milliseconds: kills land in the work, not in the imports
OLD_STYLES = 300


def add_and_remove(settings: Settings, seed: int) -> None:
    """Change the library without end."""
    random = np.random.default_rng(seed)
    library = StyleLibrary.from_settings(settings)
    while True:
        seeds = [int(n) for n in random.choice(60, size=random.integers(1, 4), replace=False)]
        with suppress(DuplicateStyle):
            library.add(f"style-{random.integers(40)}", [pixels_of(n, 64, 64) for n in seeds], tags=["a", "b"])
        if random.random() < 0.4:
            with suppress(UnknownStyle):
                library.remove(f"style-{random.integers(40)}")


def open_library(settings: Settings, seed: int) -> None:
    """Bring it up to date."""
    StyleLibrary.from_settings(settings).close()


def kill_after(work: Callable[[Settings, int], None], settings: Settings, seed: int, delay_s: float) -> bool:
    """Start the work, kill -9 it after the delay. Returns whether it was still at it."""
    process = CONTEXT.Process(target=work, args=(settings, seed))
    process.start()
    time.sleep(delay_s)
    was_alive = process.is_alive()
    if process.pid is not None and was_alive:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    if not was_alive and process.exitcode != 0:
        raise SystemExit(f"the worker ended by itself with {process.exitcode}")
    wait_for_server(settings.styles_url)
    return was_alive


def wait_for_server(url: str) -> None:
    """A PostgreSQL server may still be committing what the killed process had sent."""
    if not url.startswith("postgresql"):
        return
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect() as connection:
        while connection.execute(sa.text(others)).scalar_one():
            time.sleep(0.005)
    engine.dispose()


def check_whole(settings: Settings) -> tuple[int, set[str]]:
    """Every style has all its rows and files. Returns how many there are, and which files they need.

    Raises:
        SystemExit: one has not.
    """
    engine, needed = sa.create_engine(settings.styles_url), set()
    with engine.connect() as connection:
        styles = connection.execute(sa.text("SELECT id, content_digest, thumbnail FROM styles")).all()
        for style in styles:
            query = sa.text("SELECT position, blob, pixel_digest FROM style_pictures WHERE style_id = :id ORDER BY 1")
            rows = connection.execute(query, {"id": style.id}).all()
            content = hashlib.sha256("\n".join(sorted(row.pixel_digest for row in rows)).encode()).hexdigest()
            if not rows or [row.position for row in rows] != list(range(len(rows))) or content != style.content_digest:
                raise SystemExit(f"half a style: {style.id} has the pictures {rows}")
            needed |= {style.thumbnail, *(row.blob for row in rows)}
    engine.dispose()
    for digest in needed:
        path = settings.styles_folder / digest[:2] / digest
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise SystemExit(f"a style needs {path}, which is missing or altered")
    return len(styles), needed


def files_in(folder: Path) -> set[str]:
    """Every file below the blob folder, except the library's own mark."""
    return {path.name for path in folder.rglob("*") if path.is_file() and path.name != "library-id"}


def kill_while_adding(settings: Settings, kills: int, seed: int, most_s: float = 0.6) -> dict[str, int]:
    """Kill a process that adds and removes, again and again, and check after each."""
    random = np.random.default_rng(seed)
    counts = {"kills": 0, "kills that left files": 0, "files named and cleaned": 0, "styles at the end": 0}
    StyleLibrary.from_settings(settings).close()
    for number in range(kills):
        kill_after(add_and_remove, settings, seed + number, float(random.uniform(0.02, most_s)))
        counts["kills"] += 1
        counts["styles at the end"], needed = check_whole(settings)
        left = files_in(settings.styles_folder) - needed
        found = leftovers(settings)
        if {Path(leftover.name).name for leftover in found} != left:
            raise SystemExit(f"left behind: {left}; named: {[leftover.name for leftover in found]}")
        for leftover in found:
            leftover.clean()
        if files_in(settings.styles_folder) != needed or leftovers(settings):
            raise SystemExit("cleaning did not clean")
        counts["kills that left files"] += bool(left)
        counts["files named and cleaned"] += len(left)
    return counts


def kill_while_migrating(
    settings: Settings, kills: int, seed: int, renew: Callable[[], str], most_s: float | None = None
) -> dict[str, int]:
    """Kill a process that upgrades an old library, each time a fresh one; then upgrade it, and see that all is there.

    Args:
        renew: makes a fresh database with the old library in it, and returns its URL.
        most_s: the latest moment; by default what an upgrade takes here, and a fifth more.
    """
    random = np.random.default_rng(seed)
    if most_s is None:
        settings = replace(settings, styles_url=renew())
        started = time.monotonic()
        process = CONTEXT.Process(target=open_library, args=(settings, 0))
        process.start()
        process.join()
        most_s = 1.2 * (time.monotonic() - started)
    counts = {"kills": 0, "was still at it": 0, "old tables after": 0, "new tables after": 0}
    for _ in range(kills):
        settings = replace(settings, styles_url=renew())
        (settings.styles_folder / "library-id").unlink(missing_ok=True)  # each upgrade names its library anew
        alive = kill_after(open_library, settings, 0, float(random.uniform(0, most_s)))
        counts["kills"] += 1
        counts["was still at it"] += alive
        counts["new tables after" if is_new(settings.styles_url) else "old tables after"] += 1
        library = StyleLibrary.from_settings(settings)
        if library.count() != OLD_STYLES or library.count("durers") != OLD_STYLES:
            raise SystemExit("styles were lost, or cannot be searched for")
        library.close()
        check_whole(settings)
        if leftovers(settings):
            raise SystemExit("a migration left files")
    return counts


def is_new(url: str) -> bool:
    """Whether the tables are wholly those of today; SystemExit where they are neither these nor the old ones."""
    engine = sa.create_engine(url)
    look = sa.inspect(engine)
    tables = set(look.get_table_names())
    columns = {column["name"] for column in look.get_columns("styles")}
    new = {"alembic_version": "alembic_version" in tables, "style_looks": "style_looks" in tables}
    new |= {"style_library": "style_library" in tables, "search_text": "search_text" in columns}
    if len(set(new.values())) != 1:
        raise SystemExit(f"a half migration: {new}")
    if new["search_text"]:
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one() == HEAD
    engine.dispose()
    return new["search_text"]


def main() -> None:
    """Run both and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=150, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own instead of SQLite")
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="pentimento-kills-"))
    try:
        print(json.dumps(run(home, arguments.kills, arguments.seed, postgres=arguments.postgres), indent=1))
    finally:
        shutil.rmtree(home)


def run(home: Path, kills: int, seed: int, *, postgres: bool) -> dict[str, dict[str, int]]:
    """Both kinds of kill, each on libraries of its own below `home`."""
    adding, migrating = Settings.at(home / "adding"), Settings.at(home / "migrating")
    names = tuple(f"style-{number:04}" for number in range(OLD_STYLES))
    if postgres:
        from postgres_server import start_postgres

        server = start_postgres()
        adding = replace(adding, styles_url=server.database())
        old = replace(migrating, styles_url=server.database())
        make_first_library(old, names, migrating.styles_folder)
        template = old.styles_url.rpartition("/")[2]

        def renew() -> str:
            return server.database(template=template)
    else:
        migrating.home.mkdir(parents=True)
        make_first_library(migrating, names, migrating.styles_folder)
        old_file = migrating.home / "old.db"
        shutil.copy(migrating.home / "styles.db", old_file)

        def renew() -> str:
            for leftover in migrating.home.glob("styles.db*"):
                leftover.unlink()
            shutil.copy(old_file, migrating.home / "styles.db")
            return migrating.styles_url

    return {
        "adding and removing": kill_while_adding(adding, kills, seed),
        "migrating": kill_while_migrating(migrating, kills, seed, renew),
    }


if __name__ == "__main__":
    main()
