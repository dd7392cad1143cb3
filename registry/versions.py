"""Registered versions: register, list, judge by evidence, promote, roll back. The aliases say which version does what:

candidate    the last one registered
challenger   the one that is tried out beside the champion
champion     the one that is served
previous     the one that was served before; `rollback` returns to it
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from registry.aliases import numbered, point, pointed
from registry.errors import PromotionRefused, RegistrationFailed, UnknownVersion
from registry.evidence import EVIDENCE_NAME, Evidence, read_evidence
from registry.evidence_store import fetch_evidence, keep_evidence
from registry.fetching import fetch_package
from registry.listing import TAG_PREFIX, Version, lineage, list_versions
from registry.locks import exclusive
from registry.moves import Decide, move
from registry.promotion import AlreadyChampion, refusal
from registry.promotion_log import Action, Chain, Promotion
from registry.promotion_store import PromotionLog
from registry.registration import announce, store_version
from registry.selectors import parse_selector
from registry.settings import Settings
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
        self._client = open_client(settings)
        self._log = PromotionLog(self._client)

    def register(
        self,
        package_folder: str | os.PathLike[str],
        *,
        run_id: str | None = None,
        stage1_run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        engine: EngineName = "auto",
    ) -> Version:
        """Make a package a version with alias `candidate`: all of it or, on failure or Ctrl-C, nothing.

        A package that is a version already is not registered again: that version gets the alias and is returned.

        Args:
            package_folder: the package; every digest and the golden picture are checked first.
            run_id: the run that trained it. Left out, a small run is made to hold its evidence.
            stage1_run_id: the run of its first training stage.
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
                announce(self._client, known.number)
                return self.get(known)
            parents = [version.number for digest in package.manifest.parents if (version := self.find(digest))]
            ours = lineage(package, parent_versions=parents, stage1_run_id=stage1_run_id)
            every_tag = {**(tags or {}), **ours}
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
        with told_plainly(self.settings):
            found = (
                numbered(self._client, selector.number)
                if selector.number is not None
                else pointed(self._client, str(selector.alias))
            )
        if found is None:
            raise UnknownVersion(f"no version '{selector}' in the registry {_what_there_is(self.versions())}")
        return found

    def find(self, digest: str) -> Version | None:
        """The version that holds this very package (the first, were there several), None if there is none."""
        with told_plainly(self.settings):
            return next(iter(reversed(list_versions(self._client, digest=digest))), None)

    def champion(self) -> Version | None:
        """The version that is served, None if there is none."""
        return self.pointed("champion")

    def pointed(self, alias: str) -> Version | None:
        """What an alias points to, None where it is not set. One request: made to be polled.

        Raises:
            StoreError: MLflow failed.
        """
        with told_plainly(self.settings):
            return pointed(self._client, alias)

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

        Two promoters at once, on one machine or on two that share a registry: one wins; the other decides again, and is
        refused, for the champion has changed (`moves.py` says what this rests on).

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

        def decide(champion: Version | None, _: Chain) -> tuple[Action, Version, dict[str, Any]]:
            if champion is not None and champion.number == target.number:
                raise AlreadyChampion(f"{target.name} is the champion already; there is nothing to do")
            overridden = refusal(target, champion, evidence)
            if overridden is not None and force_reason is None:
                raise PromotionRefused(f"{target.name} was not promoted: {overridden}")
            return (
                "promote",
                target,
                {
                    "evidence_digest": evidence_digest,
                    "verdict": evidence.verdict if evidence else None,
                    "force_reason": force_reason,
                    "overridden": overridden,
                },
            )

        return self._move(decide)

    def rollback(self) -> Promotion:
        """Return to the champion before this one. Doing it again goes one further back, as far as the log reaches.

        Raises:
            PromotionRefused: there is no version to return to, or another machine moved the champion meanwhile.
            LogBroken, StoreError: as in `promote`.
        """
        seen: list[Version | None] = []

        def decide(champion: Version | None, _: Chain) -> tuple[Action, Version, dict[str, Any]]:
            seen.append(champion)
            if champion != seen[0] and (champion is None or seen[0] is None or champion.number != seen[0].number):
                raise PromotionRefused("the champion changed meanwhile; see `pentimento versions` and decide again")
            previous = pointed(self._client, "previous")
            if champion is None or previous is None:
                raise PromotionRefused(
                    "there is no version to roll back to: "
                    + ("nothing was ever promoted" if champion is None else f"{champion.name} is the first champion")
                    + "; see `pentimento versions`"
                )
            return "rollback", previous, {}

        return self._move(decide)

    def challenge(self, version: str | int | Version) -> Version:
        """Make a version the challenger: the one that the service may try out beside the champion.

        Raises:
            PromotionRefused: it is the champion.
            UnknownVersion, StoreError: as elsewhere.
        """
        target = self.get(version)
        if "champion" in target.aliases:
            raise PromotionRefused(f"{target.name} is the champion; it cannot challenge itself")
        with exclusive(self.settings.lock_path), told_plainly(self.settings):
            point(self._client, "challenger", target.number)
        return self.get(target)

    def withdraw_challenger(self) -> Version | None:
        """Have no challenger any more. Returns the one that there was.

        Raises:
            StoreError: MLflow failed.
        """
        with exclusive(self.settings.lock_path), told_plainly(self.settings):
            before = pointed(self._client, "challenger")
            point(self._client, "challenger", None)
        return before

    def evidence(self, version: str | int | Version) -> Evidence | None:
        """The evidence logged last for a version, None where there is none.

        Raises:
            EvidenceError: it cannot be read any more.
            UnknownVersion, StoreError: as elsewhere.
        """
        return fetch_evidence(self._client, self.settings, self.get(version))

    def history(self) -> tuple[Promotion, ...]:
        """Every promotion and rollback, oldest first, the chain of hashes checked.

        Raises:
            LogBroken: the log was altered.
            StoreError: MLflow failed.
        """
        with told_plainly(self.settings):
            return self._log.chain().promotions

    def _move(self, decide: Decide) -> Promotion:
        # The lock spares processes of one machine the log's race; between machines the log alone decides.
        with exclusive(self.settings.lock_path), told_plainly(self.settings):
            return move(self._client, self._log, decide)


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
