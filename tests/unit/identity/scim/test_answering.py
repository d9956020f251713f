"""A provider's list: what is said is kept, what does not fit is refused and changes nothing."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from kumobashi.identity import Accounts, Role
from kumobashi.identity.scim.errors import (
    FilterUnfit,
    MediaUnfit,
    MemberUnknown,
    MethodUnfit,
    NotOffered,
    NotThere,
    NotUnique,
    PathUnfit,
    RoleUnknown,
    ScimFailed,
    SearchRefused,
    SyntaxUnfit,
    TargetMissing,
    TooLarge,
    TooMany,
    Unchangeable,
    ValueUnfit,
    VersionStale,
)
from kumobashi.identity.scim.models import LARGEST_BODY, MOST_OPERATIONS
from kumobashi.identity.scim.register import Register
from kumobashi.identity.scim.rows import Change
from tests.unit.identity.scim.conftest import BULK, GROUP, PATCH, USER, Provider, body_of

SATO: dict[str, Any] = {
    "schemas": [USER],
    "userName": "sato",
    "externalId": "e-1",
    "displayName": "佐藤（情報政策課）",
    "name": {"familyName": "佐藤", "givenName": "花子"},
    "emails": [{"value": "sato@city.example", "type": "work", "primary": True}],
    "active": True,
}


def test_who_is_added_is_found_by_name_in_any_case_and_by_the_providers_identifier(
    provider: Provider,
) -> None:
    made = body_of(provider.ask("POST", "/Users", SATO))

    assert made["displayName"] == "佐藤（情報政策課）"
    assert made["meta"]["version"] == 'W/"1"'
    assert provider.names(filter='userName eq "SATO"') == ["sato"]
    assert provider.names(filter='externalId eq "e-1"') == ["sato"]
    assert provider.names(filter='externalId eq "E-1"') == []
    assert provider.names(filter='emails[type eq "work"] and name.familyName sw "佐"') == ["sato"]


def test_what_is_not_used_here_is_not_kept(provider: Provider, book: Accounts) -> None:
    more: dict[str, Any] = {
        "phoneNumbers": [{"value": "03-3141-5926"}],
        "title": "主任",
        "password": "himitsu-x",
    }
    more |= {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "7"}}

    made = body_of(provider.ask("POST", "/Users", SATO | more))

    assert not made.keys() & {"phoneNumbers", "title", "password"}
    kept = b"".join(path.read_bytes() for path in book.path.parent.glob("accounts.db*"))
    assert b"sato" in kept
    assert [one for one in (b"3141-5926", b"himitsu-x", "主任".encode()) if one in kept] == []


def test_the_second_of_a_name_or_an_identifier_is_refused(provider: Provider) -> None:
    provider.ask("POST", "/Users", SATO)

    for said in ({"userName": "ＳＡＴＯ".lower(), "externalId": "e-1"}, {"userName": "Sato"}):
        with pytest.raises(NotUnique):
            provider.ask("POST", "/Users", {"schemas": [USER], **said})
    assert provider.names() == ["sato"]


def test_a_list_is_sorted_and_paged(provider: Provider) -> None:
    for name in ("c", "a", "e", "b", "d"):
        provider.add(name)

    page = provider.get("/Users", sortBy="userName", startIndex="2", count="2")

    assert [one["userName"] for one in page["Resources"]] == ["b", "c"]
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, 2, 2)
    assert provider.names(sortBy="userName", sortOrder="descending", count="1") == ["e"]
    assert provider.get("/Users", count="0")["totalResults"] == 5
    assert len(provider.get("/Users", count="100000")["Resources"]) == 5


def test_only_the_attributes_that_are_asked_for_are_shown(provider: Provider) -> None:
    one = body_of(provider.ask("POST", "/Users", SATO))["id"]

    few = provider.get(f"/Users/{one}", attributes="userName")
    less = provider.get(f"/Users/{one}", excludedAttributes="emails,name.familyName")

    assert few.keys() == {"schemas", "id", "userName"}
    assert "emails" not in less
    assert less["name"] == {"givenName": "花子"}


def test_people_and_groups_are_searched_together_and_by_post(provider: Provider) -> None:
    provider.group("operator", provider.add("sato"))
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}

    both = body_of(provider.ask("POST", "/.search", search))
    named: dict[str, Any] = {"filter": 'displayName eq "operator"'}
    groups = body_of(provider.ask("POST", "/Groups/.search", search | named))

    assert [one["meta"]["resourceType"] for one in both["Resources"]] == ["User", "Group"]
    assert groups["totalResults"] == 1


def test_a_change_counts_only_on_the_version_that_was_read(provider: Provider) -> None:
    path = f"/Users/{provider.add('sato')}"
    said = {"op": "replace", "path": "displayName", "value": "佐藤"}

    first = provider.patch(path, said, if_match='W/"1"')

    assert first.version == 'W/"2"'
    for method in ("PUT", "DELETE"):
        with pytest.raises(VersionStale):
            provider.ask(method, path, SATO if method == "PUT" else None, if_match='W/"1"')
    with pytest.raises(VersionStale):
        provider.patch(path, said, if_match='"1"')
    assert provider.ask("GET", path, if_none_match='W/"2"').status == 304
    assert provider.patch(path, said, if_match="*").version == 'W/"2"'  # says nothing new


def test_what_entra_sends_is_understood(provider: Provider) -> None:
    path = f"/Users/{provider.add('sato')}"

    provider.patch(path, {"op": "Replace", "path": "active", "value": "False"})
    provider.patch(
        path, {"op": "Add", "path": 'emails[type eq "work"].value', "value": "s@city.example"}
    )

    held = provider.get(path)
    assert held["active"] is False
    assert held["emails"] == [{"value": "s@city.example", "type": "work"}]


def test_membership_is_a_role_and_two_roles_are_none(provider: Provider) -> None:
    sato = provider.add("sato")
    operators, approvers = provider.group("運用", sato), provider.group("approver")

    provider.patch(
        f"/Groups/{approvers}", {"op": "add", "path": "members", "value": [{"value": sato}]}
    )
    both = provider.get(f"/Users/{sato}")["groups"]
    gone = {"op": "remove", "path": f'members[value eq "{sato}"]'}
    provider.patch(f"/Groups/{operators}", gone)

    assert {one["display"] for one in both} == {"運用", "approver"}
    assert [one["display"] for one in provider.get(f"/Users/{sato}")["groups"]] == ["approver"]


def test_whoever_is_removed_is_in_no_group_any_more(provider: Provider) -> None:
    sato = provider.add("sato")
    group = provider.group("operator", sato)

    provider.ask("DELETE", f"/Users/{sato}")

    assert "members" not in provider.get(f"/Groups/{group}")
    with pytest.raises(NotThere):
        provider.ask("GET", f"/Users/{sato}")
    assert provider.add("sato") != sato  # the name is free, and means somebody new


def test_one_providers_list_is_not_there_for_another(asking: Callable[[str], Provider]) -> None:
    ours, theirs = asking("city-login"), asking("vendor-login")
    sato = ours.add("sato")
    group = ours.group("operator", sato)

    for path in (f"/Users/{sato}", f"/Groups/{group}"):
        for method in ("GET", "DELETE"):
            with pytest.raises(NotThere):
                theirs.ask(method, path)
    with pytest.raises(MemberUnknown):
        theirs.group("operator", sato)
    assert theirs.names() == []
    assert theirs.get("/")["totalResults"] == 0
    assert theirs.add("sato")


def test_another_bodys_list_is_not_there(provider: Provider, book: Accounts) -> None:
    sato = provider.add("sato")
    other = Accounts(book.path.parent, tenant="131016", site="hall-core", clock=book.clock)
    theirs = Provider(Register(other, provider="city-login", note=lambda _change: None))

    with pytest.raises(NotThere):
        theirs.ask("GET", f"/Users/{sato}")
    assert theirs.names() == []
    other.close()


def test_a_change_that_cannot_be_noted_is_not_made(provider: Provider, book: Accounts) -> None:
    def full(_change: Change) -> None:
        raise OSError

    sato = provider.add("sato")
    silent = Provider(Register(book, provider="city-login", note=full))

    with pytest.raises(OSError):  # noqa: PT011 - there is nothing in it to match
        silent.ask("DELETE", f"/Users/{sato}")

    assert provider.names() == ["sato"]


def test_records_of_changes_name_nobody(provider: Provider) -> None:
    made = body_of(provider.ask("POST", "/Users", SATO))["id"]
    provider.group("operator", made)
    provider.patch(f"/Users/{made}", {"op": "replace", "path": "active", "value": False})
    provider.ask("DELETE", f"/Users/{made}")

    assert [(one.act, one.role, one.is_active) for one in provider.changes] == [
        ("add", None, True),
        ("add", Role.OPERATOR, None),
        ("change", Role.OPERATOR, False),
        ("remove", None, False),
    ]
    assert [one for one in provider.changes if "sato" in repr(one) or "佐藤" in repr(one)] == []


REFUSED: list[tuple[str, str, Any, type[ScimFailed]]] = [
    ("POST", "/Users", {"schemas": [USER]}, ValueUnfit),
    ("POST", "/Users", {"userName": "sato"}, SyntaxUnfit),
    ("POST", "/Users", {"schemas": ["urn:example:Robot"], "userName": "sato"}, SyntaxUnfit),
    ("POST", "/Users", {"schemas": [USER], "userName": "x" * 256}, ValueUnfit),
    ("POST", "/Users", {"schemas": [USER], "userName": "sato\n"}, ValueUnfit),
    ("POST", "/Users", {"schemas": [USER], "userName": "s", "emails": [{}] * 6}, ValueUnfit),
    ("POST", "/Users", {"schemas": [USER], "userName": "s", "active": "perhaps"}, ValueUnfit),
    ("POST", "/Users", b"{", SyntaxUnfit),
    ("POST", "/Users", b"[]", SyntaxUnfit),
    ("POST", "/Users", b"\xff\xfe", SyntaxUnfit),
    ("POST", "/Users", b"[" * 100_000, SyntaxUnfit),
    ("POST", "/Users", b'{"a":' * 50 + b"1" + b"}" * 50, SyntaxUnfit),
    ("POST", "/Users", b" " * (LARGEST_BODY + 1), TooLarge),
    ("POST", "/Groups", {"schemas": [GROUP], "displayName": "everything"}, RoleUnknown),
    ("POST", "/Bulk", {"schemas": [USER], "Operations": []}, SyntaxUnfit),
    ("POST", "/Bulk", {"schemas": [BULK], "Operations": [7]}, SyntaxUnfit),
    ("POST", "/Bulk", {"schemas": [BULK], "Operations": [{}] * (MOST_OPERATIONS + 1)}, TooLarge),
    ("GET", "/Me", None, NotOffered),
    ("GET", "/Robots", None, NotThere),
    ("GET", "/Users/../Groups", None, NotThere),
    ("DELETE", "/Users", None, MethodUnfit),
    ("GET", "/Bulk", None, MethodUnfit),
    ("POST", "/Schemas", {}, MethodUnfit),
]


@pytest.mark.parametrize(("method", "path", "body", "expected"), REFUSED)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    provider: Provider, method: str, path: str, body: object, expected: type[ScimFailed]
) -> None:
    with pytest.raises(expected) as refused:
        provider.ask(method, path, body)

    said = refused.value.scim()
    assert said["status"] == str(expected.status)
    assert str(said["detail"]).startswith(f"{expected.code}: ")
    assert said.get("scimType", "") == expected.scim_type
    assert provider.changes == []
    assert provider.get("/")["totalResults"] == 0


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "multipart/form-data", ""])
def test_a_body_of_another_kind_is_not_read(provider: Provider, media: str) -> None:
    with pytest.raises(MediaUnfit):
        provider.ask("POST", "/Users", SATO, content_type=media)


def test_what_describes_the_service_cannot_be_searched(provider: Provider) -> None:
    with pytest.raises(SearchRefused):
        provider.get("/Schemas", filter='id eq "x"')


HOSTILE = [
    "(" * 500 + 'userName eq "a"' + ")" * 480,
    "not (" * 100 + "userName pr" + ")" * 100,
    'userName eq "' + "a" * 2_000 + '"',
    " or ".join(['userName eq "a"'] * 200),
    "emails[" * 30 + "type pr" + "]" * 30,
    'userName eq "a',
    "userName eq",
    "salary gt 3",
    "active gt true",
    'password eq "a"',
    "userName; drop table provisioned",
    "\x00",
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_hostile_filter_is_refused_at_once(provider: Provider, pattern: str) -> None:
    provider.add("sato")
    began = time.perf_counter()

    with pytest.raises(FilterUnfit):
        provider.names(filter=pattern)
    with pytest.raises(ScimFailed):
        provider.patch(
            f"/Groups/{provider.group('operator')}", {"op": "remove", "path": f"members[{pattern}]"}
        )

    assert time.perf_counter() - began < 2.0


PATCHES: list[tuple[Any, type[ScimFailed]]] = [
    ([{"op": "replace", "path": "id", "value": "x"}], Unchangeable),
    ([{"op": "replace", "path": "meta.created", "value": "2020-01-01T00:00:00Z"}], Unchangeable),
    ([{"op": "add", "path": "groups", "value": [{"value": "x"}]}], Unchangeable),
    ([{"op": "remove"}], TargetMissing),
    ([{"op": "remove", "path": "userName"}], Unchangeable),
    ([{"op": "burn", "path": "userName"}], ValueUnfit),
    ([{"op": "replace", "path": "displayName", "value": "x" * 256}], ValueUnfit),
    ([{"op": "replace", "path": "displayName", "value": "a\nb"}], ValueUnfit),
    ([{"op": "replace", "path": "active", "value": [1]}], ValueUnfit),
    ([{"op": "replace", "path": "name[", "value": 1}], PathUnfit),
    ([{"op": "replace", "path": "(" * 30, "value": 1}], PathUnfit),
    ([{"op": "add", "path": "displayName", "value": "x"}] * (MOST_OPERATIONS + 1), TooMany),
    ([], ValueUnfit),
]


@pytest.mark.parametrize(("operations", "expected"), PATCHES)
def test_a_patch_that_does_not_fit_changes_nothing(
    provider: Provider, operations: Any, expected: type[ScimFailed]
) -> None:
    path = f"/Users/{provider.add('sato', displayName='佐藤')}"
    before = provider.get(path)

    right = {"op": "replace", "path": "displayName", "value": "鈴木"}
    said = [right, *operations] if operations else []

    with pytest.raises(expected):
        provider.ask("PATCH", path, {"schemas": [PATCH], "Operations": said})

    assert provider.get(path) == before


def test_a_bulk_makes_who_is_named_before_the_group_that_names_them(provider: Provider) -> None:
    member = {"value": "bulkId:sato"}
    group = {"schemas": [GROUP], "displayName": "operator", "members": [member]}
    operations = [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group},
        {"method": "POST", "path": "/Users", "bulkId": "sato", "data": SATO},
        {"method": "DELETE", "path": "/Users/nobody"},
    ]

    done = body_of(provider.ask("POST", "/Bulk", {"schemas": [BULK], "Operations": operations}))

    assert [one["status"] for one in done["Operations"]] == ["201", "201", "404"]
    assert provider.get("/Groups")["Resources"][0]["members"][0]["value"] in str(
        done["Operations"][1]["location"]
    )
    assert done["Operations"][2]["response"]["detail"].startswith("scim.not_there: ")


def test_a_bulk_stops_when_too_much_of_it_failed(provider: Provider) -> None:
    wrong = {"method": "DELETE", "path": "/Users/nobody"}
    right = {"method": "POST", "path": "/Users", "bulkId": "s", "data": SATO}
    said = {"schemas": [BULK], "failOnErrors": 1, "Operations": [wrong, right]}

    done = body_of(provider.ask("POST", "/Bulk", said))

    assert len(done["Operations"]) == 1
    assert provider.names() == []


def test_a_bulk_cannot_hold_a_bulk_or_a_circle(provider: Provider) -> None:
    inner = {"method": "POST", "path": "/Bulk", "bulkId": "b", "data": {"schemas": [BULK]}}
    circle = [
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": name,
            "data": {
                "schemas": [GROUP],
                "displayName": "viewer",
                "members": [{"value": f"bulkId:{other}"}],
            },
        }
        for name, other in (("a", "b"), ("b", "a"))
    ]

    said = {"schemas": [BULK], "Operations": [inner, *circle]}
    done = body_of(provider.ask("POST", "/Bulk", said))

    assert [one["status"] for one in done["Operations"]] == ["404", "400", "400"]
    assert provider.get("/Groups")["totalResults"] == 0
