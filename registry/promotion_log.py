"""The promotion log: who made which version the champion, when, and on what evidence. JSON lines, chained by hashes.

Every line carries the hash of the line before it, so changing, dropping or inserting one in the middle shows. Lines
cut off at the end cannot be told from lines never written; the registry's own aliases tell then, and the difference is
recorded as an "observed" line at the next move.
"""

import getpass
import hashlib
import json
import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from registry.errors import LogBroken

FIRST_HASH = "0" * 64
Action = Literal["promote", "rollback", "observed"]


class Promotion(BaseModel):
    """One line of the log: the champion became `version`.

    Args:
        action: "promote" and "rollback" are ours; "observed" records a champion that changed by other means.
        version: number of the new champion, and `digest` of its package.
        from_version: number of the champion before, None if there was none.
        evidence_digest: sha256 of the evidence.json that allowed it.
        force_reason: why somebody overrode the refusal that stands in `overridden`.
        actor: user@host.
        previous_hash: the `hash` of the line before.
        hash: sha256 of everything else in this line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sequence: int
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


class PromotionLog:
    """The log in one file. Whoever appends holds the registry's lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def promotions(self) -> tuple[Promotion, ...]:
        """Every line, oldest first, the chain checked.

        Raises:
            LogBroken: a line was altered, dropped or inserted; it is named.
        """
        found: list[Promotion] = []
        previous = FIRST_HASH
        for number, line in enumerate(self._whole_lines(), start=1):
            try:
                promotion = Promotion.model_validate_json(line)
                fields = json.loads(line)
            except (ValidationError, ValueError) as error:
                raise self._broken(number, "it is not a promotion") from error
            if promotion.previous_hash != previous or promotion.sequence != number:
                raise self._broken(number, "it does not follow from the line before")
            if promotion.hash != _hash(fields):
                raise self._broken(number, "its contents are not those that were hashed")
            previous = promotion.hash
            found.append(promotion)
        return tuple(found)

    def append(self, action: Action, **fields: Any) -> Promotion:
        """Chain one line to the log and bring it to the disk. `fields` are those of `Promotion`.

        Raises:
            LogBroken: the log so far does not hold together.
        """
        so_far = self.promotions()
        line: dict[str, Any] = {
            "sequence": len(so_far) + 1,
            "at": datetime.now(UTC).isoformat(),
            "action": action,
            "actor": _actor(),
            "previous_hash": so_far[-1].hash if so_far else FIRST_HASH,
            **fields,
        }
        line["hash"] = _hash(line)
        promotion = Promotion.model_validate_json(json.dumps(line))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = sum(len(text) + 1 for text in self._whole_lines())
        with open(self.path, "ab") as stream:
            stream.truncate(whole)  # only ever drops the half line of a writer that was killed while writing it
            stream.write(json.dumps(line, sort_keys=True, ensure_ascii=False).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        return promotion

    def _whole_lines(self) -> list[bytes]:
        try:
            blob = self.path.read_bytes()
        except FileNotFoundError:
            return []
        return blob.split(b"\n")[:-1]

    def _broken(self, number: int, why: str) -> LogBroken:
        return LogBroken(
            f"{self.path}, line {number}: {why}; restore the file from a backup, or move it aside to begin a new log"
        )


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


def _hash(fields: dict[str, Any]) -> str:
    rest = {key: value for key, value in fields.items() if key != "hash"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _actor() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a passwd entry
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
