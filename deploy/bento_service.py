"""The service as a Bento starts it: it paints with the package that lies inside, unless PENTIMENTO_MODEL names another.

`bentoml serve` of a built Bento does not apply the bentofile's `envs`: containers alone get those.
"""

import os

from registry.references import pretrained_names

for _name in pretrained_names()[:1]:  # a Bento holds one
    os.environ.setdefault("PENTIMENTO_MODEL", f"pretrained:{_name}")
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

from service.app import PentimentoService  # noqa: E402 (reads the environment)

__all__ = ["PentimentoService"]
