"""Every example in README and docs does what its page says."""

import doctest
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.docs import examples

PAGES = examples.pages()


def with_commands() -> list[Path]:
    return [page for page in PAGES if examples.commands(page.read_text(encoding="utf-8"))]


def name(page: Path) -> str:
    return str(page.relative_to(examples.ROOT))


def played(page: Path) -> list[examples.Command]:
    """Return a page's commands, behind the one that makes its folder where it has none itself."""
    found = examples.commands(page.read_text(encoding="utf-8"))
    if found[0].text.split()[1:2] in (["init"], ["demo"]):
        return found
    return [examples.Command(line=0, text="kumobashi init --sample", exit_code=0), *found]


class Beginnings:
    """What pages begin with alike, run once: a city or a demo takes longer than all the rest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[tuple[str, ...], tuple[Path, list[examples.Ended]]] = {}
        begun = Counter(
            tuple(command.text for command in commands[:length])
            for commands in map(played, with_commands())
            for length in range(1, len(commands) + 1)
        )
        self._shared = {texts for texts, times in begun.items() if times > 1}

    def begin(self, commands: list[examples.Command], place: Path) -> list[examples.Ended]:
        """Make ``place`` what the longest known beginning left, and return how that went."""
        for length in range(len(commands), 0, -1):
            if kept := self._kept.get(tuple(command.text for command in commands[:length])):
                shutil.copytree(kept[0], place, dirs_exist_ok=True, symlinks=True)
                return list(kept[1])
        return []

    def keep(
        self, commands: list[examples.Command], place: Path, ended: list[examples.Ended]
    ) -> None:
        """Keep what a beginning left, if another page begins with it."""
        texts = tuple(command.text for command in commands)
        if texts in self._shared and texts not in self._kept:
            folder = self._folder / str(len(self._kept))
            shutil.copytree(place, folder, symlinks=True)
            self._kept[texts] = (folder, list(ended))


@pytest.fixture(scope="module")
def beginnings(tmp_path_factory: pytest.TempPathFactory) -> Beginnings:
    return Beginnings(tmp_path_factory.mktemp("beginnings"))


@pytest.mark.slow
@pytest.mark.parametrize("page", with_commands(), ids=name)
def test_commands_do_what_the_page_says(page: Path, tmp_path: Path, beginnings: Beginnings) -> None:
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    commands = played(page)
    known = beginnings.begin(commands, tmp_path)
    ended: list[examples.Ended] = []

    for number, command in enumerate(commands):
        if command.text.startswith("cd "):
            folder = folder / command.text[3:].strip()
            assert folder.is_dir(), f"{name(page)}:{command.line}: no folder {folder}"
            ended.append(examples.Ended(exit_code=0, output=""))
            continue
        if number < len(known):
            ended.append(known[number])
        else:
            ended.append(examples.invoke(command, folder, home))
            beginnings.keep(commands[: number + 1], tmp_path, ended)
        if wrong := examples.trouble(command, ended[-1]):
            pytest.fail(f"{name(page)}, {wrong}", pytrace=False)


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

    said = examples.trouble(command, examples.invoke(command, tmp_path, tmp_path))

    assert (trouble in said) if trouble else said == ""


def test_a_command_run_without_a_new_python_ends_as_the_real_one_does(tmp_path: Path) -> None:
    for text in ("kumobashi plan", "kumobashi errors --json", "kumobashi no-such-command"):
        ours = examples.Command(line=1, text=text, exit_code=0)
        real = examples.Command(line=1, text=f"{text};", exit_code=0)  # goes by a shell

        assert examples.invoke(ours, tmp_path, tmp_path) == examples.invoke(
            real, tmp_path, tmp_path
        )
