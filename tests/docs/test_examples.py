"""Every example in README and docs does what its page says."""

import doctest
from pathlib import Path

import pytest

from tests.docs import examples

PAGES = examples.pages()


def with_commands() -> list[Path]:
    return [page for page in PAGES if examples.commands(page.read_text(encoding="utf-8"))]


def name(page: Path) -> str:
    return str(page.relative_to(examples.ROOT))


@pytest.mark.slow
@pytest.mark.parametrize("page", with_commands(), ids=name)
def test_commands_do_what_the_page_says(page: Path, tmp_path: Path) -> None:
    commands = examples.commands(page.read_text(encoding="utf-8"))
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    if not commands[0].text.startswith("kumobashi init"):
        made = examples.Command(line=0, text="kumobashi init --sample", exit_code=0)
        assert not examples.run(made, folder, home)

    for command in commands:
        if command.text.startswith("cd "):
            folder = folder / command.text[3:].strip()
            assert folder.is_dir(), f"{name(page)}:{command.line}: no folder {folder}"
            continue
        if trouble := examples.run(command, folder, home):
            pytest.fail(f"{name(page)}, {trouble}", pytrace=False)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_examples_give_what_the_page_shows(page: Path) -> None:
    text = examples.python_only(page.read_text(encoding="utf-8"))
    example = doctest.DocTestParser().get_doctest(text, {}, name(page), str(page), 0)
    report: list[str] = []

    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=report.append)

    assert not report, "".join(report)


PAGE = """\
Text.

<!-- run -->

```console
$ kumobashi plan --json \\
    0001
{"ready": ...}
$ ls
$ cd city
```

```console
$ kumobashi not-run
```

<!-- run: exit 2 -->
```console
$ kumobashi plan 0002
```

```python
>>> 1 + 1
2
```
"""


def test_only_marked_blocks_are_run_and_only_our_commands() -> None:
    found = examples.commands(PAGE)

    assert [(c.line, c.text, c.exit_code, c.output) for c in found] == [
        (6, "kumobashi plan --json 0001", 0, '{"ready": ...}'),
        (10, "cd city", 0, ""),
        (19, "kumobashi plan 0002", 2, ""),
    ]


def test_python_examples_keep_their_line_numbers() -> None:
    lines = examples.python_only(PAGE).splitlines()

    assert lines[22:24] == [">>> 1 + 1", "2"]
    assert not any(lines[:22])


@pytest.mark.parametrize(
    ("text", "shown", "exit_code", "trouble"),
    [
        ("printf 'a1\\nb\\n'", ["a...", "b"], 0, ""),
        ("printf 'a1\\nb\\n'", [], 0, ""),
        ("printf 'c\\n'", ["a..."], 0, "the page shows"),
        ("exit 3", [], 3, ""),
        ("exit 3", [], 0, "exit 3, not 0"),
    ],
)
def test_a_command_is_held_to_its_exit_code_and_to_the_output_shown(
    text: str, shown: list[str], exit_code: int, trouble: str, tmp_path: Path
) -> None:
    command = examples.Command(line=1, text=text, exit_code=exit_code, shown=shown)

    said = examples.run(command, tmp_path, tmp_path)

    assert (trouble in said) if trouble else said == ""
