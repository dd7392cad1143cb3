"""Where the promotion log lives: in the registry itself, so that every machine of a team reads the same one.

Each line is a version of a second registered model, `pentimento-promotions`. MLflow numbers the versions of a model one
after another in its database (the number is part of the primary key, and n + 1 is given only to a writer that sees n),
never gives a number twice, and writes a version and its tags in one transaction. That is all an append-only log needs:
a total order that everybody agrees on, on SQLite, on PostgreSQL and through a server alike.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from registry.promotion_log import Action, Chain, Promotion, follow, seal
from registry.settings import MODEL_NAME

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOG_NAME = f"{MODEL_NAME}-promotions"
LINE_TAG = "pentimento.line"
_DESCRIPTION = "The promotion log of Pentimento: one version a line. Append-only; see `pentimento versions --history`."


class Overtaken(Exception):
    """Another writer was first; the decision must be made again on what the log says now."""


class PromotionLog:
    """The log of one registry."""

    def __init__(self, client: "MlflowClient") -> None:
        self._client = client

    def chain(self) -> Chain:
        """Every line, the chain checked.

        Raises:
            LogBroken: a line was altered, dropped or inserted; it is named.
            MlflowException: the store failed.
        """
        lines: list[tuple[int, str]] = []
        token = None
        while True:
            page = self._client.search_model_versions(f"name = '{LOG_NAME}'", page_token=token)
            lines += [(int(entry.version), entry.tags.get(LINE_TAG, "")) for entry in page]
            token = page.token
            if not token:
                return follow(lines)

    def append(self, action: Action, *, after: str, **fields: Any) -> tuple[Promotion, Chain]:
        """Append a line; return it, and the log that it stands in (others may have followed it already).

        Args:
            action: what happened.
            after: the `Chain.head` that the decision was made on.
            fields: the rest of `Promotion`.

        Raises:
            Overtaken: somebody else's line came first.
            LogBroken, MlflowException: as in `chain`.
        """
        line = seal(action, after=after, **fields)
        self._ensure_log()
        self._client.create_model_version(
            LOG_NAME,
            source=f"models:/{MODEL_NAME}/{line.version}",
            tags={LINE_TAG: line.model_dump_json(exclude={"sequence"})},
            description=_in_words(line),
        )
        chain = self.chain()
        for promotion in chain.promotions:
            if promotion.hash == line.hash:
                return promotion, chain
        raise Overtaken

    def _ensure_log(self) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.get_registered_model(LOG_NAME)
        except MlflowException:
            with suppress(MlflowException):  # another machine was quicker; if not, the next step says why
                self._client.create_registered_model(LOG_NAME, description=_DESCRIPTION)


def _in_words(line: Promotion) -> str:
    """The line as MLflow's own page shows it."""
    before = f", before: {line.from_version}" if line.from_version else ""
    forced = f", forced: {line.force_reason}" if line.forced else ""
    return f"{line.action}: {MODEL_NAME}/{line.version}{before}, by {line.actor}{forced}"[:1000]
