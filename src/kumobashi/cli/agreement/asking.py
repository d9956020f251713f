"""Options that the commands of agreements share: which site, and who acts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kumobashi.cli.command import option
from kumobashi.cli.signing_in import signing_in
from kumobashi.cli.terminal import Terminal

SITE = option(
    "--site",
    metavar="SITE",
    ja="利用協議を持つサイト（既定: 連携を送るサイトから探します）",
    en="The site that keeps it (default: looked for at the sites that send links)",
)
DRY_RUN = option(
    "--dry-run",
    "is_dry",
    is_flag=True,
    ja="できるかどうかだけ確かめ、何も書かない",
    en="Only check whether it could be done; write nothing",
)
NOTE = option("--note", default="", metavar="TEXT", ja="備考（個人の名前は書かない）", en="A note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts, as the options say; the password is asked for when it is needed."""

    account: str
    instead_of: str | None
    from_stdin: bool

    def credentials(self, terminal: Terminal) -> dict[str, object]:
        """Ask who it is; the gateway compares, and counts what is wrong."""
        said = signing_in(terminal, self.account, from_stdin=self.from_stdin)
        return {**said, **({"instead_of": self.instead_of} if self.instead_of else {})}


def as_person(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say who does it; it gets one ``person``."""

    def gathered(terminal: Terminal, **said: Any) -> Any:  # noqa: ANN401 - click's own
        person = Person(
            account=said.pop("account"),
            instead_of=said.pop("instead_of"),
            from_stdin=said.pop("from_stdin"),
        )
        return function(terminal, person=person, **said)

    gathered.__doc__ = function.__doc__
    # What was declared below this one is declared here.
    gathered.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    made = option(
        "--credentials-stdin",
        "from_stdin",
        is_flag=True,
        ja="パスワードと確認コードを標準入力の2行から読む",
        en="Read password and code from two lines of standard input",
    )(gathered)
    made = option(
        "--for",
        "instead_of",
        metavar="NAME",
        ja="代決: この人に代わって行う（期間は kumobashi.yaml の deputies）",
        en="Act as a deputy of this account (deputies in kumobashi.yaml)",
    )(made)
    return option(
        "--account",
        required=True,
        metavar="NAME",
        ja="操作する人の利用者名（kumobashi account）",
        en="Whose account it is",
    )(made)
