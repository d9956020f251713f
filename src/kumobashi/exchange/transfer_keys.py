"""The keys of transfers at one site: made at the sender, opened at the receiver, passed by relays.

The sender keeps a key only as the receiver can open it; the receiver keeps it wrapped to its own
``seal.key``; a relay holds what it cannot open until the transfer is over there. So a key is worth
nothing without the site's own, and the site's own nothing without the key.
"""

from pathlib import Path
from typing import BinaryIO

from kumobashi.crypto.errors import KeyGone
from kumobashi.crypto.keys import SealKey
from kumobashi.crypto.sealing import open_sealed, seal
from kumobashi.crypto.transfer_keys import AGE_MAGIC, LARGEST_WRAPPED, unwrap, wrap
from kumobashi.messages.errors import FieldWrong, MessageReplayed
from kumobashi.messages.manifest import Manifest
from kumobashi.storage.erasable import ErasableSecrets

IN, OUT, SNAPSHOTS, HISTORIES, PROOFS = "in", "out", "snapshots", "histories", "proofs"
INDIVIDUAL = "individual"


class TransferKeys:
    """What one site holds of keys of transfers."""

    def __init__(self, store: ErasableSecrets, sealing: SealKey) -> None:
        self.store = store
        self._sealing = sealing

    # -- at the sender --------------------------------------------------------------------------

    def make(self, transfer: str, attempt: int, *, recipient: str) -> str:
        """Make the key of a sealing; return the recipient to seal to. Its secret stays nowhere."""
        for older in range(1, attempt + 1):  # a newer one is another process's by now
            self.store.drop(OUT, _name(transfer, older))
        key = SealKey.generate()
        self.store.put(OUT, _name(transfer, attempt), wrap(key, recipient))
        return key.recipient

    def sent(self, transfer: str, attempt: int) -> bytes:
        """Return the wrapped key to put at the next hop.

        Raises:
            KeyGone: it is not here, say because only the state was restored.
        """
        document = self.store.get(OUT, _name(transfer, attempt))
        if document is None:
            raise KeyGone(transfer=transfer)
        return document

    def keep_sent(self, transfer: str, attempt: int, then: int) -> None:
        """Keep the key also under a later attempt, which sends the same sealed bytes.

        Raises:
            KeyGone: it is not here.
        """
        self.store.put(OUT, _name(transfer, then), self.sent(transfer, attempt))

    def forget_sent(self, transfer: str, attempt: int | None = None) -> None:
        """Destroy what is not sent again, of one attempt or of all."""
        for name in self.store.names(OUT):
            if name == _name(transfer, attempt or 0) or (
                attempt is None and _is_of(name, transfer)
            ):
                self.store.drop(OUT, name)

    def all_sent(self) -> set[str]:
        """Return the transfers of which a key to send is here."""
        return {name.rpartition("-")[0] for name in self.store.names(OUT)}

    # -- at receivers and relays ----------------------------------------------------------------

    def take(self, transfer: str, attempt: int, document: bytes) -> bool:
        """Keep a wrapped key durably; return whether it is new.

        Raises:
            FieldWrong: no age file of a sensible size.
            MessageReplayed: another one is here already.
            SecretErased: it was destroyed with what it opened.
        """
        if not document.startswith(AGE_MAGIC) or len(document) > LARGEST_WRAPPED:
            expected = f"an age file of at most {LARGEST_WRAPPED} bytes"
            raise FieldWrong(document="key", field="$", expected=expected)
        held = self.store.get(IN, _name(transfer, attempt))
        if held is not None:
            if held != document:
                raise MessageReplayed(transfer=transfer)
            return False
        self.store.put(IN, _name(transfer, attempt), document)
        return True

    def taken(self, transfer: str, attempt: int) -> bytes | None:
        """Return the wrapped key that came, to pass it on."""
        return self.store.get(IN, _name(transfer, attempt))

    def forget_taken(self, transfer: str, attempt: int) -> None:
        """Destroy a key that this site has no use for."""
        self.store.drop(IN, _name(transfer, attempt))

    def erase_taken(self, transfer: str, attempt: int) -> None:
        """Destroy the key of what was deleted, for good, under whatever attempt it came.

        Attempts that were cut anew share their key; ``attempt`` is the one that was applied.
        """
        others = {name for name in self.store.names(IN) if _is_of(name, transfer)}
        for name in sorted(others | {_name(transfer, attempt)}):
            self.store.erase(IN, name)

    def has_taken(self, transfer: str) -> bool:
        """Whether a key of a transfer is here, under whatever attempt."""
        return any(_is_of(name, transfer) for name in self.store.names(IN))

    def is_erased(self, transfer: str, attempt: int) -> bool:
        """Whether the key of a bundle was destroyed for good, with what it opened."""
        return f"{IN}/{_name(transfer, attempt)}" in self.store.erased()

    def keep_proof(self, transfer: str, attempt: int, receipt: str) -> None:
        """Keep what was signed about a destroyed key, beside the names of all that were.

        So a state that is put back from a backup finds what the site has said already.
        """
        self.store.put(PROOFS, _name(transfer, attempt), receipt.encode("ascii"))

    def proof(self, transfer: str, attempt: int) -> str | None:
        """Return the receipt, if there is one."""
        kept = self.store.get(PROOFS, _name(transfer, attempt))
        return kept.decode("ascii") if kept else None

    def all_taken(self) -> list[tuple[str, int]]:
        """Return transfer and attempt of every key that came."""
        parted = [name.rpartition("-") for name in self.store.names(IN)]
        return [(transfer, int(attempt)) for transfer, _, attempt in parted]

    def opening(self, manifest: Manifest) -> SealKey:
        """Return the key that opens a bundle: its own, or the site's for an older sender.

        Raises:
            KeyGone: its own is not here.
            KeyUnlike, SealFailed: what came is not the one that the manifest names.
        """
        if manifest.key is None:
            return self._sealing
        document = self.taken(manifest.transfer, manifest.attempt)
        if document is None:
            raise KeyGone(transfer=manifest.transfer)
        return unwrap(document, self._sealing, expected=manifest.key)

    # -- files that rest at this site -----------------------------------------------------------

    def seal_file(self, plain: Path, target: BinaryIO, shelf: str, name: str) -> None:
        """Seal a file to a fresh key of this site's own, kept under its name."""
        key = SealKey.generate()
        self.store.put(shelf, name, wrap(key, self._sealing.recipient))
        with plain.open("rb") as source:
            seal(source, target, [key.recipient])

    def open_file(self, source: BinaryIO, target: BinaryIO, shelf: str, name: str) -> None:
        """Open what :meth:`seal_file` made.

        Raises:
            KeyGone, SealFailed: it cannot be read any more.
        """
        document = self.store.get(shelf, name)
        if document is None:
            raise KeyGone(transfer=name)
        open_sealed(source, target, unwrap(document, self._sealing))

    def has_file(self, shelf: str, name: str) -> bool:
        """Whether the key of a file is here."""
        return self.store.get(shelf, name) is not None

    def forget_file(self, shelf: str, name: str) -> None:
        """Destroy the key of a file, and so every copy of it."""
        self.store.drop(shelf, name)


def _is_of(name: str, transfer: str) -> bool:
    return name.rpartition("-")[0] == transfer


def _name(transfer: str, attempt: int) -> str:
    return f"{transfer}-{attempt}"
