"""Writes the bill of materials of this very environment and Bento, as CycloneDX 1.6 JSON. Standard library only.

    python sbom.py OUT.json [BENTO_SOURCE]

Every installed distribution becomes a component with its version and licence, every model package one with the digest
of its package.json. Nothing is asked over the network, and the same environment gives the same bytes.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
_REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")


def bill(source: Path) -> dict[str, Any]:
    """The whole document.

    Args:
        source: the Bento's `src`; its model packages are listed.
    """
    installed = {canonical(found.metadata["Name"]): found for found in distributions() if found.metadata["Name"]}
    libraries = [library(name, installed[name]) for name in sorted(installed)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "pentimento", "name": "pentimento"}},
        "components": libraries + list(models(source)),
        "dependencies": [
            {"ref": reference(name, installed[name]), "dependsOn": needed(installed[name], installed)}
            for name in sorted(installed)
        ],
    }


def library(name: str, found: Distribution) -> dict[str, Any]:
    """One installed distribution as a component."""
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference(name, found),
        "name": name,
        "version": found.version,
        "purl": reference(name, found),
    }
    licence = found.metadata.get("License-Expression")
    if licence:
        component["licenses"] = [{"expression": licence}]
    elif named := _named_licence(found):
        component["licenses"] = [{"license": {"name": named}}]
    return component


def models(source: Path) -> Iterator[dict[str, Any]]:
    """Each model package under `source`/pretrained, known by its manifest's sha256."""
    for manifest in sorted((source / "pretrained").glob("*/package.json")):
        digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
        yield {
            "type": "machine-learning-model",
            "bom-ref": f"model:{digest}",
            "name": json.loads(manifest.read_text())["name"],
            "version": digest[:12],
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }


def needed(found: Distribution, installed: dict[str, Distribution]) -> list[str]:
    """What it asks for and what is there; whether a marker applies here is told by it being installed."""
    asked = {canonical(match[0]) for text in found.requires or [] if (match := _REQUIREMENT.match(text))}
    return [reference(name, installed[name]) for name in sorted(asked & installed.keys())]


def reference(name: str, found: Distribution) -> str:
    """Its package URL."""
    return f"pkg:pypi/{name}@{found.version.replace('+', '%2B')}"


def canonical(name: str) -> str:
    """A distribution's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _named_licence(found: Distribution) -> str:
    """What its classifiers or its License field say, the first line where somebody put a whole text there."""
    classifiers = found.metadata.get_all("Classifier") or []
    licences = [entry.rsplit(" :: ", 1)[-1] for entry in classifiers if entry.startswith("License ::")]
    text = (found.metadata.get("License") or "").strip()
    return ", ".join(licences) or (text.splitlines()[0][:120] if text else "")


def main(arguments: list[str]) -> int:
    """Write the document to the path that is given."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python sbom.py OUT.json [BENTO_SOURCE]", file=sys.stderr)
        return 2
    source = Path(arguments[1]) if len(arguments) == 2 else SOURCE
    Path(arguments[0]).write_text(json.dumps(bill(source), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
