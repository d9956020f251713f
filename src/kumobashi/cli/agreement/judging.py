"""``kumobashi agreement submit``, ``review``, ``concur``, ``decide``, ``return``, ``withdraw``."""

from collections.abc import Sequence

import click

from kumobashi.cli.agreement.asking import DRY_RUN, NOTE, SITE, Person, as_person
from kumobashi.cli.agreement.gateway import holder_of
from kumobashi.cli.agreement.showing import tell
from kumobashi.cli.command import command, option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal


@command(
    "submit",
    ja="起案を申請します。文書番号が付き、所管課の審査を待ちます。",
    en="Apply; it gets its document number and waits for the owner's review.",
    example="kumobashi agreement submit 0192f3b2 --account tanaka",
)
@click.argument("agreement")
@option("--number", metavar="NUMBER", ja="文書番号を自分で付ける", en="A number of one's own")
@NOTE
@DRY_RUN
@SITE
@as_person
def submit(
    terminal: Terminal,
    *,
    agreement: str,
    number: str | None,
    note: str,
    is_dry: bool,
    site: str | None,
    person: Person,
) -> Exit:
    """Apply."""
    more = {"number": number} if number else {}
    return _do(terminal, agreement, "submit", site, person, note=note, is_dry=is_dry, **more)


@command(
    "review",
    ja="所管課として審査し、総務課の合議へ回します（申請した人にはできません）。",
    en="Review as the section that owns the data; not by who applied.",
    example="kumobashi agreement review 8架総第1号 --account sato",
)
@click.argument("agreement")
@NOTE
@DRY_RUN
@SITE
@as_person
def review(
    terminal: Terminal, *, agreement: str, note: str, is_dry: bool, site: str | None, person: Person
) -> Exit:
    """Review."""
    return _do(terminal, agreement, "review", site, person, note=note, is_dry=is_dry)


@command(
    "concur",
    ja="総務課として合議します（申請・審査した人にはできません）。",
    en="Concur as general affairs; not by who applied or reviewed.",
    example="kumobashi agreement concur 8架総第1号 --account kato --for suzuki",
)
@click.argument("agreement")
@NOTE
@DRY_RUN
@SITE
@as_person
def concur(
    terminal: Terminal, *, agreement: str, note: str, is_dry: bool, site: str | None, person: Person
) -> Exit:
    """Concur."""
    return _do(terminal, agreement, "concur", site, person, note=note, is_dry=is_dry)


@command(
    "decide",
    ja="決定します。--approve なら、期間が始まっていれば、すぐ効力を持ちます。",
    en="Decide; approved, it is in force at once when its term has begun.",
    example="kumobashi agreement decide 8架総第1号 --approve --account yamada",
)
@click.argument("agreement")
@option(
    "--approve/--refuse",
    "is_approved",
    required=True,
    default=None,
    ja="承認する・承認しない",
    en="Approve or refuse",
)
@option(
    "--condition",
    "conditions",
    multiple=True,
    metavar="TEXT",
    ja="決定で付ける条件（何度でも）",
    en="A condition of the decision; may be repeated",
)
@NOTE
@DRY_RUN
@SITE
@as_person
def decide(
    terminal: Terminal,
    *,
    agreement: str,
    is_approved: bool,
    conditions: Sequence[str],
    note: str,
    is_dry: bool,
    site: str | None,
    person: Person,
) -> Exit:
    """Decide."""
    what = "approve" if is_approved else "refuse"
    said = {"conditions": list(conditions)}
    return _do(terminal, agreement, what, site, person, note=note, is_dry=is_dry, **said)


@command(
    "return",
    ja="申請を起案に差し戻します。直して、もう一度申請できます。",
    en="Send an application back; it can be corrected and submitted again.",
    example="kumobashi agreement return 8架総第1号 --note 期間 --account sato",
)
@click.argument("agreement")
@NOTE
@DRY_RUN
@SITE
@as_person
def return_(
    terminal: Terminal, *, agreement: str, note: str, is_dry: bool, site: str | None, person: Person
) -> Exit:
    """Send back."""
    return _do(terminal, agreement, "return", site, person, note=note, is_dry=is_dry)


@command(
    "withdraw",
    ja="申請を取り下げ、または決定した利用協議を撤回します。動いている転送も数秒で止まります。",
    en="Withdraw; transfers that run under it stop within seconds.",
    example="kumobashi agreement withdraw 8架総第1号 --note 事故 --account suzuki",
)
@click.argument("agreement")
@NOTE
@DRY_RUN
@SITE
@as_person
def withdraw(
    terminal: Terminal, *, agreement: str, note: str, is_dry: bool, site: str | None, person: Person
) -> Exit:
    """Withdraw."""
    return _do(terminal, agreement, "withdraw", site, person, note=note, is_dry=is_dry)


def _do(
    terminal: Terminal,
    agreement: str,
    what: str,
    site: str | None,
    person: Person,
    /,
    *,
    note: str,
    is_dry: bool,
    **more: object,
) -> Exit:
    gateway = holder_of(terminal.workspace(), agreement, site)
    seen = gateway.show(agreement).head  # what changes from here on is refused
    body = {"note": note, "dry_run": is_dry, "seen": seen, **more}
    done = gateway.act(agreement, what, {**body, **person.credentials(terminal)})
    if is_dry and not terminal.as_json:
        terminal.out.print(
            terminal.t("できます。何も変えていません。", "It can be done; nothing was changed.")
        )
    tell(terminal, done)
    return Exit.OK
