"""Every code that a decision can give stands in the reference, and none that it cannot."""

import re
from pathlib import Path

from kumobashi.policy import errors
from kumobashi.policy.errors import PolicyFailed

PAGE = Path("docs/reference/policy.md")
SOURCES = Path("src/kumobashi/policy")


def test_the_reference_names_every_code() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES.glob("*.py"))
    given = set(re.findall(r'"(policy\.[a-z_]+)"', text))
    given |= {f"policy.{lack}" for lack in re.findall(r'code="([a-z_]+)"', text)}
    named = set(re.findall(r"`(policy\.[a-z_]+)`", PAGE.read_text(encoding="utf-8")))

    assert named == given - {PolicyFailed.code} - {"policy.csv"}


def test_every_failure_speaks_both_languages_and_says_what_to_do() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    failures = [k for k in kinds if issubclass(k, PolicyFailed) and k is not PolicyFailed]

    assert len(failures) == 5
    for kind in failures:
        assert all((kind.ja, kind.en, kind.remedy_ja, kind.remedy_en)), kind
