"""``kumobashi incident report``: the draft of the prompt or final report."""

from pathlib import Path

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.incident.asking import SITE, ask_holder, moment
from kumobashi.cli.papers.telling import HTML, tell_paper
from kumobashi.cli.signing_in import ACCOUNT, STDIN, signing_in
from kumobashi.cli.terminal import Terminal


@command(
    "report",
    ja="漏えい等報告の下書き（速報 prompt、確報 final）。出したら --filed でその日時を記録します\n"
    "（承認の役。--account で名乗ります）。",
    en="Draft the prompt or final report; --filed notes that it was filed, and when (approvers,\n"
    "who sign in with --account).",
    example="kumobashi incident report 019aa8d1-5b7c-7000-8000-0123456789ab --kind prompt"
    " --html prompt.html",
)
@click.argument("incident")
@option(
    "--kind",
    "report_kind",
    type=click.Choice(["prompt", "final"]),
    required=True,
    ja="速報か確報か",
    en="Which report",
)
@option("--filed", metavar="DATETIME", ja="報告した日時を記録する", en="Note that it was filed")
@HTML
@ACCOUNT
@STDIN
@SITE
def report(
    terminal: Terminal,
    *,
    incident: str,
    report_kind: str,
    filed: str | None,
    page: Path | None,
    site: str | None,
    account: str | None,
    password_stdin: bool,
) -> None:
    """Draft a report."""
    at = moment(filed, "incident report")
    body: dict[str, object] = {"incident": incident, "report": report_kind, "filed": at}
    if at is not None:
        body |= signing_in(terminal, account, from_stdin=password_stdin)
    found = ask_holder(terminal, site, "report" if at is None else "file", body)
    tell_paper(terminal, found["paper"], found["html"], page)
