"""Data, augmentation, the two stages, distillation, the AdaIN baseline. Open `runs.py` first: it is the whole path
from a configuration to a registered version; `objective.py` says what is minimised.
"""
