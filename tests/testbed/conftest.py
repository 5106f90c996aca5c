from itertools import islice

import pytest

from replication.testbed import corpus


@pytest.fixture(scope="session")
def drawn() -> list[corpus.Document]:
    """The first documents of a training stream."""
    return list(islice(corpus.documents(5), 2000))


@pytest.fixture(scope="session")
def core(drawn):
    """A small tokenizer of the testbed's kind."""
    from replication.testbed import tokenizer

    return tokenizer.train((document.text for document in drawn), 600)
