"""Which version, with what evidence, and which style templates.

Open `versions.py` first (register, promote, roll back), then `evidence.py` (the form that evaluation fills in and
promotion asks for), `references.py` (from `models:/pentimento@champion` to a verified package) and `styles.py`.
"""
