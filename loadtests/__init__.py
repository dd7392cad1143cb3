"""Load tests that know a URL and nothing else of ours: `python -m loadtests smoke --host URL`.

Open `openloop.py` first (requests at times fixed beforehand, latency counted from those), then `mix.py` (what is
sent), `marking.py` and `checks.py` (what an answer must be), `slo.py` (what was promised), `rules.py` and `verdict.py`
(whether it was held), and `conduct.py`, which calls them in that order.
"""
