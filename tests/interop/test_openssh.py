"""The stories of files elsewhere once more, with OpenSSH as the SFTP server."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kumobashi.storage.errors import FolderUnreachable
from kumobashi.testing.city import City, build
from tests.peers.file_server import FileServer
from tests.peers.openssh import openssh
from tests.scenario.test_files_elsewhere import (
    place,
    storage,
    test_a_place_is_tried_before_it_is_used,
    test_another_file_under_the_name_is_not_written_over,
    test_what_a_provider_puts_is_taken_once_and_put_where_the_consumer_takes_it,
)

__all__ = [
    "place",
    "storage",
    "test_a_place_is_tried_before_it_is_used",
    "test_another_file_under_the_name_is_not_written_over",
    "test_what_a_provider_puts_is_taken_once_and_put_where_the_consumer_takes_it",
]
pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.fixture(scope="session")
def city() -> Iterator[City]:
    with build(60) as built:
        yield built


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with openssh(tmp_path_factory.mktemp("openssh")) as running:
        yield running


@pytest.mark.parametrize("wrong", ["host_key", "key"])
def test_another_key_on_either_side_opens_nothing(server: FileServer, wrong: str) -> None:
    asyncssh = pytest.importorskip("asyncssh")
    other = asyncssh.generate_private_key("ssh-ed25519")
    found = server.below(f"closed-{wrong}")
    changed = {
        "host_key": " ".join(other.export_public_key().decode().split()[:2]),
        "key": other.export_private_key().decode(),
    }

    with found.opened() as folder:
        assert list(folder.listed()) == []
    forged = replace(found, **{wrong: changed[wrong]})
    with pytest.raises(FolderUnreachable), forged.opened() as folder:
        folder.listed()
