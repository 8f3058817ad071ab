import pytest

from scripts.mutation.mentions import mentioning

SOURCE = """\
LIMIT = 3
RULE = str(LIMIT)
OTHER = 4


def rule():
    return RULE


def other(number=OTHER):
    return number


class Thing:
    size: int = 3

    def grow(self):
        self.size += LIMIT
        other()
"""


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        pytest.param(1, {7, 18}, id="a constant, and what is made of it"),
        pytest.param(2, {7}, id="what is made of a constant"),
        pytest.param(3, {19}, id="a constant that is a default"),
        pytest.param(10, {19}, id="a default"),
        pytest.param(15, {18}, id="a field of a class"),
        pytest.param(14, set(), id="a class that no function names"),
    ],
)
def test_what_an_import_defines_is_used_by_the_lines_that_name_it(
    line: int, lines: set[int]
) -> None:
    assert mentioning(SOURCE, line) == lines
