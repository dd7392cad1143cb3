"""The only door to torchvision and lpips: beside a CPU build of torch, the registry's torchvision dies on import.

Its `nms` operator is compiled for CUDA, and registering a fake for it fails where the operator does not exist
(`operator torchvision::nms does not exist`). On that very error we declare the two operators' schemas and import again:
models, transforms, datasets and utils then work; `torchvision.ops.nms` and `torchvision.io`'s decoders do not.
"""

import importlib
import sys
from types import ModuleType

import torch

_declared: list[torch.library.Library] = []  # torch drops a library's operators with its last reference


def import_torchvision() -> ModuleType:
    """Import torchvision, beside whatever build of torch is installed.

    Raises:
        ImportError: torchvision is not installed.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # half-imported: a second import would find the pieces and not run them
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)
    return importlib.import_module("torchvision")


def import_lpips() -> ModuleType:
    """Import lpips, which imports torchvision.

    Raises:
        ImportError: lpips or torchvision is not installed.
    """
    import_torchvision()
    return importlib.import_module("lpips")
