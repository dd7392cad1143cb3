"""Many rules, one verdict: Holm's correction (Holm 1979), which keeps the chance of a single wrong claim at a level.

With twenty rules at 2.5 % each, one of them would fail by chance in two of five judgements. Holm's step-down tests the
surest claim at level/m, the next at level/(m - 1), and so on; the first that cannot be made ends it.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One claim after the correction.

    Args:
        level: the level at which it was tested; for claims after the first that failed, that one's level.
        is_claimed: whether it can be made.
    """

    level: float
    is_claimed: bool


def step_down(chances: Sequence[float], level: float) -> list[Step]:
    """Decide which of m claims can be made together.

    Args:
        chances: the p-value of each claim; 1 where nothing can be said.
        level: the chance that any claim made is wrong, 0..1.
    """
    count = len(chances)
    steps = [Step(level, False)] * count
    tested, stopped = level, False
    for rank, place in enumerate(sorted(range(count), key=lambda each: chances[each])):
        if not stopped:
            tested = level / (count - rank)
            stopped = not chances[place] <= tested
        steps[place] = Step(tested, not stopped)
    return steps
