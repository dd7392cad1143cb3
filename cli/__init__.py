"""The `pentimento` command: the composition root. Thin; each command's module imports what it needs when it runs.
Open `main.py` for the list, and the module named like the command for what it does.
"""
