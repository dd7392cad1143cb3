"""Many pictures at once: folders, globs and lists, each painted exactly once whatever is killed.

Open `job.py` first (one job from its tasks to its result); `tasks.py` finds what to paint, `journal.py` remembers what
is done, `pipeline.py` keeps the engine busy, `cluster.py` does the same job on Ray Data.
"""
