"""The network, its losses and extractors, and the only conversions between pictures and tensors. Knows no runs,
versions or HTTP. Open `network.py` first: it is the whole forward pass on one page.
"""
