"""OpenSSH keeps every promise that a place elsewhere has to keep."""

from collections.abc import Iterator

import pytest

from kumobashi.kernel import new_id
from tests.contract.test_remote_places import (
    Made,
    place,
    test_a_key_that_is_not_known_is_refused_in_words_without_secrets,
    test_a_name_is_used_once,
    test_a_place_that_does_not_answer_is_tried_again_later,
    test_a_server_with_another_key_gets_nothing,
    test_an_older_one_of_ours_is_replaced,
    test_another_version_is_not_taken_for_the_listed_one,
    test_what_was_put_is_fetched_as_it_was,
)
from tests.peers.openssh import openssh

__all__ = [
    "place",
    "test_a_key_that_is_not_known_is_refused_in_words_without_secrets",
    "test_a_name_is_used_once",
    "test_a_place_that_does_not_answer_is_tried_again_later",
    "test_a_server_with_another_key_gets_nothing",
    "test_an_older_one_of_ours_is_replaced",
    "test_another_version_is_not_taken_for_the_listed_one",
    "test_what_was_put_is_fetched_as_it_was",
]
pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with openssh(tmp_path_factory.mktemp("openssh")) as server:
        yield lambda: server.below(new_id())
