"""A provider's list on a real file of accounts, and requests as they reach it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kumobashi.identity import Accounts
from kumobashi.identity.scim.answering import Answer, Asked, answer
from kumobashi.identity.scim.register import Register
from kumobashi.identity.scim.rows import Change
from kumobashi.testing.clocks import HandClock

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BASE = "http://localhost/scim/v2"


@dataclass
class Provider:
    """Somebody who asks with one provider's token."""

    register: Register
    changes: list[Change] = field(default_factory=list)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/scim+json",
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Answer:
        sent = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        asked = Asked(
            method=method,
            path=path,
            base=BASE,
            query=query or {},
            body=sent,
            content_type=content_type,
            if_match=if_match,
            if_none_match=if_none_match,
        )
        return answer(self.register, asked)

    def add(self, name: str, **more: Any) -> str:
        said = {"schemas": [USER], "userName": name, "active": True, **more}
        return str(body_of(self.ask("POST", "/Users", said))["id"])

    def group(self, name: str, *members: str) -> str:
        said = {
            "schemas": [GROUP],
            "displayName": name,
            "members": [{"value": one} for one in members],
        }
        return str(body_of(self.ask("POST", "/Groups", said))["id"])

    def patch(self, path: str, *operations: Mapping[str, Any], **more: Any) -> Answer:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": operations}, **more)

    def get(self, path: str, **query: str) -> Any:
        return body_of(self.ask("GET", path, query=query))

    def names(self, **query: str) -> list[str]:
        return [one["userName"] for one in self.get("/Users", **query)["Resources"]]


def body_of(said: Answer) -> Mapping[str, Any]:
    assert said.body is not None
    return said.body


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Accounts]:
    held = Accounts(tmp_path / "private", tenant="999997", site="hall-core", clock=clock)
    yield held
    held.close()


@pytest.fixture
def asking(book: Accounts) -> Callable[[str], Provider]:
    def one(name: str) -> Provider:
        changes: list[Change] = []
        return Provider(Register(book, provider=name, note=changes.append), changes)

    return one


@pytest.fixture
def provider(asking: Callable[[str], Provider]) -> Provider:
    return asking("city-login")
