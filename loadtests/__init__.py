"""Load tests that know a URL and nothing else of ours: `python -m loadtests smoke --host URL`.

Open `openloop.py` first (requests at times fixed beforehand, latency counted from those), then `shots.py` (what is
sent), `checks.py` (what an answer must be), `slo.py` (what was promised) and `verdict.py` (whether it was held).
"""
