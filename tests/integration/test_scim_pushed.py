"""Our accounts pushed to a cloud that runs scim2-server, or another hall of ours, and back."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kumobashi.identity import Accounts, Role
from kumobashi.identity.scim.comparing import Step
from kumobashi.identity.scim.errors import FarAway, FarRefused, FarUnfit, ManyOut
from kumobashi.identity.scim.far_side import FarSide
from kumobashi.identity.scim.pushing import Found, Outcome, Pushing, ours_of, prefix_of
from kumobashi.testing.clocks import HandClock
from tests.integration.scim_cloud import TOKEN, Cloud, served_cloud
from tests.integration.scim_sockets import served_hall


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))


@pytest.fixture
def book(tmp_path: Path, clock: HandClock) -> Iterator[Accounts]:
    held = Accounts(tmp_path / "private", tenant="999997", site="hall-core", clock=clock)
    held.add("sato", shown="佐藤（情報政策課）", role=Role.OPERATOR)
    held.add("suzuki", shown="鈴木", role=Role.APPROVER)
    yield held
    held.close()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with served_cloud() as made:
        yield made


class Waits(list[float]):
    """How long was waited, without waiting."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def push(
    book: Accounts,
    base: str,
    *,
    token: str = TOKEN,
    waits: Waits | None = None,
    seconds: float = 10.0,
    told: Callable[[Step], None] = lambda _step: None,
    **wishes: Any,
) -> tuple[Found, Outcome]:
    async def run() -> tuple[Found, Outcome]:
        sleep = waits if waits is not None else Waits()
        far = FarSide.open(base, token, book.clock, seconds=seconds, sleep=sleep)
        async with far as service:
            pushing = Pushing(service, ours_of(book), prefix_of(book))
            found = await pushing.compare(deletes=wishes.get("deletes", False))
            return found, await pushing.push(found, told=told, **wishes)

    return asyncio.run(run())


def deeds(found: Found) -> list[tuple[str, str]]:
    return [(step.deed, step.user_name) for step in found.steps]


def test_accounts_are_made_put_in_the_groups_of_their_roles_and_made_once(
    book: Accounts, cloud: Cloud
) -> None:
    operators, approvers = cloud.group("運用"), cloud.group("approver")

    found, outcome = push(book, cloud.base)
    again, nothing = push(book, cloud.base)

    assert deeds(found) == [("create", "sato"), ("create", "suzuki")]
    assert outcome.is_whole
    people = cloud.people()
    assert people["sato"]["displayName"] == "佐藤（情報政策課）"
    assert people["sato"]["externalId"] == "kumobashi:999997:hall-core:sato"
    assert (cloud.members(operators), cloud.members(approvers)) == ({"sato"}, {"suzuki"})
    assert (deeds(again), nothing.done) == ([], [])


def test_a_role_without_a_group_there_is_told(book: Accounts, cloud: Cloud) -> None:
    cloud.group("operator")

    found, _ = push(book, cloud.base)

    assert found.missing_roles == ["approver"]


def test_who_is_shut_out_here_is_inactive_there_and_in_no_group(
    book: Accounts, cloud: Cloud
) -> None:
    group = cloud.group("operator")
    push(book, cloud.base)
    book.shut("sato", by="suzuki")

    found, _ = push(book, cloud.base)
    again, _ = push(book, cloud.base)

    assert deeds(found) == [("deactivate", "sato"), ("leave", "sato")]
    assert cloud.people()["sato"]["active"] is False
    assert cloud.members(group) == set()
    assert deeds(again) == []


def test_nobody_is_deleted_unless_that_is_asked_for(book: Accounts, cloud: Cloud) -> None:
    push(book, cloud.base)
    book.shut("sato", by="suzuki")

    found, _ = push(book, cloud.base, deletes=True)

    assert deeds(found) == [("delete", "sato")]
    assert cloud.people().keys() == {"suzuki"}


def test_what_was_changed_there_becomes_as_it_is_here(book: Accounts, cloud: Cloud) -> None:
    push(book, cloud.base)
    said = cloud.people()["sato"]
    cloud.client().request(
        "PUT", f"/Users/{said['id']}", json={**said, "active": False, "displayName": "だれか"}
    )

    found, _ = push(book, cloud.base)

    assert deeds(found) == [("change", "sato")]
    held = cloud.people()["sato"]
    assert (held["active"], held["displayName"]) == (True, "佐藤（情報政策課）")


@pytest.mark.parametrize("patches", [True, False])
def test_what_others_wrote_of_somebody_stays(book: Accounts, patches: bool) -> None:
    with served_cloud(patches=patches) as cloud:
        cloud.temper.before = None
        push(book, cloud.base)
        said = cloud.people()["sato"]
        theirs = {**said, "title": "主任", "displayName": "だれか"}
        cloud.client().request("PUT", f"/Users/{said['id']}", json=theirs)

        push(book, cloud.base)

        held = cloud.people()["sato"]
        assert (held["title"], held["displayName"]) == ("主任", "佐藤（情報政策課）")


def test_people_of_others_are_left_alone(book: Accounts, cloud: Cloud) -> None:
    theirs = cloud.add("cloud-admin", active=True)
    other = cloud.add("other-hall", externalId="kumobashi:131016:hall-core:sato")
    group = cloud.group("operator", theirs["id"], other["id"])

    push(book, cloud.base)

    people = cloud.people()
    assert [people[name].get("active") for name in ("cloud-admin", "other-hall")] == [True, None]
    assert cloud.members(group) == {"cloud-admin", "other-hall", "sato"}


def test_a_name_that_somebody_else_has_there_is_told_and_not_taken_over(
    book: Accounts, cloud: Cloud
) -> None:
    cloud.add("sato", displayName="別の佐藤")

    _, outcome = push(book, cloud.base)

    assert [step.user_name for step in outcome.taken] == ["sato"]
    assert not outcome.is_whole
    assert cloud.people()["sato"]["displayName"] == "別の佐藤"
    assert "suzuki" in cloud.people()


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_it_waits_as_long_as_the_other_side_says(book: Accounts, cloud: Cloud, status: str) -> None:
    cloud.temper.later, cloud.temper.status, cloud.temper.retry_after = 3, status, "7"
    waits = Waits()

    _, outcome = push(book, cloud.base, waits=waits)

    assert waits == [7.0] * 3
    assert outcome.is_whole


@pytest.mark.parametrize(("later", "seconds"), [(1, "86400"), (99, "1")])
def test_it_does_not_wait_for_ever(book: Accounts, cloud: Cloud, later: int, seconds: str) -> None:
    cloud.temper.later, cloud.temper.retry_after = later, seconds

    with pytest.raises(FarAway):
        push(book, cloud.base)


def test_a_push_that_was_cut_off_goes_on_and_makes_nobody_twice(
    book: Accounts, cloud: Cloud
) -> None:
    class Cut(Exception):
        pass

    def cut(_step: Step) -> None:
        raise Cut

    with pytest.raises(Cut):
        push(book, cloud.base, told=cut)
    assert cloud.people().keys() == {"sato"}

    found, outcome = push(book, cloud.base)

    assert deeds(found) == [("create", "suzuki")]
    assert outcome.is_whole
    assert len(cloud.storage.resources) == 2


def test_an_answer_that_is_lost_makes_nobody_twice(book: Accounts, cloud: Cloud) -> None:
    cloud.temper.lost = 1

    _, outcome = push(book, cloud.base, seconds=0.5)

    assert outcome.is_whole
    assert len(cloud.storage.resources) == 2
    assert [one for one in cloud.temper.changes if one[0] == "POST"] == [("POST", "/v2/Users")] * 3


def test_somebody_who_is_changed_in_between_is_looked_at_again(
    book: Accounts, cloud: Cloud
) -> None:
    push(book, cloud.base)
    said = cloud.people()["sato"]
    path = f"/Users/{said['id']}"
    cloud.client().request("PUT", path, json={**said, "displayName": "だれか"})

    def meddle(method: str, _path: str) -> None:
        if method == "PATCH":
            cloud.temper.before = None
            other = {**said, "displayName": "別のだれか", "title": "課長"}
            cloud.client().request("PUT", path, json=other)

    cloud.temper.before = meddle
    _, outcome = push(book, cloud.base)

    assert outcome.is_whole
    held = cloud.people()["sato"]
    assert (held["displayName"], held["title"]) == ("佐藤（情報政策課）", "課長")
    assert [one[0] for one in cloud.temper.changes].count("PATCH") == 2  # 412, then done


def test_most_of_those_who_are_there_are_not_shut_out_by_accident(
    book: Accounts, cloud: Cloud
) -> None:
    for number in range(10):
        book.add(f"clerk-{number}", shown="", role=Role.VIEWER)
    push(book, cloud.base)
    for number in range(10):
        book.shut(f"clerk-{number}", by="suzuki")
    cloud.temper.asked.clear()

    with pytest.raises(ManyOut):
        push(book, cloud.base)

    assert cloud.temper.changes == []
    push(book, cloud.base, even_many=True)
    assert sum(one["active"] for one in cloud.people().values()) == 2


def test_a_list_of_many_pages_is_read_to_its_end(book: Accounts, cloud: Cloud) -> None:
    for number in range(250):
        cloud.add(f"old-{number}", externalId=f"kumobashi:999997:hall-core:old-{number}")

    found, _ = push(book, cloud.base, even_many=True)

    assert found.there == 250
    assert [deed for deed, _ in deeds(found)].count("deactivate") == 250


def test_a_token_that_is_not_taken_ends_it(book: Accounts, cloud: Cloud) -> None:
    with pytest.raises(FarRefused):
        push(book, cloud.base, token="wrong")


@pytest.mark.parametrize("base", ["http://cloud.example/scim/v2", "ftp://127.0.0.1/"])
def test_a_token_is_not_sent_over_an_open_line(book: Accounts, base: str) -> None:
    with pytest.raises(FarUnfit):
        push(book, base)


def test_what_is_no_scim_service_is_not_pushed_to(book: Accounts, cloud: Cloud) -> None:
    with pytest.raises(FarUnfit):
        push(book, f"{cloud.base}/elsewhere")


def test_one_hall_pushes_to_another(book: Accounts, tmp_path: Path) -> None:
    with served_hall(tmp_path / "far") as far:
        for role in ("operator", "承認"):
            said = {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                "displayName": role,
            }
            far.client().request("POST", "/Groups", json=said)

        _, first = push(book, far.base, token=far.token)
        book.shut("sato", by="suzuki")
        _, second = push(book, far.base, token=far.token)
        third, _ = push(book, far.base, token=far.token)

        held = {
            one["userName"]: (one["active"], [group["display"] for group in one.get("groups", [])])
            for one in far.client().request("GET", "/Users").json()["Resources"]
        }
        assert (first.is_whole, second.is_whole, deeds(third)) == (True, True, [])
        assert held == {"sato": (False, []), "suzuki": (True, ["承認"])}
