"""One thing undoes another, and whatever is asked is answered or refused: never an accident."""

import json
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumobashi.identity.scim.errors import ScimFailed
from tests.unit.identity.scim.conftest import Provider, body_of
from tests.unit.identity.scim.test_answering import SATO

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(first=TEXT, second=TEXT)
def test_what_a_patch_adds_another_takes_away(provider: Provider, first: str, second: str) -> None:
    one = provider.add(f"u-{len(provider.changes)}", displayName=first)
    before = provider.get(f"/Users/{one}")
    address = {"value": second, "type": "work"}

    provider.patch(f"/Users/{one}", {"op": "replace", "path": "displayName", "value": second})
    provider.patch(f"/Users/{one}", {"op": "add", "path": "emails", "value": [address]})
    assert provider.get(f"/Users/{one}")["emails"] == [address]
    provider.patch(f"/Users/{one}", {"op": "remove", "path": 'emails[type eq "work"]'})
    provider.patch(f"/Users/{one}", {"op": "replace", "path": "displayName", "value": first})

    after = provider.get(f"/Users/{one}")
    assert {**after, "meta": None} == {**before, "meta": None}
    provider.ask("DELETE", f"/Users/{one}")


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(name=TEXT)
def test_whatever_a_name_is_the_filter_that_quotes_it_finds_it_and_its_opposite_does_not(
    provider: Provider, name: str
) -> None:
    one = provider.add(name)
    quoted = json.dumps(name, ensure_ascii=False)

    try:
        found = provider.names(filter=f"userName eq {quoted}")
        others = provider.names(filter=f"not (userName eq {quoted})")
        slow = provider.names(filter=f"userName eq {quoted} and userName pr")
    finally:
        provider.ask("DELETE", f"/Users/{one}")

    assert (found, others, slow) == ([name], [], [name])


_PEOPLE = ["userName", "displayName", "active", "emails", "emails.value", "name.familyName"]
_ALL = ["members", "members.value", "groups", "schemas", "id", "meta.created", "externalId"]
NAMES = st.sampled_from([*_PEOPLE, *_ALL, "x", "$ref"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
OPERATORS = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])
LITERALS = (st.none() | st.booleans() | st.integers() | TEXT).map(
    lambda value: json.dumps(value, ensure_ascii=False)
)
TERMS = st.builds("{} {} {}".format, NAMES, OPERATORS, LITERALS) | NAMES.map("{} pr".format)
FILTERS = st.recursive(
    TERMS,
    lambda inner: (
        st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {})".format, inner, inner)
        | inner.map("not ({})".format)
        | st.builds("{}[{}]".format, NAMES, inner)
    ),
    max_leaves=4,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
@given(pattern=FILTERS | TEXT, order=NAMES | TEXT, shown=NAMES | TEXT, start=TEXT | st.integers())
def test_whatever_is_searched_is_answered_or_refused_with_a_code(
    provider: Provider, pattern: str, order: str, shown: str, start: object
) -> None:
    if not provider.changes:
        provider.group("operator", str(body_of(provider.ask("POST", "/Users", SATO))["id"]))

    for path in ("/Users", "/Groups", "/"):
        query = {"filter": pattern, "sortBy": order, "attributes": shown, "startIndex": str(start)}
        for wanted in (query, {"filter": pattern}, {"sortBy": order}, {"attributes": shown}):
            with suppress(ScimFailed):
                found = provider.get(path, **wanted)
                assert len(found["Resources"]) <= found["totalResults"] <= 2


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
@given(
    verb=st.sampled_from(["add", "replace", "remove"]),
    path=st.none() | NAMES | st.builds("{}[{}]".format, NAMES, TERMS),
    value=VALUES,
)
def test_whatever_a_patch_says_is_done_as_a_whole_or_refused_with_a_code(
    provider: Provider, verb: str, path: str | None, value: object
) -> None:
    if not provider.changes:
        provider.group("operator", str(body_of(provider.ask("POST", "/Users", SATO))["id"]))
    operation = {"op": verb, "value": value} | ({} if path is None else {"path": path})
    kept = {one["meta"]["location"]: one for one in provider.get("/")["Resources"]}

    for place, before in kept.items():
        address = place.partition("/scim/v2")[2]
        is_done = False
        with suppress(ScimFailed):
            provider.patch(address, operation)
            is_done = True
        after = provider.get(address)
        assert is_done or after == before
        assert after["id"] == before["id"]
        assert after.get("userName") or after["displayName"] in {"operator", "viewer"}
