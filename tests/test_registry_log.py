"""The promotion log as a value: which lines follow one another, who was overtaken, and what shows of tampering."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import LogBroken
from registry.promotion_log import FIRST_HASH, Chain, champions, follow, seal


def line(after: str, version: int, action: str = "promote") -> str:
    fields = {"version": version, "digest": str(version), "from_version": None, "from_digest": None}
    return seal(action, after=after, **fields).model_dump_json(exclude={"sequence"})


def log_of(*versions: int) -> list[str]:
    lines: list[str] = []
    for version in versions:
        lines.append(line(head(lines), version))
    return lines


def head(lines: list[str]) -> str:
    return follow(enumerate(lines, start=1)).head


def rewritten(text: str) -> str:
    return json.dumps({**json.loads(text), "version": 7})


def test_an_empty_log_begins_with_zeros():
    assert follow([]) == Chain()
    assert follow([]).head == FIRST_HASH


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda lines: [rewritten(lines[0]), *lines[1:]], "line 1 .*its contents are not those that were hashed"),
        (lambda lines: [lines[0], lines[2]], "line 2 .*does not follow from any line before"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1 .*does not follow"),
        (lambda lines: [lines[0], "nonsense", *lines[1:]], "line 2 .*is not a promotion"),
        (lambda lines: [lines[0], line("a" * 64, 5), *lines[1:]], "line 2 .*does not follow"),
    ],
)
def test_a_log_that_was_changed_is_refused_by_line(edit, message):
    lines = log_of(1, 2, 3)
    assert [promotion.sequence for promotion in follow(enumerate(lines, start=1)).promotions] == [1, 2, 3]
    with pytest.raises(LogBroken, match=message):
        follow(enumerate(edit(lines), start=1))


def test_a_number_that_the_store_no_longer_has_is_named():
    with pytest.raises(LogBroken, match=r"line 2 .*is gone"):
        follow([(number, text) for number, text in enumerate(log_of(1, 2, 3), start=1) if number != 2])


@given(st.lists(st.integers(min_value=0, max_value=3), max_size=8))
def test_of_any_number_of_writers_who_saw_the_same_head_the_first_is_followed(crowds):
    """Each round, `crowd` further writers append after the head that the winner saw as well."""
    lines: list[str] = []
    winners = []
    for round_, crowd in enumerate(crowds):
        after = head(lines)
        for writer in range(crowd + 1):
            lines.append(line(after, 10 * round_ + writer + 1))
        winners.append(10 * round_ + 1)
    chain = follow(enumerate(lines, start=1))
    assert [promotion.version for promotion in chain.promotions] == winners
    assert len(chain.lost) == sum(crowds)


@given(st.lists(st.integers(min_value=1, max_value=5), max_size=12))
def test_rolling_back_as_often_as_promoting_ends_at_the_first_champion(numbers):
    moves = [number for index, number in enumerate(numbers) if index == 0 or number != numbers[index - 1]]
    lines = log_of(*moves)
    for number in reversed(moves[:-1]):
        assert champions(follow(enumerate(lines, start=1)).promotions)[-2][0] == number
        lines.append(line(head(lines), number, "rollback"))
    assert [number for number, _ in champions(follow(enumerate(lines, start=1)).promotions)] == moves[:1]
