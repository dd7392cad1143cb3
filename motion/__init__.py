"""How pictures move: optical flow, warping along it, and where it can be trusted. Knows arrays only.

Open `flow.py` first; `trust.py` says where a flow holds, `flo_files.py` reads true flow from disk, `synthetic.py` makes
motion whose flow is known.
"""
