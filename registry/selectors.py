"""How people name a version: 3, pentimento/3, models:/pentimento/3, champion, models:/pentimento@champion."""

import re
from dataclasses import dataclass

from registry.errors import UnknownVersion
from registry.settings import MODEL_NAME

ALIASES = ("candidate", "challenger", "champion", "previous")
MODELS_SCHEME = "models:/"
_PATTERN = re.compile(r"(?:(?:models:/)?(?P<model>[\w.-]+)?(?P<mark>[/@]))?(?P<what>[\w.-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Selector:
    """A version's number, or an alias; exactly one of the two is set."""

    number: int | None = None
    alias: str | None = None

    def __str__(self) -> str:
        return f"{MODEL_NAME}/{self.number}" if self.alias is None else f"{MODEL_NAME}@{self.alias}"


def parse_selector(reference: str | int) -> Selector:
    """Read any of the spellings above.

    Raises:
        UnknownVersion: none of them, or another model's name.
    """
    text = str(reference).strip()
    match = _PATTERN.fullmatch(text)
    if match is None or (match["model"] is None and match["mark"] == "/"):
        raise UnknownVersion(f"{text!r} names no version; write 3, champion, or models:/{MODEL_NAME}@champion")
    if match["model"] not in (None, MODEL_NAME):
        raise UnknownVersion(f"{text!r} names the model {match['model']!r}; the registered model is {MODEL_NAME!r}")
    what = match["what"]
    if what.isdigit() and match["mark"] != "@":
        return Selector(number=int(what))
    if match["mark"] == "/":
        raise UnknownVersion(f"{text!r}: a version is a number; for an alias write models:/{MODEL_NAME}@{what}")
    return Selector(alias=what)
