import httpx
import pytest

from replication.lm.transfers import trouble


def chain(*errors):
    """Raise each error while the one before is handled; return the last."""
    found = None
    for error in errors:
        try:
            try:
                if found is not None:
                    raise found
            finally:
                raise error
        except type(error) as caught:
            found = caught
    return found


class Refused(OSError):
    def __init__(self, status):
        super().__init__(f"status {status}")
        self.response = type("Response", (), {"status_code": status})()


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ([Refused(503)], "the hub answered with status 503"),
        ([Refused(500), OSError("no such folder")], "the hub answered with status 500"),
        ([httpx.ReadError("reset\nby peer"), OSError("wrong name")],
         "the connection to the hub broke off (reset by peer)"),
        ([httpx.RemoteProtocolError(""), KeyError("x")],
         "the connection to the hub broke off (RemoteProtocolError)"),
        ([OSError("Consistency check failed: file should be of size 2"), OSError("x")],
         "a file arrived incomplete"),
        ([Refused(404), OSError("no such file")], ""),
        ([ValueError("unknown kind of model")], ""),
    ],
)  # fmt: skip
def test_the_cause_behind_the_libraries_sentences(errors, reason):
    assert trouble(chain(*errors)) == reason


def test_a_circle_of_causes_ends():
    one, two = OSError("one"), OSError("two")
    one.__context__, two.__context__ = two, one
    assert trouble(one) == ""
    assert trouble(None) == ""
