"""Films: decoded, painted so that they do not flicker, and encoded again with their sound and timing.

Open `film.py` first (one film from its file to its painting); `coherence.py` is what holds frames together,
`decoding.py` and `encoding.py` are the two ends.
"""
