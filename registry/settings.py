"""Where versions, promotions and styles are kept. Read from the environment once, at the door."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from registry.errors import SettingsError

MODEL_NAME = "pentimento"
"""The registered model's name in MLflow."""
EXPERIMENT_NAME = "pentimento"
SQL_SCHEMES = ("sqlite", "postgresql", "postgres", "mysql", "mssql")
_SERVER_SCHEMES = ("http", "https", "databricks")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Where things are kept.

    Args:
        home: this machine's folder: databases, artifacts, locks, fetched packages.
        tracking_uri: the MLflow server or its SQL database.
        artifact_root: where MLflow puts files while `tracking_uri` is a database; a server has its own place.
        styles_url: the style library's database, as SQLAlchemy writes it.
        styles_blobs: where its pictures are: a folder, or a URL such as s3://bucket/prefix; else `styles_folder`.

    Raises:
        SettingsError: a URI that MLflow or SQLAlchemy could not use.
    """

    home: Path
    tracking_uri: str
    artifact_root: Path
    styles_url: str
    styles_blobs: str = ""

    def __post_init__(self) -> None:
        scheme = urlsplit(self.tracking_uri).scheme.partition("+")[0]
        if scheme not in (*SQL_SCHEMES, *_SERVER_SCHEMES):
            raise SettingsError(
                f"MLFLOW_TRACKING_URI={self.tracking_uri!r} is neither a server nor a database (MLflow no longer keeps "
                f"versions in plain files); use http://HOST:PORT or sqlite:///{self.home / 'mlflow.db'}, or unset it"
            )
        if "://" not in self.styles_url:
            raise SettingsError(
                f"PENTIMENTO_STYLES_URL={self.styles_url!r} is no database URL; "
                f"use sqlite:///{self.home / 'styles.db'} or postgresql+psycopg://USER@HOST/DATABASE, or unset it"
            )

    @staticmethod
    def at(home: str | os.PathLike[str]) -> "Settings":
        """Everything inside one folder: SQLite databases and plain files."""
        folder = Path(home).expanduser().resolve()
        return Settings(
            home=folder,
            tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
            artifact_root=folder / "artifacts",
            styles_url=f"sqlite:///{folder / 'styles.db'}",
        )

    @staticmethod
    def from_env(env: Mapping[str, str] | None = None) -> "Settings":
        """PENTIMENTO_HOME (default ./.pentimento), MLFLOW_TRACKING_URI, PENTIMENTO_STYLES_URL, PENTIMENTO_STYLES_BLOBS
        (defaults inside it).

        Raises:
            SettingsError: one of them cannot work.
        """
        values = os.environ if env is None else env
        base = Settings.at(values.get("PENTIMENTO_HOME") or ".pentimento")
        return Settings(
            home=base.home,
            tracking_uri=values.get("MLFLOW_TRACKING_URI") or base.tracking_uri,
            artifact_root=base.artifact_root,
            styles_url=values.get("PENTIMENTO_STYLES_URL") or base.styles_url,
            styles_blobs=values.get("PENTIMENTO_STYLES_BLOBS", ""),
        )

    @property
    def uses_database_directly(self) -> bool:
        """Whether MLflow is a database opened by this process, and no server in between."""
        return urlsplit(self.tracking_uri).scheme.partition("+")[0] in SQL_SCHEMES

    @property
    def styles_folder(self) -> Path:
        """The style library's blob folder, unless `styles_blobs` names another place."""
        return self.home / "styles"

    @property
    def styles_place(self) -> str:
        """Where the style library's blobs are: a folder or a URL."""
        return self.styles_blobs or str(self.styles_folder)

    @property
    def packages_folder(self) -> Path:
        """Packages fetched from the registry, one folder per digest."""
        return self.home / "packages"

    @property
    def has_registry(self) -> bool:
        """Whether there is a registry to ask: not so where a SQLite file would first have to be made."""
        scheme, _, path = self.tracking_uri.partition(":///")
        return scheme.partition("+")[0] != "sqlite" or Path(path).is_file()

    @property
    def lock_path(self) -> Path:
        """Held by whoever registers, promotes or rolls back."""
        return self.home / "registry.lock"
