"""``kumobashi courier export``: write the next medium of a permit."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.courier.showing import SITE, gateway_of
from kumobashi.cli.errors import Usage
from kumobashi.cli.exits import Exit
from kumobashi.cli.progress import bar
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    from kumobashi.cli.courier.gateway import CourierGateway, Json
    from kumobashi.courier.packing import Consignment
    from kumobashi.courier.writing import Draft
    from kumobashi.messages.parts import Part
    from kumobashi.service.evidence_desk import EvidenceDesk

_FOLDER = click.Path(path_type=Path, file_okay=False)


@command(
    "export",
    ja="許可された転送（または到達確認）を、つないだ媒体に書きます。\n"
    "途中で切れたら、同じ媒体で同じ命令を実行すると続きから書きます。入りきらない分は、"
    "次の媒体に替えて同じ命令で書きます。",
    en="Write what a permit allows on the medium that is mounted.\n"
    "Run again with the same medium it goes on where it broke off; with the next one, it"
    " writes what did not fit.",
    example="kumobashi courier export 5f21c0 --site hall-core --to /media/usb",
)
@click.argument("permit")
@SITE
@option("--to", "folder", required=True, type=_FOLDER, ja="媒体のフォルダ", en="The medium")
@option(
    "--receipts",
    is_flag=True,
    ja="到達確認を運ぶ許可であることを確かめる",
    en="Make sure that the permit is one for receipts",
)
@option(
    "--capacity-mib",
    type=click.IntRange(min=8),
    metavar="MIB",
    ja="媒体に書いてよい大きさ（既定: 空きのすべて）",
    en="How much may be written on the medium (default: all that is free)",
)
@option(
    "--verify/--no-verify",
    default=True,
    ja="書いたあとに媒体から読み戻して照合する（既定）",
    en="Read everything back from the medium afterwards (default)",
)
@option("--dry-run", is_flag=True, ja="何も書かずに、量と本数を見積もる", en="Write nothing")
def export(terminal: Terminal, permit: str, site: str, folder: Path, **wish: Any) -> Exit:  # noqa: ANN401 - the options above
    """Write one medium."""
    from kumobashi.service.evidence_desk import EvidenceDesk

    gateway = gateway_of(terminal, site)
    load = gateway.load(permit)
    if wish["receipts"] and load["permit"]["kind"] != "receipts":
        raise Usage(
            what="この持出許可は到達確認のものではありません。",
            what_en="This permit is not one for receipts.",
            command="kumobashi courier export",
        )
    desk = EvidenceDesk(terminal.folder, site)
    mib = wish["capacity_mib"]
    room = mib << 20 if mib else _room(folder)
    export_ = _Export(terminal, gateway, desk, load, folder=folder, room_bytes=room)
    if wish["dry_run"]:
        export_.tell_dry()
    else:
        export_.write(is_verified=wish["verify"])
    return Exit.OK


class _Export:
    """One medium, from the load of the permit to the last word of the gateway."""

    def __init__(
        self,
        terminal: Terminal,
        gateway: "CourierGateway",
        desk: "EvidenceDesk",
        load: "Json",
        *,
        folder: Path,
        room_bytes: int,
    ) -> None:
        from kumobashi.kernel import new_id

        self._terminal = terminal
        self._gateway = gateway
        self._desk = desk
        self._load = load
        self._folder = folder
        self._permit = load["permit"]
        begun = load["begun"]
        self._medium = str(begun["medium"]) if begun else new_id()
        self._draft, self._parts, self._left = self._drafted(room_bytes)

    def tell_dry(self) -> None:
        """Say what would be written."""
        terminal = self._terminal
        files = self._draft.blocks + 1
        if terminal.as_json:
            terminal.emit({**self._facts(), "is_dry_run": True})
            return
        said = terminal.t(
            f"{self._load['label']} に {files} 個のファイル（{_mib(files)} MiB）を書きます。"
            f"残る分割片 {self._left} 個。",
            f"{files} files ({_mib(files)} MiB) would go on {self._load['label']};"
            f" {self._left} parts would be left.",
        )
        terminal.out.print(said, soft_wrap=True)

    def write(self, *, is_verified: bool) -> None:
        """Write the medium, read it back, and tell the gateway."""
        from kumobashi.cli.courier.gateway import file_of
        from kumobashi.courier.writing import Journal, read_back, refuse_used, write_medium
        from kumobashi.crypto.keys import SigningKey
        from kumobashi.kernel import crashpoint

        terminal, site = self._terminal, self._gateway.site
        if self._load["begun"] is None:
            refuse_used(self._folder)  # before anything is noted as taken out
        numbers = [part.number for part in self._parts]
        self._gateway.begin(
            self._permit["permit"],
            {
                "medium": self._medium,
                "first_part": numbers[0] if numbers else None,
                "last_part": numbers[-1] if numbers else None,
            },
        )
        crashpoint("courier.export_begun")
        journal = Journal.open(file_of(terminal.folder, site, self._medium), self._medium)
        key = SigningKey.load(terminal.folder / "private" / site / "sign.key")
        with bar(terminal, "書込み", "Writing") as told:
            token = write_medium(self._folder, self._draft, journal, key, told)
        if is_verified:
            with bar(terminal, "読戻し照合", "Reading back") as told:
                read_back(self._folder, journal, told)
        crashpoint("courier.export_untold")
        self._gateway.finish(self._permit["permit"], self._medium, token)
        journal.path.unlink(missing_ok=True)
        self._tell_written(is_verified=is_verified)

    def _tell_written(self, *, is_verified: bool) -> None:
        terminal = self._terminal
        if terminal.as_json:
            terminal.emit({**self._facts(), "is_dry_run": False, "is_verified": is_verified})
            return
        t, label = terminal.t, self._load["label"]
        read = t("読み戻して照合しました。", "read back and compared.") if is_verified else ""
        said = t(f"媒体 {label} を書き終えました。{read}", f"Medium {label} is whole; {read}")
        terminal.out.print(f"[bold green]✓[/] {said}", soft_wrap=True)
        if self._left:
            more = t(
                f"残る分割片 {self._left} 個: 次の媒体に替えて、同じ命令を実行してください。",
                f"{self._left} parts are left: mount the next medium and run the same again.",
            )
            terminal.out.print(f"  {more}", soft_wrap=True)
        back = t(
            f"返却期日 {self._permit['return_by']}。戻ったら消去して"
            f" kumobashi courier returned {self._permit['permit']} で記録します。",
            f"Back by {self._permit['return_by']}; then erase it and note it:"
            f" kumobashi courier returned {self._permit['permit']}",
        )
        terminal.out.print(f"  {back}", soft_wrap=True)

    def _facts(self) -> "Json":
        return {
            "permit": self._permit["permit"],
            "medium": self._medium,
            "label": self._load["label"],
            "number": self._load["number"],
            "files": self._draft.blocks + 1,
            "bytes": _mib(self._draft.blocks + 1) << 20,
            "parts": len(self._parts),
            "parts_left": self._left,
        }

    def _drafted(self, room_bytes: int) -> "tuple[Draft, list[Part], int]":
        from kumobashi.courier.content import Papers, Said
        from kumobashi.courier.packing import Sealed, draft_bundle, draft_receipts, parts_for
        from kumobashi.crypto import base64url
        from kumobashi.messages.manifest import verify_manifest
        from kumobashi.storage.spool import Spool

        load, consignment = self._load, self._consignment()
        if self._permit["kind"] == "receipts":
            said = [
                Said(
                    transfer=one["transfer"],
                    attempt=one["attempt"],
                    receipts=tuple(one["receipts"]),
                )
                for one in load["said"]
            ]
            draft = draft_receipts(consignment, said, medium=self._medium, number=load["number"])
            return draft, [], 0
        key = load["key"]
        papers = Papers(
            manifest=str(load["manifest"]), key=None if key is None else base64url.decode(key)
        )
        verified = verify_manifest(
            papers.manifest, self._desk.directory.keys_of(self._gateway.site)
        )
        wanted = set(load["left"])
        left = [part for part in verified.parts if part.number in wanted]
        begun = load["begun"]
        parts = list(
            parts_for(
                papers,
                left,
                room_bytes=room_bytes,
                begun=(begun["first_part"], begun["last_part"]) if begun else None,
            )
        )
        spool = Spool(self._terminal.folder / "var" / self._gateway.site / "spool" / "out")

        def open_part(part: "Part") -> BinaryIO:
            hex_ = part.digest.removeprefix("sha256:")
            return spool.open(verified.transfer, verified.attempt, hex_)

        sealed = Sealed(
            transfer=verified.transfer,
            attempt=verified.attempt,
            secret=base64url.decode(str(load["secret"])),
            papers=papers,
            open_part=open_part,
        )
        draft = draft_bundle(
            consignment, sealed, medium=self._medium, number=load["number"], parts=parts
        )
        return draft, parts, len(left) - len(parts)

    def _consignment(self) -> "Consignment":
        from kumobashi.courier.packing import Consignment
        from kumobashi.kernel import SystemClock, from_wire

        return Consignment(
            permit=self._permit["permit"],
            tenant=self._desk.tenant,
            from_site=self._gateway.site,
            to_site=self._permit["to_site"],
            recipient=self._load["recipient"],
            created=SystemClock().now(),
            expires=from_wire(self._load["expires"]),
        )


def _room(folder: Path) -> int:
    from kumobashi.courier.errors import MediumMissing
    from kumobashi.courier.places import FOLDER

    try:
        return shutil.disk_usage(folder).free
    except OSError:
        raise MediumMissing(folder=FOLDER) from None


def _mib(files: int) -> int:
    from kumobashi.courier.blocks import FILE_BYTES

    return files * FILE_BYTES >> 20
