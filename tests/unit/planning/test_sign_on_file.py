"""``sign-on/*.yaml``: what is wrong in it is told with its line."""

from pathlib import Path

import pytest

from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load

PAGE = Path("docs/how-to/sign-on-at-a-provider.md")
GOOD = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = write_sample(tmp_path / "w")
    (made / "sign-on").mkdir()
    return made


def mistakes(folder: Path, text: str) -> list[tuple[int, str]]:
    """Return line and key of each mistake."""
    (folder / "sign-on" / "city-login.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(WorkspaceBroken) as caught:
        load(folder)
    return [(one.line, one.key) for one in caught.value.mistakes]


def test_the_example_of_the_page_is_good(folder: Path) -> None:
    (folder / "sign-on" / "city-login.yaml").write_text(GOOD, encoding="utf-8")
    assert load(folder).providers["city-login"].rules[1].role == "approver"


def test_a_role_that_is_none_is_a_mistake_of_the_file(folder: Path) -> None:
    assert mistakes(folder, GOOD.replace("role: auditor", "role: emperor")) == [
        (15, "rules[2].role")
    ]


@pytest.mark.parametrize(
    ("was", "is_now"),
    [
        ("site: hall-core", "site: nowhere"),
        ("site: hall-core", "site: hall-exchange"),
        ("issuer: https://", "issuer: http://"),
        ("console: https://", "console: ftp://"),
        ("client_secret: file:private/hall-core/sign-on.secret", "client_secret: typed-here"),
        ("provider: city-login", "provider: other"),
    ],
    ids=["no-site", "a-relay", "in-the-clear", "no-page", "a-secret", "another-name"],
)
def test_what_is_wrong_is_told_by_its_line(folder: Path, was: str, is_now: str) -> None:
    line = GOOD.split(was)[0].count("\n") + 1

    assert line in [number for number, _ in mistakes(folder, GOOD.replace(was, is_now))]


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_no_file_may_ask_for_a_signature_that_proves_nothing(folder: Path, algorithm: str) -> None:
    text = GOOD.replace("  client_id:", f"  algorithms: [{algorithm}]\n  client_id:")

    assert mistakes(folder, text)
