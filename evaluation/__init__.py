"""Judging: is a candidate better than AdaIN at the same amount of style, and may it therefore be promoted?

Open `harness.py` first (the whole judgement in order), then `gate.py` (how numbers become a verdict).
"""
