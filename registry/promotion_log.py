"""The promotion log's lines: who made which version the champion, when, and on what evidence, chained by hashes.

Every line carries the hash of the line that its writer saw last. So changing, dropping or inserting one shows; and of
two writers who saw the same last line only the first is followed: that is the compare-and-set of a promotion. The line
that came second stays in the log, as an attempt that lost. `promotion_store.py` keeps the lines.
"""

import getpass
import hashlib
import json
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from registry.errors import LogBroken

FIRST_HASH = "0" * 64
Action = Literal["promote", "rollback", "observed"]


class Promotion(BaseModel):
    """One line of the log: the champion became `version`.

    Args:
        sequence: its number in the log, given by the store and not part of the hash.
        action: "promote" and "rollback" are ours; "observed" records a champion that changed by other means.
        version: number of the new champion, and `digest` of its package.
        from_version: number of the champion before, None if there was none.
        evidence_digest: sha256 of the evidence.json that allowed it.
        force_reason: why somebody overrode the refusal that stands in `overridden`.
        actor: user@host.
        previous_hash: the `hash` of the last line that the writer saw.
        hash: sha256 of everything else in this line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sequence: int = 0
    at: AwareDatetime
    action: Action
    version: int
    digest: str
    from_version: int | None
    from_digest: str | None
    evidence_digest: str | None = None
    verdict: str | None = None
    force_reason: str | None = None
    overridden: str | None = None
    actor: str
    previous_hash: str
    hash: str

    @property
    def forced(self) -> bool:
        """Whether somebody overrode a refusal."""
        return self.overridden is not None


@dataclass(frozen=True, slots=True)
class Chain:
    """The log as everybody reads it.

    Args:
        promotions: the lines that follow one another, oldest first.
        lost: attempts that somebody else overtook; they changed nothing.
    """

    promotions: tuple[Promotion, ...] = ()
    lost: tuple[Promotion, ...] = ()

    @property
    def head(self) -> str:
        """The hash that the next line must carry."""
        return self.promotions[-1].hash if self.promotions else FIRST_HASH


def seal(action: Action, *, after: str, **fields: Any) -> Promotion:
    """A new line, not yet in any log.

    Args:
        action: what happened.
        after: the `Chain.head` that the decision was made on.
        fields: the rest of `Promotion`, less what follows from these.
    """
    line: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(),
        "action": action,
        "actor": _actor(),
        "previous_hash": after,
        **fields,
    }
    return Promotion.model_validate_json(json.dumps({**line, "hash": _hash(Promotion(**line, hash=""))}))


def follow(lines: Iterable[tuple[int, str]]) -> Chain:
    """Read the log: which lines follow one another, and which were overtaken.

    Args:
        lines: (number, JSON) of every line, numbered 1, 2, 3 and so on by the store.

    Raises:
        LogBroken: a line was altered, dropped or inserted; it is named.
    """
    followed: list[Promotion] = []
    lost: list[Promotion] = []
    seen, head = {FIRST_HASH}, FIRST_HASH
    for expected, (number, text) in enumerate(sorted(lines), start=1):
        if number != expected:
            raise broken(expected, "it is gone")
        line = _parse(number, text)
        if line.hash != _hash(line):
            raise broken(number, "its contents are not those that were hashed")
        if line.previous_hash == head:
            head = line.hash
            seen.add(head)
            followed.append(line)
        elif line.previous_hash in seen:
            lost.append(line)
        else:
            raise broken(number, "it does not follow from any line before")
    return Chain(tuple(followed), tuple(lost))


def champions(promotions: Sequence[Promotion]) -> list[tuple[int, str]]:
    """(version, digest) of the champions one could roll back through, the current one last."""
    stack: list[tuple[int, str]] = []
    for promotion in promotions:
        if promotion.from_version is not None and promotion.from_digest is not None and not stack:
            stack.append((promotion.from_version, promotion.from_digest))
        went_back = promotion.action != "promote" and len(stack) > 1 and stack[-2][0] == promotion.version
        if went_back:
            stack.pop()
        elif not stack or stack[-1][0] != promotion.version:
            stack.append((promotion.version, promotion.digest))
    return stack


def broken(number: int, why: str) -> LogBroken:
    """The error for one line."""
    return LogBroken(
        f"line {number} of the promotion log: {why}; restore the registry's database from a backup "
        "(docs/TEAM.md says how to begin a new log where there is none)"
    )


def _parse(number: int, text: str) -> Promotion:
    try:
        return Promotion.model_validate_json(text).model_copy(update={"sequence": number})
    except ValidationError as error:
        raise broken(number, "it is not a promotion") from error


def _hash(line: Promotion) -> str:
    rest = line.model_dump(mode="json", exclude={"hash", "sequence"})
    return hashlib.sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _actor() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a passwd entry
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
