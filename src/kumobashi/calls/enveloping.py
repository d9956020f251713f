"""What a message travels in: as it is between two sites that connect, sealed across relays."""

from kumobashi.calls.errors import MessageMalformed
from kumobashi.calls.wire import CALL_TYPE
from kumobashi.crypto.jwe import MEDIA_TYPE as SEALED_TYPE
from kumobashi.crypto.jwe import open_sealed, seal
from kumobashi.crypto.keys import SealKey

__all__ = ["SEALED_TYPE", "put_in", "take_out"]


def put_in(message: bytes, recipient: str | None, *, content: str = CALL_TYPE) -> tuple[str, bytes]:
    """Return media type and body; sealed to ``recipient`` when there is one."""
    if recipient is None:
        return content, message
    return SEALED_TYPE, seal(message, recipient, content_type=content)


def take_out(
    media_type: str, body: bytes, key: SealKey, *, is_sealed: bool, content: str = CALL_TYPE
) -> bytes:
    """Return the message; one that had to be sealed and is not is refused.

    Raises:
        MessageMalformed: of another form, or in the clear where it may not be.
        NotForUs, SealedDamaged: it cannot be opened here.
    """
    if media_type == SEALED_TYPE:
        opened = open_sealed(body, key)
        if opened.content_type != content:
            raise MessageMalformed(reason="content type")
        return opened.body
    if is_sealed:
        raise MessageMalformed(reason="in the clear through a relay")
    if media_type != content:
        raise MessageMalformed(reason="content type")
    return body
