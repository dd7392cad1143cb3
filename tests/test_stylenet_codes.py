"""Style codes and dials: what fits is kept exactly, what does not is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylenet.codes import StyleCode, mix
from stylenet.dials import Dials
from stylenet.errors import CodeError, DialError


def code(value: float, size: int = 5) -> StyleCode:
    return StyleCode(
        np.full(12, value, np.float32), np.full(size, value, np.float32), np.full(size + 2, value, np.float32)
    )


def test_a_code_survives_its_bytes_and_gives_the_same_bytes_again():
    blob = code(0.25).to_bytes()
    again = StyleCode.from_bytes(blob)
    np.testing.assert_array_equal(again.texture, code(0.25).texture)
    assert again.to_bytes() == blob


@given(st.floats(0, 1), st.floats(-10, 10), st.floats(-10, 10))
def test_mixing_is_the_weighted_mean_and_continuous(share: float, one: float, other: float):
    mixed = mix([code(one), code(other)], [1 - share, share])
    expected = (1 - share) * np.float32(one) + share * np.float32(other)
    np.testing.assert_allclose(mixed.semantics, expected, atol=1e-5)


def test_mixing_one_code_changes_nothing():
    np.testing.assert_array_equal(mix([code(0.3)]).colour, code(0.3).colour)


@pytest.mark.parametrize("weights", [[0, 0], [1], [-1, 2], [math.nan, 1]])
def test_unusable_weights_are_refused(weights: list[float]):
    with pytest.raises(CodeError, match="weights"):
        mix([code(1), code(2)], weights)


def test_nothing_and_codes_of_two_networks_do_not_mix():
    with pytest.raises(CodeError, match="nothing to mix"):
        mix([])
    with pytest.raises(CodeError, match="different networks"):
        mix([code(1, 5), code(1, 6)])


def test_a_code_with_nan_or_another_type_is_refused():
    with pytest.raises(CodeError, match="NaN"):
        code(math.nan)
    with pytest.raises(CodeError, match="float32"):
        StyleCode(np.zeros(12), np.zeros(3, np.float32), np.zeros(3, np.float32))
    with pytest.raises(CodeError, match="must have 12"):
        StyleCode(*(np.zeros(3, np.float32) for _ in range(3)))


@pytest.mark.parametrize("blob", [b"", b"garbage", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_bytes_that_are_no_code_are_refused(blob: bytes):
    with pytest.raises(CodeError):
        StyleCode.from_bytes(blob)


@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, math.inf, "0.5", None, True])
@pytest.mark.parametrize("name", ["strength", "fidelity", "texture", "semantics"])
def test_a_dial_out_of_range_is_refused_by_its_name(name: str, value: object):
    with pytest.raises(DialError, match=name):
        Dials(**{name: value})


def test_keep_color_is_a_yes_or_no():
    with pytest.raises(DialError, match="keep_color"):
        Dials(keep_color=1)
