"""The shapes that the style library's tables have had, oldest first; each file below `versions` takes one step.

To change a table: change `style_tables.py`, add the step as `versions/v000N_<what>.py`, and append its name here. A
test holds the steps and the tables together, on SQLite and PostgreSQL.
"""

REVISIONS = ("0001", "0002")
"""Every revision that this Pentimento knows."""
HEAD = REVISIONS[-1]
