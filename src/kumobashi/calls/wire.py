"""What a call looks like on the wire, beside its signatures."""

from collections.abc import Iterable

from kumobashi.calls.binary_http import LARGEST_HEAD, Headers

CALL_TYPE = "message/bhttp"  # RFC 9292
PROBLEM_TYPE = "application/problem+json"  # RFC 9457
BUDGET = "kumobashi-budget"  # milliseconds left; each hop counts down what it has used
LARGEST_REQUEST = 4 * 1024 * 1024  # bytes of a request with its fields
LARGEST_ANSWER = 64 * 1024 * 1024  # that is held whole; a link's own limit is smaller, as a rule

# What concerns one connection or one gateway only, and never travels to the other system.
_OF_THE_HOP = frozenset(
    {
        "authorization", "connection", "content-length", "cookie", "date", "expect", "forwarded",
        "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
        "server", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via",
        "accept-encoding",
    }
)  # fmt: skip
_SIGNED = frozenset(
    {"content-type", "content-digest", "kumobashi-answer", "signature-input", "signature",
     "retry-after"}
)  # fmt: skip
_OURS = ("kumobashi-", "x-forwarded-", "signature")


def end_to_end(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers that belong to the message, with names in lower case."""
    held = [(name.lower(), value) for name, value in headers]
    named = {
        option.strip().lower()
        for name, value in held
        if name == "connection"
        for option in value.split(",")
    }
    return tuple(
        (name, value)
        for name, value in held
        if name not in _OF_THE_HOP and name not in named and not name.startswith(_OURS)
    )


def told_on(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return what a relay hands back of an answer: its type, its signature, what signs it."""
    return tuple((name, value) for name, value in headers if name in _SIGNED)


def overhead(largest: int) -> int:
    """Return how much larger than its body a message may be on the wire."""
    return LARGEST_HEAD + 1024 + largest // 2  # a JWE is a third larger


LARGEST_HELD = LARGEST_ANSWER + overhead(LARGEST_ANSWER)  # of an answer on the wire
