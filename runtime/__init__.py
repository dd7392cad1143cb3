"""A model package becomes an `Engine`. Open `engine.py` for the interface, `loading.py` for how one is made,
`package.py` for what is on disk.
"""
