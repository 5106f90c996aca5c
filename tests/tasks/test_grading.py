import pytest

from replication.tasks import grading

CASES = [
    # kind, value, gold, right?
    ("number", "1,200", "1200", True),
    ("number", "18.00", "18", True),
    ("number", "$5", "5", True),
    ("number", "-3", "-3", True),
    ("number", "-3", "3", False),
    ("number", "3/4", "0.75", True),
    ("number", "0.75", "3/4", True),
    ("number", "2/3", "4/6", True),
    ("number", "0.67", "2/3", False),
    ("number", "50%", "50", True),
    ("number", "50%", "0.5", False),
    ("number", "1e3", "1000", True),
    ("number", "60.00", "60", True),
    ("number", "60.01", "60", False),
    ("number", "8.", "8", True),
    ("number", ".5", "0.5", True),
    ("number", "five", "5", False),
    ("number", "", "5", False),
    ("number", "5", "", False),
    ("number", "abc", "abc", False),
    ("number", "9" * 5_000, "9" * 5_000, True),
    ("number", "9" * 5_000, "9" * 4_999, False),
    ("number", "1e99", "1", False),
    ("option", "Even", "even", True),
    ("option", "odd.", "odd", True),
    ("option", "odd", "even", False),
    ("option", "", "", False),
    ("yesno", "YES", "yes", True),
    ("yesno", "true", "yes", True),
    ("yesno", "false", "no", True),
    ("yesno", "no", "yes", False),
    ("yesno", "maybe", "maybe", False),
    ("latex", r"\frac12", "0.5", True),
    ("latex", "x+1", "1+x", True),
    ("latex", "x+1", "x+2", False),
]


@pytest.mark.parametrize(("kind", "value", "gold", "right"), CASES)
def test_grader(kind, value, gold, right):
    assert grading.GRADERS[kind](value, gold) is right
