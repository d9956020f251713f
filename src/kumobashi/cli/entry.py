"""Where the command begins: the list of commands, and how failures become words and exit codes."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from kumobashi import __version__
from kumobashi.cli.command import Group, Option
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal, speak_anywhere

PLACES = {
    "demo": "kumobashi.cli.demo:demo",
    "training": "kumobashi.cli.training:training",
    "init": "kumobashi.cli.init:init",
    "plan": "kumobashi.cli.plan:plan",
    "campaign": "kumobashi.cli.campaign:campaign",
    "workspace": "kumobashi.cli.workspace:workspace",
    "system": "kumobashi.cli.system:system",
    "link": "kumobashi.cli.link:link",
    "consent": "kumobashi.cli.consent:consent",
    "tie": "kumobashi.cli.tie:tie",
    "request": "kumobashi.cli.request:request",
    "deletion": "kumobashi.cli.deletion:deletion",
    "individual": "kumobashi.cli.individual:individual",
    "call": "kumobashi.cli.call:call",
    "keys": "kumobashi.cli.keys:keys",
    "release": "kumobashi.cli.release:release",
    "transfer": "kumobashi.cli.transfer:transfer",
    "serve": "kumobashi.cli.serve:serve",
    "work": "kumobashi.cli.work:work",
    "watch": "kumobashi.cli.watch:watch",
    "fault": "kumobashi.cli.fault:fault",
    "state": "kumobashi.cli.state:state",
    "file": "kumobashi.cli.file:file",
    "risk": "kumobashi.cli.risk:risk",
    "policy": "kumobashi.cli.policy:policy",
    "catalogue": "kumobashi.cli.catalogue:catalogue",
    "audit": "kumobashi.cli.audit:audit",
    "incident": "kumobashi.cli.incident:incident",
    "papers": "kumobashi.cli.papers:papers",
    "evidence": "kumobashi.cli.evidence:evidence",
    "bundle": "kumobashi.cli.bundle:bundle",
    "agreement": "kumobashi.cli.agreement:agreement",
    "courier": "kumobashi.cli.courier:courier",
    "directory": "kumobashi.cli.directory:directory",
    "net": "kumobashi.cli.net:net",
    "account": "kumobashi.cli.account:account",
    "doctor": "kumobashi.cli.doctor:doctor",
    "city": "kumobashi.cli.city:city",
    "partner": "kumobashi.cli.partner:partner",
    "bench": "kumobashi.cli.bench:bench",
    "schemas": "kumobashi.cli.tables:schemas",
    "errors": "kumobashi.cli.tables:errors",
}


class Root(Group):
    """The ``kumobashi`` command: every failure ends in one clear block and one exit code."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> NoReturn:  # noqa: ANN401 - click's own
        """Run and end the process."""
        speak_anywhere()
        terminal = Terminal()
        extra |= {"standalone_mode": False, "obj": terminal, "prog_name": "kumobashi"}
        try:
            code = super().main(args, *more, **extra)
        except (click.exceptions.Abort, KeyboardInterrupt):
            code = 128 + 2  # SIGINT, as shells count
        except BrokenPipeError:  # the reader of a pipe has seen enough
            sys.stderr.close()
            code = Exit.OK
        except Exception as error:  # noqa: BLE001 - the one place that tells people
            from kumobashi.cli.failing import tell

            code = tell(terminal, error)
        sys.exit(int(code) if isinstance(code, int) else Exit.OK)


def _version(ctx: click.Context, _param: click.Parameter, wished: object) -> None:
    if wished:
        click.echo(f"kumobashi {__version__}")
        ctx.exit()


root = Root(
    "kumobashi",
    ja="雲橋: 庁内とクラウドのシステムを、根拠・粗さ・到達を確かめながらつなぎます。",
    en="Kumobashi links the systems of a city hall and its clouds: lawful, coarsened, confirmed.",
    example="kumobashi demo",
    places=PLACES,
)
root.params.append(
    Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_version,
        ja="版を出して終わる",
        en="Show the version and end",
    )
)


def main() -> NoReturn:
    """Run the command line of this process."""
    root.main()
