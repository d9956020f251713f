"""A workspace with many mistakes is told all of them at once."""

import time
from pathlib import Path

import pytest

from kumobashi.planning.errors import WorkspaceBroken
from kumobashi.planning.workspace import load
from kumobashi.storage.documents import Mistake


def change(folder: Path, file: str, before: str, after: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def mistakes(folder: Path) -> tuple[Mistake, ...]:
    with pytest.raises(WorkspaceBroken) as caught:
        load(folder)
    return caught.value.mistakes


BROKEN = [
    # file, before, after, code, key, nearest or telling word, example
    ("kumobashi.yaml", '"999997"', '"999991"', "file.value", "municipality.code", "7", "999997"),
    ("sites/hall-core.yaml", "provider:", "providr:", "file.unknown_key", "providr",
     "provider", "provider: 架空市"),
    ("sites/asp-relay.yaml", "site: public-cloud", "site: public-clowd", "workspace.unknown",
     "connects_to[0].site", "public-cloud", "site: public-cloud"),
    ("sites/public-cloud.yaml", "2097152", '"2 MiB"', "file.type", "largest_part_bytes", "整数",
     "largest_part_bytes: 4194304"),
    ("sites/hall-exchange.yaml", "site: asp-relay, by: lgwan}", "site: asp-relay, by: lgwan",
     "file.syntax", "", "}", "{kind: duckdb}"),
    ("systems/nhi.yaml", "insured-residents", "insured-resident", "workspace.unknown",
     "datasets.insured_residents.layout", "insured-residents", "layout: insured-residents"),
    ("systems/vaccination.yaml", "{kind: duckdb}",
     "{kind: postgresql, dsn: 'postgresql://u:hunter2@db/x'}", "file.value", "store.dsn",
     "パスワード", "dsn: file:private/hall-core/db.dsn"),
    ("systems/consent-desk.yaml", "system: consent-desk", "system: integrated-db",
     "workspace.twice", "system", "systems/integrated-db.yaml", "system: consent-desk"),
    ("rules/notice-attributes.yaml", "of: birth_date, to: month", "of: birth_dat, to: month",
     "workspace.unknown", "columns[3].of", "birth_date", "of: birth_date"),
    ("rules/childcare-notices.yaml", "op: token", "op: tokn", "file.choice", "columns[0].op",
     "token", "op: token"),
    ("links/notice-attributes.yaml", '"01:20"', '"25:20"', "file.form", "schedule.daily",
     "見本", 'daily: "01:20"'),
    ("links/resident-to-nhi.yaml", "charset: cp932 ", "charset: sjis ", "file.choice",
     "characters.charset", "cp932", "charset: "),
    ("links/vaccination-reminders.yaml", 'code: "69-2-1"', "code: 69", "file.type",
     "legal_basis.code", "文字", 'code: "69-2-1"'),
    ("links/childcare-notices.yaml", "from: integrated-db", "from: integrated-bd",
     "workspace.unknown", "from", "integrated-db", "from: integrated-db"),
    ("links/welfare-to-citizen-app.yaml", "dataset: welfare_profiles", "dataset: welfare",
     "workspace.unknown", "to.dataset", "welfare_profiles", "dataset: welfare_profiles"),
]  # fmt: skip


def test_all_mistakes_of_all_files_are_told_at_once(folder: Path) -> None:
    for file, before, after, *_ in BROKEN:
        change(folder, file, before, after)

    found = mistakes(folder)

    for file, _, _, code, key, word, example in BROKEN:
        telling = [m for m in found if m.code == code and m.key == key and word in m.ja + m.file]
        assert telling, f"{file}: {code} at {key!r} was not told: {[m.say() for m in found]}"
        assert example in telling[0].example
    assert len({m.file for m in found}) >= 12


@pytest.mark.parametrize(("file", "before", "after", "code", "key", "word", "example"), BROKEN)
def test_each_mistake_names_its_own_line_in_both_languages(
    folder: Path, file: str, before: str, after: str, code: str, key: str, word: str, example: str
) -> None:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    expected = next(number for number, line in enumerate(lines, 1) if before in line)
    change(folder, file, before, after)

    found = [m for m in mistakes(folder) if m.code == code and m.key == key]

    assert found
    if code != "workspace.twice":  # told at whichever of the two is read last
        assert found[0].file == file
        assert found[0].line == expected
    assert found[0].column >= 1
    assert f"{found[0].line}行目" in found[0].say("ja")
    assert found[0].en.isascii() or any(word in found[0].en for word in ("「", "受"))


def test_a_secret_is_never_repeated(folder: Path) -> None:
    change(folder, "systems/nhi.yaml", "{kind: duckdb}", "{kind: postgresql, dsn: 'hunter2'}")
    change(folder, "systems/vaccination.yaml", "kind: duckdb", "kind: duckdb, password: hunter2")

    found = mistakes(folder)

    assert {m.code for m in found} == {"file.value", "file.secret"}
    assert not any("hunter2" in m.say(lang) for m in found for lang in ("ja", "en"))


def test_a_broken_file_does_not_make_others_look_broken(folder: Path) -> None:
    (folder / "systems/integrated-db.yaml").write_text(
        "kumobashi: 1\nsystem: [\n", encoding="utf-8"
    )

    assert {m.file for m in mistakes(folder)} == {"systems/integrated-db.yaml"}


def test_a_file_must_bear_the_name_of_what_it_describes(folder: Path) -> None:
    (folder / "links/notice-attributes.yaml").rename(folder / "links/notices.yaml")

    (found,) = mistakes(folder)

    assert (found.code, found.expected) == ("workspace.file_name", "notice-attributes.yaml")


def test_a_rule_may_not_read_at_another_site(folder: Path) -> None:
    change(folder, "systems/vaccination.yaml", "site: hall-core", "site: public-cloud")

    assert [(m.code, m.file, m.key) for m in mistakes(folder)] == [
        ("workspace.other_site", "rules/vaccination-reminders.yaml", "datasets.vaccinations")
    ]


def test_a_folder_without_files_says_which_one_is_missing(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path)

    assert (found.file, found.code) == ("kumobashi.yaml", "file.missing")


@pytest.mark.parametrize("substitutes", ['{"𠮷": "𡈽"}', '{"𠮷": "吉", "吉": "よし"}'])
def test_a_substitute_must_be_there_and_is_not_replaced_again(
    folder: Path, substitutes: str
) -> None:
    text = (folder / "links/resident-to-nhi.yaml").read_text(encoding="utf-8")
    start = text.index("substitutes: ") + len("substitutes: ")
    change(
        folder, "links/resident-to-nhi.yaml", text[start : text.index("}", start) + 1], substitutes
    )

    (found,) = mistakes(folder)

    assert (found.code, found.key) == ("file.value", "characters.substitutes.𠮷")


def test_an_unknown_version_of_a_layout_is_told_with_the_known_ones(folder: Path) -> None:
    change(folder, "systems/nhi.yaml", 'version: "1"', 'version: "7"')

    (found,) = mistakes(folder)

    assert (found.code, found.key) == (
        "workspace.unknown_version",
        "datasets.insured_residents.version",
    )
    assert "第7版はありません" in found.ja
    assert "第1版（2026-04-01 から）" in found.ja
    assert found.expected == "1"
    assert found.example == 'version: "1"'


def test_a_code_list_that_is_not_there_is_told_with_the_nearest(folder: Path) -> None:
    change(folder, "layouts/welfare-profiles.yaml", "assistance_kind, r", "assistance_kinds, r")

    (found,) = mistakes(folder)

    assert (found.code, found.key) == ("workspace.unknown", "fields[1].code_list")
    assert "「assistance_kind」ではありませんか" in found.ja
    assert found.example == "code_list: assistance_kind"


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor(folder: Path) -> None:
    bomb = "kumobashi: 1\nlol0: &lol0 lol\n" + "".join(
        f"lol{n}: &lol{n} [{', '.join([f'*lol{n - 1}'] * 9)}]\n" for n in range(1, 3000)
    )
    (folder / "links/notice-attributes.yaml").write_text(bomb, encoding="utf-8")
    began = time.monotonic()

    (found,) = mistakes(folder)

    assert (found.code, found.line) == ("file.alias", 2)
    assert time.monotonic() - began < 5  # the whole workspace is read meanwhile


def test_a_file_that_is_saved_while_it_is_read_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "links/notice-attributes.yaml"
    text = path.read_text(encoding="utf-8")
    saves = iter(["name: 一回目", "name: 二回目"])

    def read_and_save(self: Path) -> bytes:
        body = plain(self)
        if self == path and (name := next(saves, None)):
            path.write_text(text.replace("name: 住民基本台帳ほか", name), encoding="utf-8")
        return body

    plain = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", read_and_save)

    assert load(folder).links["notice-attributes"].name.startswith("二回目")


def test_two_files_of_one_change_are_never_mixed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is saved after it was read, the link that needs it before it is read."""
    rule, system = "rules/resident-to-school.yaml", "systems/school-register.yaml"
    done: list[str] = []

    def read_then_change(self: Path) -> bytes:
        body = plain(self)
        if self == folder / rule and not done:
            done.append(rule)
            change(folder, rule, "{name: sex, op: keep, of: sex}", "{name: sx, op: keep, of: sex}")
            change(folder, "layouts/school-register-residents.yaml", "name: sex,", "name: sx,")
        return body

    plain = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", read_then_change)

    workspace = load(folder)

    assert system in workspace.documents
    assert "sx" in [column.name for column in workspace.rules["resident-to-school"].columns]
    assert "sx" in workspace.layout("school-register.school_register_residents").names


def test_a_folder_that_never_rests_is_a_mistake_and_no_endless_loop(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "links/notice-attributes.yaml"

    def read_and_touch(self: Path) -> bytes:
        body = plain(self)
        if self == path:
            path.write_bytes(body + b"#")
        return body

    plain = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", read_and_touch)

    (found,) = mistakes(folder)

    assert found.code == "workspace.changing"
    assert "もう一度試してください" in found.ja
