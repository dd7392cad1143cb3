"""Moving the champion: the log decides, the aliases follow it.

A move is done once its line stands in the log as the one that follows the head its writer saw (compare and set; see
`promotion_log.py`). Only then are the aliases moved, and last of all the version is marked with the line's hash. So a
mover killed at any point leaves either nothing, or a line that the next mover, or `pentimento doctor --repair`, carries
out. No lock is held for this and no clock is asked, so it holds between machines as well.

What is not guaranteed: MLflow moves aliases unconditionally. A mover that stands still for long between its line and
its aliases may set them late, over those of a later move; it then reads the log again and follows it, but for the time
of those two requests the alias is behind the log.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from registry.aliases import numbered, point, pointed
from registry.errors import LogBroken, PromotionRefused
from registry.listing import FORCED_TAG, PROMOTION_TAG, Version
from registry.promotion_log import Action, Chain, Promotion, champions
from registry.promotion_store import Overtaken, PromotionLog
from registry.settings import MODEL_NAME

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ATTEMPTS = 8
_SECOND_LOOK_S = 0.3  # a late mover's alias is put right within two requests; see above

Decide = Callable[[Version | None, Chain], tuple[Action, Version, dict[str, Any]]]
"""From the champion of this moment and the log to a move: what, to which version, and the line's other fields."""


def move(client: "MlflowClient", log: PromotionLog, decide: Decide) -> Promotion:
    """Decide on what the log says now, and decide again if somebody else was quicker.

    Raises:
        PromotionRefused: by `decide`, or overtaken again and again.
        LogBroken, MlflowException: the log does not hold together, or the store failed.
    """
    for _ in range(_ATTEMPTS):
        try:
            champion, chain = settle(client, log)
            action, target, fields = decide(champion, chain)
            line, chain = _append(log, action, target, champion, chain, **fields)
        except Overtaken:
            continue
        _carry_out(client, log, chain)
        return line
    raise PromotionRefused(
        f"others moved the champion {_ATTEMPTS} times meanwhile; see `pentimento versions`, try again"
    )


def settle(client: "MlflowClient", log: PromotionLog) -> tuple[Version | None, Chain]:
    """Bring log and aliases together: carry out an unfinished move, record a champion that another tool set.

    Returns:
        The champion, and the log that names it as its last.

    Raises:
        Overtaken: somebody else moves the champion right now.
        LogBroken, MlflowException: as in `move`.
    """
    chain = log.chain()
    if unfinished(client, chain) is not None:
        chain = _carry_out(client, log, chain)
    champion = _steady_champion(client, log, chain)
    if champion is None:
        return None, chain
    _check_mark(champion, chain)
    known = champions(chain.promotions)
    if not known or known[-1] != (champion.number, champion.digest):
        before = numbered(client, known[-1][0]) if known else pointed(client, "previous")
        before = None if before is None or before.number == champion.number else before
        _, chain = _append(log, "observed", champion, before, chain)
        _carry_out(client, log, chain)
        return settle(client, log)
    return champion, chain


def unfinished(client: "MlflowClient", chain: Chain) -> Promotion | None:
    """The last line of the log where its move was not carried out to the end; None where all is done."""
    if not chain.promotions:
        return None
    last = chain.promotions[-1]
    target = numbered(client, last.version)
    if target is None or target.tags.get(PROMOTION_TAG) == last.hash:  # a version that is gone cannot be pointed to
        return None
    return last


def _steady_champion(client: "MlflowClient", log: PromotionLog, chain: Chain) -> Version | None:
    """What the alias points to, looked at twice where it is not what the log says, with the log as it was."""
    champion = pointed(client, "champion")
    known = champions(chain.promotions)
    if champion is not None and known and known[-1][0] != champion.number:
        time.sleep(_SECOND_LOOK_S)
        champion = pointed(client, "champion")
    if log.chain().head != chain.head:
        raise Overtaken
    return champion


def _append(
    log: PromotionLog, action: Action, target: Version, before: Version | None, chain: Chain, **fields: Any
) -> tuple[Promotion, Chain]:
    return log.append(
        action,
        after=chain.head,
        version=target.number,
        digest=target.digest,
        from_version=before.number if before else None,
        from_digest=before.digest if before else None,
        **fields,
    )


def _carry_out(client: "MlflowClient", log: PromotionLog, chain: Chain) -> Chain:
    """Make the aliases say what the log says; again, if the log went on meanwhile. Safe to do twice, or by two."""
    while True:
        last, known = chain.promotions[-1], champions(chain.promotions)
        back = next((n for n, _ in reversed(known[:-1]) if n != last.version and numbered(client, n)), None)
        point(client, "previous", back)
        point(client, "champion", last.version)
        challenger = pointed(client, "challenger")
        if challenger is not None and challenger.number == last.version:
            point(client, "challenger", None)  # it is the champion now
        if last.forced:
            client.set_model_version_tag(MODEL_NAME, str(last.version), FORCED_TAG, str(last.force_reason))
        client.set_model_version_tag(MODEL_NAME, str(last.version), PROMOTION_TAG, last.hash)
        now = log.chain()
        if now.head == chain.head:
            return chain
        chain = now


def _check_mark(champion: Version, chain: Chain) -> None:
    """Lines cut off at the log's end show nowhere in it; the champion's own mark tells."""
    mark = champion.tags.get(PROMOTION_TAG)
    if mark is not None and mark not in {promotion.hash for promotion in chain.promotions}:
        raise LogBroken(
            f"the promotion log has lost the line that made {champion.name} the champion ({mark[:12]}); restore the "
            f"registry's database from a backup, or remove the tag {PROMOTION_TAG} of {champion.name} to go on without"
        )
