"""Whether evidence allows a promotion: a pure decision from values to a reason against it, or none."""

from typing import Protocol

from registry.errors import PromotionRefused
from registry.evidence import Evidence


class Judged(Protocol):
    """What the decision needs to know of a version."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...


class AlreadyChampion(PromotionRefused):
    """There is nothing to do: this very version is the champion."""


def refusal(target: Judged, champion: Judged | None, evidence: Evidence | None) -> str | None:
    """Why `target` must not become the champion, in one sentence with its cure; None where it may.

    Args:
        target: the version to be promoted.
        champion: the champion of this moment, None if there is none.
        evidence: what a gate found out, None where nobody asked one.
    """
    cure = f"run `pentimento evaluate models:/{target.name}` and `pentimento gate`"
    if evidence is None:
        return f"no evidence for {target.name}; {cure}"
    if evidence.candidate_digest != target.digest:
        return (
            f"the evidence is about package {evidence.candidate_digest[:12]}, "
            f"but {target.name} is package {target.digest[:12]}; {cure}"
        )
    if not evidence.passed:
        failed = ", ".join(rule.name for rule in evidence.rules if not rule.passed)
        because = evidence.reason or (f"failed: {failed}" if failed else "no reason given")
        return f"the gate's verdict on {target.name} is '{evidence.verdict}' ({because}), not 'passed'"
    current = None if champion is None else champion.digest
    if evidence.champion_digest != current:
        return (
            f"the champion changed since the evidence was made (judged against {_short(evidence.champion_digest)}, "
            f"now {_short(current) if champion is None else f'{champion.name} = {_short(current)}'}); {cure} again"
        )
    return None


def _short(digest: str | None) -> str:
    return "no champion" if digest is None else f"package {digest[:12]}"
