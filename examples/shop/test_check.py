"""The check can fail: a story that holds, and one change for each thing that may go wrong."""

import check
import pytest

GOOD = check.Story(
    orders=3,
    ordered=[1, 2, 3],
    packed=[2, 1, 1, 3],
    charged={"ann": [1, 2], "bob": [1]},
    paid={"ann": [1, 1, 2, 1, 2], "bob": [1]},
    dead=["poison"],
    poison="poison",
    left={"orders": 0, "payments": 0},
    accidents=[],
)


def test_a_story_that_holds():
    assert check.problems(GOOD) == []


@pytest.mark.parametrize(
    "change, words",
    [
        ({"ordered": [1, 2]}, "2 of 3 orders"),
        ({"packed": [1, 3]}, "order 2 was acknowledged"),
        ({"paid": {"ann": [1], "bob": [1]}}, "payment 2 of ann"),
        ({"paid": {"ann": [1, 2]}}, "payment 1 of bob"),
        ({"paid": {"ann": [2, 1], "bob": [1]}}, "ann: payment 2 came where 1 belongs"),
        ({"dead": []}, "0 times"),
        ({"dead": ["poison", "poison"]}, "2 times"),
        ({"dead": ["poison", '{"order": 1}']}, "order"),
        ({"left": {"orders": 1}}, "1 messages are left in orders"),
        ({"accidents": ["till: KeyError"]}, "KeyError"),
    ],
)
def test_a_story_that_does_not(change, words):
    (problem,) = check.problems(GOOD._replace(**change))
    assert words in problem
