"""Each error is a code of the contract and a sentence with a remedy."""

import pytest

from antiphon import errors
from antiphon.api.openapi import ERRORS
from antiphon.errors import AntiphonError

CONTRACT = {400, 401, 403, 404, 405, 409, 410, 413, 415, 429, 430, 455, 500}
CLASSES = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, AntiphonError)]


def test_the_codes_are_those_of_the_contract_and_each_has_its_error() -> None:
    assert {one.code for one in CLASSES} == CONTRACT == set(ERRORS)


@pytest.mark.parametrize("kind", CLASSES, ids=[one.__name__ for one in CLASSES])
def test_an_error_says_its_docstring_unless_told_better(kind: type[AntiphonError]) -> None:
    assert kind().message == str(kind()) == (kind.__doc__ or "").strip()
    assert kind().message.endswith((".", "one."))
    assert kind("file: better").message == "file: better"
    assert kind(retry_after=2.5).retry_after == 2.5
