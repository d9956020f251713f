"""What our pages say of the code is what the code says of itself."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click
import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from kumobashi.cli.entry import root
from kumobashi.cli.tables import all_errors
from kumobashi.exchange.states import IN_MOVES, OUT_MOVES
from kumobashi.planning.call_items import answer_keys
from kumobashi.planning.call_plan import call_plan
from kumobashi.planning.plan import plan
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.schemas import SCHEMAS
from kumobashi.planning.workspace import load
from kumobashi.release.columns import Column
from kumobashi.release.gates import AnyGate
from kumobashi.release.ladders import check_ladder
from kumobashi.testing.crash_points import names, names_of_deletion, names_of_withdrawal
from tests.docs import examples
from tools import reference_pages

DOCS = examples.ROOT / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")
_YAML_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def table_behind(text: str, mark: str) -> list[list[str]]:
    """Return the cells of the first table behind a mark, without its two lines of header."""
    lines = text.partition(mark)[2].lstrip("\n").splitlines()
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows[2:]


def ticked(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# -- generated pages ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the pages in a process of its own: tests bring failures of theirs into this one."""
    folder = tmp_path_factory.mktemp("reference")
    command = [sys.executable, "-m", "tools.reference_pages", str(folder)]
    subprocess.run(command, cwd=examples.ROOT, check=True)
    return folder


@pytest.mark.parametrize("name", ["workspace-files.md", "errors.md", "layouts.md", "items.md"])
def test_the_generated_page_is_current(generated: Path, name: str) -> None:
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    current = (generated / name).read_text(encoding="utf-8")

    assert written == current, "run: python -m tools.reference_pages"


def test_every_key_of_the_files_has_japanese_words_and_no_words_are_left_over() -> None:
    wanted: dict[str, set[str]] = {}
    for model in SCHEMAS.values():
        schema = model.model_json_schema()
        for name, part in {model.__name__: schema, **schema.get("$defs", {})}.items():
            if "properties" in part:
                wanted[name] = set(part["properties"])

    assert {model: set(keys) for model, keys in reference_pages.WORDS["keys"].items()} == wanted
    assert set(reference_pages.WORDS["parts"]) == wanted.keys() - {
        model.__name__ for model in SCHEMAS.values()
    }


# -- architecture ---------------------------------------------------------------------------------


def moves() -> set[tuple[str, str, str]]:
    both = (("out", OUT_MOVES), ("in", IN_MOVES))
    return {
        (side, now.value, then.value)
        for side, table in both
        for now, thens in table.items()
        for then in thens
    }


def test_the_table_of_moves_is_that_of_the_code() -> None:
    told = {
        ("out" if at == "sender" else "in", ticked(now)[0], then)
        for at, now, thens in table_behind(ARCHITECTURE, "<!-- moves -->\n")
        for then in ticked(thens)
    }

    assert told == moves()


def test_the_drawing_of_states_has_an_arrow_for_every_move_and_no_other() -> None:
    picture = ET.parse(DOCS / "pictures" / "states.svg")  # noqa: S314 - a file of our own

    drawn = [
        tuple(arrow.attrib["data-move"].split())
        for arrow in picture.iter()
        if "data-move" in arrow.attrib
    ]

    assert len(drawn) == len(set(drawn))
    assert set(drawn) == moves()


def test_the_table_of_crash_points_names_them_all() -> None:
    rows = table_behind(ARCHITECTURE, "<!-- crash points -->\n")

    assert sorted(ticked(row[0])[0] for row in rows) == sorted(names())


def test_the_table_of_crash_points_of_deletion_names_them_all() -> None:
    rows = table_behind(ARCHITECTURE, "<!-- crash points of deletion -->\n")

    assert sorted(ticked(row[0])[0] for row in rows) == sorted(names_of_deletion())


def test_the_table_of_crash_points_of_withdrawal_names_them_all() -> None:
    rows = table_behind(ARCHITECTURE, "<!-- crash points of withdrawal -->\n")

    assert sorted(ticked(row[0])[0] for row in rows) == sorted(names_of_withdrawal())


def test_the_floors_are_those_that_are_checked() -> None:
    settings = tomllib.loads((examples.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [
        held for held in settings["tool"]["importlinter"]["contracts"] if held["id"] == "floors"
    ]
    checked = [re.sub(r"[()]", "", layer) for layer in contract["layers"]]

    block = ARCHITECTURE.partition("<!-- floors -->")[2].split("```")[1]
    told = [re.split(r"\s{2,}", line)[0] for line in block.splitlines()[1:] if line]

    assert told == [layer for layer in checked if layer != "__main__"]


# -- reference ------------------------------------------------------------------------------------


def now() -> datetime:
    return datetime.now(UTC)


def yaml_blocks(page: Path) -> list[str]:
    return _YAML_BLOCK.findall(page.read_text(encoding="utf-8"))


def test_every_operation_of_a_rule_has_an_example_that_is_read() -> None:
    column: TypeAdapter[Column] = TypeAdapter(Column)
    blocks = [
        YAML(typ="safe", pure=True).load(block)
        for block in yaml_blocks(DOCS / "reference" / "release-rules.md")
    ]
    read = [
        column.validate_python(item)
        for block in blocks
        if isinstance(block, list)
        for item in block
    ]

    schema = column.json_schema()
    assert {one.op for one in read} == set(schema["discriminator"]["mapping"])
    for one in read:
        check_ladder(one)
    gates = [block["gate"] for block in blocks if isinstance(block, dict) and "gate" in block]
    assert len([TypeAdapter(AnyGate).validate_python(gate) for gate in gates]) == 2
    (stands_in,) = (
        block["fallback"] for block in blocks if isinstance(block, dict) and "fallback" in block
    )
    sample = (
        examples.ROOT / "src/kumobashi/planning/sample/links/notice-attributes.yaml"
    ).read_text(encoding="utf-8")
    assert f"fallback: {stands_in} " in sample


def test_every_step_that_the_page_names_is_one_that_a_ladder_may_have() -> None:
    page = (DOCS / "reference" / "release-rules.md").read_text(encoding="utf-8")
    finest: dict[str, dict[str, Any]] = {
        "truncate": {"to": "month"},
        "keep": {},
        "prefix": {"length": 13},
        "area": {"to": "chome", "lengths": {"chome": 13, "oaza": 10, "ward": 6, "city": 5}},
        "mask": {"first": 3},
        "top_bottom": {"bottom": 0, "top": 10_000_000},
        "household_birth_months": {"under": 18},
        "flag": {"dataset": "tax", "one": ["1"]},
        "has_member": {"from": 0},
    }
    column: TypeAdapter[Column] = TypeAdapter(Column)
    rows = table_behind(page, "<!-- ladders -->\n")
    told = {op: ticked(row[2])[0] for row in rows for op in ticked(row[0])}

    for op, written in told.items():
        ladder = YAML(typ="safe", pure=True).load(written)
        said = {"name": "x", "op": op, "of": "y", "ladder": ladder, **finest.get(op, {})}
        check_ladder(column.validate_python(said))
    assert {"truncate", "area", "household_ages", "flag"} < told.keys()


@pytest.mark.parametrize(
    ("module", "table"),
    [
        ("local_api", "local api"),
        ("deletion_api", "deletion api"),
        ("consent_api", "consent api"),
        ("tie_api", "tie api"),
        ("incident_api", "incident api"),
        ("watch_api", "watch api"),
        ("program_api", "program api"),
        ("clock_api", "clock api"),
    ],
)
def test_the_local_api_page_lists_its_routes(module: str, table: str) -> None:
    source = (examples.ROOT / f"src/kumobashi/service/{module}.py").read_text(encoding="utf-8")
    served = {
        f"{method} {path}"
        for path, method in re.findall(r'Route\("([^"]+)", .*methods=\["(\w+)"\]', source)
    }

    page = (DOCS / "reference" / "http.md").read_text(encoding="utf-8")
    told = {ticked(row[0])[0] for row in table_behind(page, f"<!-- {table} -->\n")}

    assert told == served


@pytest.mark.parametrize(
    ("document", "modules"),
    [
        (
            "local",  # of deletions the reading alone
            {
                "local_api": None,
                "watch_api": None,
                "program_api": None,
                "clock_api": None,
                "deletion_api": "GET",
            },
        ),
        ("directory", {"directory_api": None}),
    ],
)
def test_a_description_has_the_routes_that_are_served(
    document: str, modules: dict[str, str | None]
) -> None:
    folder = examples.ROOT / "src/kumobashi/service"
    served: set[str] = set()
    for module, only in modules.items():
        source = (folder / f"{module}.py").read_text(encoding="utf-8")
        served |= {
            f"{method} {path}"
            for path, method in re.findall(r'Route\("([^"]+)", .*methods=\["(\w+)"\]', source)
            if only in {None, method}
        }
    said = YAML(typ="safe", pure=True).load(folder / f"openapi/{document}.yaml")

    told = {
        f"{method.upper()} {path}"
        for path, methods in said["paths"].items()
        for method in methods
        if document != "directory" or path.startswith("/directory/")  # the others are GovStack's
    }
    assert told == served


# -- how-to ---------------------------------------------------------------------------------------


def test_the_files_of_the_csv_example_make_a_link_that_may_run(tmp_path: Path) -> None:
    folder = write_sample(tmp_path / "city")
    added = {
        block.splitlines()[0].removeprefix("# "): block
        for block in yaml_blocks(DOCS / "how-to" / "add-a-csv-link.md")
    }
    for name, text in added.items():
        (folder / name).write_text(text, encoding="utf-8")
    page = (DOCS / "how-to" / "add-a-csv-link.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"```text\n(resident-registry,.*?\n)```", page)
    with (folder / "policy" / "who_may.csv").open("a", encoding="utf-8") as rules:
        rules.write(row)

    workspace = load(folder)
    directory = publish_directory(folder, now=now())
    decided = plan(workspace, directory, "school-children", on=now().date())

    assert len(added) == 4
    assert decided.is_permitted, [reason.ja for reason in decided.reasons]


def test_the_systems_of_the_page_on_dropped_files_are_read(tmp_path: Path) -> None:
    folder = write_sample(tmp_path / "city")
    blocks = yaml_blocks(DOCS / "how-to" / "drop-a-file.md")
    for block in blocks:
        (folder / block.splitlines()[0].removeprefix("# ")).write_text(block, encoding="utf-8")

    workspace = load(folder)

    assert len(blocks) == 2
    stores = [workspace.systems[name].store for name in ("allowance-desk", "host")]
    assert [store.kind for store in stores if store] == ["folder", "folder"]


def test_the_online_link_of_the_page_is_permitted_and_hides_what_it_says(tmp_path: Path) -> None:
    folder = write_sample(tmp_path / "city")
    page = DOCS / "how-to" / "declare-a-service.md"
    for block in yaml_blocks(page):
        (folder / block.splitlines()[0].removeprefix("# ")).write_text(block, encoding="utf-8")
    rows = re.findall(r"```text\n(.*?\n)```", page.read_text(encoding="utf-8"))
    for file, row in zip(("information_kinds.csv", "who_may.csv"), rows, strict=True):
        with (folder / "policy" / file).open("a", encoding="utf-8") as rules:
            rules.write(row)

    workspace = load(folder)
    decided = call_plan(
        workspace, publish_directory(folder, now=now()), "school-households", on=now().date()
    )

    assert (decided.reasons, decided.cautions) == ((), ())
    (one,) = decided.operations
    assert answer_keys(workspace, decided.link, one)[1] == {"seinengappi"}


# -- every page -----------------------------------------------------------------------------------


_SPOKEN = re.compile(
    r"(?:`|^    |\$ |^ExecStart=.*/|KUMO_PORT=\d+ )kumobashi ([^`\n#|]+)", re.MULTILINE
)


def spoken(page: Path) -> list[list[str]]:
    """Return the words behind every ``kumobashi`` of a page's commands."""
    return [found.split() for found in _SPOKEN.findall(page.read_text(encoding="utf-8"))]


def wrong_words(words: list[str]) -> list[str]:
    """Return what of a command line the program does not know."""
    command: click.Command = root
    options = set(option_names(command))
    for word in words:
        if word in {"&", "&&", ">", "…", "..."}:
            break
        if word.startswith("-"):
            if word not in options:
                return [word]
        elif isinstance(command, click.Group) and word.isascii() and word[0].isalpha():
            found = command.get_command(click.Context(command), word)
            if found is None:
                return [word]
            command = found
            options |= set(option_names(command))
    return []


def option_names(command: click.Command) -> Iterator[str]:
    for option in command.params:
        yield from option.opts
    yield from ("--help", "--version")


def pages_of_ours() -> list[Path]:
    return [page for page in examples.pages() if spoken(page)]


@pytest.mark.parametrize("page", pages_of_ours(), ids=lambda page: page.name)
def test_every_command_and_option_in_a_page_exists(page: Path) -> None:
    wrong = {" ".join(words): wrong for words in spoken(page) if (wrong := wrong_words(words))}

    assert not wrong


def test_an_unknown_command_or_option_is_noticed() -> None:
    assert wrong_words(["link", "rum", "notice-attributes"]) == ["rum"]
    assert wrong_words(["plan", "notice-attributes", "--aprove"]) == ["--aprove"]
    assert wrong_words(["--workspace", "/srv/kumobashi", "serve", "--site", "asp-relay"]) == []


@pytest.mark.parametrize("page", examples.pages(), ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for found in _LINK.finditer(page.read_text(encoding="utf-8")):
        target = (found[1] or found[2]).partition("#")[0]
        if target and "://" not in target:
            assert (page.parent / target).resolve().exists(), f"{page.name}: {target}"


# -- glossary -------------------------------------------------------------------------------------


def test_every_name_of_the_glossary_is_one_that_the_source_uses() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((examples.ROOT / "src").rglob("*"))
        if path.suffix in {".py", ".yaml", ".csv"}
    )
    used = set(re.findall(r"[A-Za-z][A-Za-z0-9_-]*", source))
    used |= {part for name in used for part in re.split(r"[_-]", name)}
    used |= {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in used}
    used |= {name.replace("-", "_") for name in used}
    page = (DOCS / "glossary.md").read_text(encoding="utf-8")
    in_code = page.partition("## Spoken of")[0]
    names = [
        name
        for line in in_code.splitlines()
        if line.startswith("| ") and line.count("|") == 5 and not line.startswith(("| -", "| Jap"))
        for name in ticked(line.split("|")[3])
    ]

    assert len(names) > 60
    assert not [name for name in names if name not in used]


@pytest.mark.parametrize("page", examples.pages(), ids=lambda page: page.name)
def test_coarsened_data_are_never_called_anonymous(page: Path) -> None:
    assert "匿名" not in page.read_text(encoding="utf-8")


def test_what_is_refused_is_sent_by_the_test_that_the_page_names() -> None:
    page = (DOCS / "reference/bad-input.md").read_text(encoding="utf-8")
    known = {error.code for error in all_errors()}
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", page)
    codes = set(re.findall(r"`((?:call|crypto|soap|linkage|service)\.[a-z_]+)`", page))

    assert len(named) > 25
    assert not [f"{file}::{name}" for file, name in named if f"def {name}(" not in _text(file)]
    assert codes <= known


@cache
def _text(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")
