"""Registered versions: register, list, judge by evidence, promote, roll back. The aliases say which version does what:

candidate   the last one registered
champion    the one that is served
previous    the one that was served before; `rollback` returns to it
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from registry.errors import PromotionRefused, RegistrationFailed, UnknownVersion
from registry.evidence import EVIDENCE_NAME, read_evidence
from registry.evidence_store import keep_evidence
from registry.fetching import fetch_package
from registry.listing import FORCED_TAG, TAG_PREFIX, Version, lineage, list_versions
from registry.locks import exclusive
from registry.promotion import AlreadyChampion, refusal
from registry.promotion_log import Action, Promotion, PromotionLog, champions
from registry.registration import store_version
from registry.selectors import parse_selector
from registry.settings import MODEL_NAME, Settings
from registry.store import open_client, told_plainly
from runtime.engine import EngineName
from runtime.package import Package, file_digest, open_package

__all__ = ["AlreadyChampion", "Promotion", "Registry", "Version"]


class Registry:
    """The registry of one `Settings`. Opening it opens the MLflow store, and makes its database where there is none."""

    def __init__(self, settings: Settings) -> None:
        """Open the store.

        Raises:
            StoreError: it cannot be reached.
        """
        self.settings = settings
        self.log = PromotionLog(settings.promotions_path)
        self._client = open_client(settings)

    def register(
        self,
        package_folder: str | os.PathLike[str],
        *,
        run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        engine: EngineName = "auto",
    ) -> Version:
        """Make a package a version with alias `candidate`: all of it or, on failure or Ctrl-C, nothing.

        A package that is a version already is not registered again: that version gets the alias and is returned.

        Args:
            package_folder: the package; every digest and the golden picture are checked first.
            run_id: the run that trained it. Left out, a small run is made to hold its evidence.
            tags: more tags for the version; none of ours, which begin with "pentimento.".
            engine: which one must paint the package's golden picture; by default the one that will serve it here.

        Raises:
            PackageError, GoldenMismatch: the package must not be used (from `runtime`).
            RegistrationFailed: no such run, or a tag of a reserved name.
            StoreError: MLflow failed.
        """
        from runtime.loading import load_engine

        package = open_package(package_folder)
        reserved = sorted(key for key in tags or {} if key.startswith(TAG_PREFIX))
        if reserved:
            raise RegistrationFailed(f"the tag {reserved[0]!r} is written by the registry itself; choose another name")
        if self.find(package.digest) is None:
            load_engine(package, engine).close()  # paints the golden picture, or raises
        with exclusive(self.settings.lock_path, timeout_s=300), told_plainly(self.settings):
            known = self.find(package.digest)  # again: another process may have registered it meanwhile
            if known is not None:
                self._point("candidate", known.number)
                return self.get(known)
            every_tag = {**(tags or {}), **lineage(package)}
            return self.get(store_version(self._client, self.settings, package, run_id=run_id, tags=every_tag))

    def versions(self) -> list[Version]:
        """Every version, the newest first.

        Raises:
            StoreError: MLflow failed.
        """
        with told_plainly(self.settings):
            return list_versions(self._client)

    def get(self, ref: str | int | Version) -> Version:
        """One version, by number, alias, `models:/pentimento/3` or `models:/pentimento@champion`.

        Raises:
            UnknownVersion: there is none; the message says which there are.
            StoreError: MLflow failed.
        """
        selector = parse_selector(ref.number if isinstance(ref, Version) else ref)
        everything = self.versions()
        for version in everything:
            if version.number == selector.number or selector.alias in version.aliases:
                return version
        raise UnknownVersion(f"no version '{selector}' in the registry {_what_there_is(everything)}")

    def find(self, digest: str) -> Version | None:
        """The version that holds this very package, None if there is none."""
        return next((version for version in self.versions() if version.digest == digest), None)

    def champion(self) -> Version | None:
        """The version that is served, None if there is none."""
        return self._pointed("champion")

    def fetch(self, ref: str | int | Version) -> Package:
        """The package of a version, on this machine and verified; copied once from wherever MLflow keeps it.

        Raises:
            UnknownVersion: there is no such version.
            StoreError: its files are gone, or are not those that were registered.
        """
        return fetch_package(self._client, self.settings, self.get(ref))

    def log_evidence(self, version: str | int | Version, folder: str | os.PathLike[str]) -> str:
        """Keep an evaluation's folder (report, scores, evidence.json) in the version's run; the same one is kept once.

        Where it holds an evidence.json, its verdict shows on the version and its scores become metrics of the run.

        Returns:
            The folder's path among the run's artifacts.

        Raises:
            EvidenceError: nothing in the folder, or evidence about another package.
            StoreError: MLflow failed.
        """
        target = self.get(version)
        with told_plainly(self.settings):
            return keep_evidence(self._client, target, Path(folder))

    def promote(
        self,
        version: str | int | Version,
        evidence_dir: str | os.PathLike[str] | None = None,
        force_reason: str | None = None,
    ) -> Promotion:
        """Make a version the champion, if the evidence in `evidence_dir` allows it at this very moment.

        Two promoters at once (processes of one machine): one wins, the other is refused, for the champion has changed.

        Args:
            version: which one.
            evidence_dir: the folder that `pentimento gate` wrote evidence.json into.
            force_reason: why a refusal shall not count; it is recorded with what it overrode.

        Raises:
            PromotionRefused: no passing evidence for that very package, or the champion changed since it was made.
            AlreadyChampion: it is the champion.
            EvidenceError: evidence.json is missing or unreadable.
            LogBroken: the promotion log was altered.
            UnknownVersion, StoreError: as elsewhere.
        """
        if force_reason is not None and not force_reason.strip():
            raise PromotionRefused("forcing a promotion needs a reason; say why in a few words")
        target = self.get(version)
        evidence, evidence_digest = None, None
        if evidence_dir is not None:
            evidence = read_evidence(evidence_dir)
            evidence_digest = file_digest(_evidence_file(Path(evidence_dir)))
            if evidence.candidate_digest == target.digest and Path(evidence_dir).is_dir():
                self.log_evidence(target, evidence_dir)  # kept whatever becomes of it: a rejection is evidence too
        with exclusive(self.settings.lock_path), told_plainly(self.settings):
            self._reconcile()
            champion = self.champion()
            if champion is not None and champion.number == target.number:
                raise AlreadyChampion(f"{target.name} is the champion already; there is nothing to do")
            overridden = refusal(target, champion, evidence)
            if overridden is not None and force_reason is None:
                raise PromotionRefused(f"{target.name} was not promoted: {overridden}")
            if overridden is not None:
                self._client.set_model_version_tag(MODEL_NAME, str(target.number), FORCED_TAG, str(force_reason))
            return self._move_champion(
                "promote",
                target,
                champion,
                previous=champion.number if champion else None,
                evidence_digest=evidence_digest,
                verdict=evidence.verdict if evidence else None,
                force_reason=force_reason,
                overridden=overridden,
            )

    def rollback(self) -> Promotion:
        """Return to the champion before this one. Doing it again goes one further back, as far as the log reaches.

        Raises:
            PromotionRefused: there is no version to return to.
            LogBroken, StoreError: as in `promote`.
        """
        with exclusive(self.settings.lock_path), told_plainly(self.settings):
            self._reconcile()
            champion, previous = self.champion(), self._pointed("previous")
            if champion is None or previous is None:
                raise PromotionRefused(
                    "there is no version to roll back to: "
                    + ("nothing was ever promoted" if champion is None else f"{champion.name} is the first champion")
                    + "; see `pentimento versions`"
                )
            before = [number for number, _ in champions(self.log.promotions())]
            further = before[-3] if len(before) > 2 and before[-2] == previous.number else None
            return self._move_champion("rollback", previous, champion, previous=further)

    def history(self) -> tuple[Promotion, ...]:
        """Every promotion and rollback, oldest first, the chain of hashes checked.

        Raises:
            LogBroken: the log was altered.
        """
        return self.log.promotions()

    def _move_champion(
        self, action: Action, target: Version, champion: Version | None, *, previous: int | None, **fields: Any
    ) -> Promotion:
        # In an order in which a kill at any point leaves every alias on a whole version; `_reconcile` does the rest.
        if action == "promote":
            self._point("previous", previous)
            self._point("champion", target.number)
        else:
            self._point("champion", target.number)
            self._point("previous", previous)
        return self._write(action, target, champion, **fields)

    def _write(self, action: Action, target: Version, before: Version | None, **fields: Any) -> Promotion:
        return self.log.append(
            action,
            version=target.number,
            digest=target.digest,
            from_version=before.number if before else None,
            from_digest=before.digest if before else None,
            **fields,
        )

    def _reconcile(self) -> None:
        """Record a champion that changed without us (a killed promoter, MLflow's own page), and mend `previous`."""
        champion, previous = self.champion(), self._pointed("previous")
        if champion is None:
            return
        before = champions(self.log.promotions())
        if not before or before[-1] != (champion.number, champion.digest):
            known = next((v for v in self.versions() if before and v.number == before[-1][0]), previous)
            self._write("observed", champion, None if known == champion else known)
            before = champions(self.log.promotions())
        if previous is None or previous.number == champion.number:
            exists = {version.number for version in self.versions()}
            back = before[-2][0] if len(before) > 1 and before[-2][0] in exists else None
            self._point("previous", back)

    def _pointed(self, alias: str) -> Version | None:
        return next((version for version in self.versions() if alias in version.aliases), None)

    def _point(self, alias: str, number: int | None) -> None:
        if number is not None:
            self._client.set_registered_model_alias(MODEL_NAME, alias, str(number))
        elif self._pointed(alias) is not None:
            self._client.delete_registered_model_alias(MODEL_NAME, alias)


def _evidence_file(path: Path) -> Path:
    return path / EVIDENCE_NAME if path.is_dir() else path


def _what_there_is(everything: list[Version]) -> str:
    if not everything:
        return "(have: none yet); `pentimento train CONFIG.yaml` makes the first"
    named = [
        version.name + (f" ({', '.join(version.aliases)})" if version.aliases else "") for version in everything[:8]
    ]
    more = f" and {len(everything) - 8} older" if len(everything) > 8 else ""
    return f"(have: {', '.join(named)}{more}); see `pentimento versions`"
