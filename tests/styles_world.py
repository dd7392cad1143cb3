"""What tests of the style library share: a library per database, an S3 on loopback, and a library as 0.1 left it."""

import hashlib
import io
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from registry.blobs import BlobFolder
from registry.settings import Settings
from registry.styles import StyleLibrary
from stylenet.images import Pixels
from stylenet.pictures import encode_picture


def pixels_of(seed: int, height: int = 40, width: int = 48) -> Pixels:
    """Noise that no other seed gives."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(name="settings", params=["sqlite", "postgresql"])
def settings_fixture(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A home of its own, with its library in SQLite, and again in PostgreSQL."""
    if request.param == "sqlite":
        return Settings.at(tmp_path)
    return replace(Settings.at(tmp_path), styles_url=request.getfixturevalue("postgres").database())


@pytest.fixture(name="library")
def library_fixture(settings: Settings) -> Iterator[StyleLibrary]:
    """An empty library."""
    opened = StyleLibrary.from_settings(settings)
    yield opened
    opened.close()


@pytest.fixture(name="s3_bucket", scope="session")
def s3_bucket_fixture() -> Iterator[str]:
    """The URL of a bucket on a real S3 server on loopback; the environment says where it is."""
    server = pytest.importorskip("moto.server", reason="needs moto[server]")
    pytest.importorskip("s3fs", reason="needs s3fs: pip install 'pentimento[team]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    running.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import s3fs

        s3fs.S3FileSystem().mkdir("pentimento")
        yield "s3://pentimento"
    running.stop()


def make_first_library(settings: Settings, names: tuple[str, ...], blobs: Path) -> None:
    """A library as Pentimento 0.1 made it: by create_all, with schema version 1, one small picture per style."""
    engine = sa.create_engine(settings.styles_url)
    FIRST_TABLES.create_all(engine)
    store = BlobFolder(blobs)
    with engine.begin() as connection:
        connection.execute(FIRST_TABLES.tables["pentimento_schema"].insert(), [{"id": 1, "version": 1}])
        for number, name in enumerate(names):
            for table, row in _first_rows(store, name, pixels_of(1000 + number)):
                connection.execute(FIRST_TABLES.tables[table].insert(), [row])
    engine.dispose()


def _first_rows(store: BlobFolder, name: str, pixels: Pixels) -> list[tuple[str, dict[str, object]]]:
    height, width = pixels.shape[:2]
    pixel_digest = hashlib.sha256(f"{width}x{height}:".encode() + pixels.tobytes()).hexdigest()
    content = hashlib.sha256(pixel_digest.encode()).hexdigest()
    small = io.BytesIO()
    Image.fromarray(pixels).save(small, format="WEBP")
    style = {
        "id": content[:16],
        "name": name,
        "title": f"Die {name} Dürers",
        "author": "A. Dürer",
        "licence": "CC0",
        "note": "",
        "builtin": False,
        "content_digest": content,
        "thumbnail": store.put(small.getvalue()),
        "created_at": datetime(2026, 1, 2, tzinfo=UTC),
    }
    picture = {
        "style_id": content[:16],
        "position": 0,
        "blob": store.put(encode_picture(pixels)),
        "pixel_digest": pixel_digest,
        "width_px": width,
        "height_px": height,
    }
    tag = {"style_id": content[:16], "tag": "hare"}
    return [("styles", style), ("style_pictures", picture), ("style_tags", tag), ("style_seeds", {"name": name})]


def _style_id() -> sa.Column:
    return sa.Column("style_id", sa.String(16), sa.ForeignKey("styles.id", ondelete="CASCADE"), primary_key=True)


FIRST_TABLES = sa.MetaData()
"""The tables of Pentimento 0.1, written down: they must not change with ours."""
sa.Table(
    "pentimento_schema",
    FIRST_TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)
sa.Table(
    "styles",
    FIRST_TABLES,
    sa.Column("id", sa.String(16), primary_key=True),
    *(sa.Column(name, sa.String(most), nullable=False) for name, most in (("title", 200), ("author", 200))),
    *(sa.Column(name, sa.String(most), nullable=False) for name, most in (("licence", 200), ("note", 2000))),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("builtin", sa.Boolean, nullable=False),
    sa.Column("content_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("thumbnail", sa.String(64), nullable=False, index=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)
sa.Table("style_seeds", FIRST_TABLES, sa.Column("name", sa.String(64), primary_key=True))
sa.Table(
    "style_pictures",
    FIRST_TABLES,
    _style_id(),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("blob", sa.String(64), nullable=False, index=True),
    sa.Column("pixel_digest", sa.String(64), nullable=False),
    sa.Column("width_px", sa.Integer, nullable=False),
    sa.Column("height_px", sa.Integer, nullable=False),
    sa.UniqueConstraint("style_id", "pixel_digest"),
)
sa.Table("style_tags", FIRST_TABLES, _style_id(), sa.Column("tag", sa.String(64), primary_key=True, index=True))
sa.Table(
    "style_codes",
    FIRST_TABLES,
    _style_id(),
    sa.Column("package_digest", sa.String(64), primary_key=True),
    sa.Column("engine", sa.String(64), primary_key=True),
    sa.Column("code", sa.LargeBinary, nullable=False),
)
