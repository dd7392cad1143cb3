"""The BentoML service: HTTP in front, one model behind a bounded queue, the style library and the page.

Open `routes.py` first (what is answered where), then `studio.py` (how one picture is painted), `admission.py` (who may
come in), `resident.py` (which model paints) and `launch.py` (the server as a child process). Only `app.py` knows
BentoML.
"""
