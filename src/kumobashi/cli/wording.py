"""Numbers, times and short names as the terminal shows them.

>>> short_id("0192f3b2-7c1e-7aaa-8bbb-0123456789ab")
'0192…89ab'
>>> spent(0.04), spent(2.34), spent(75.0), spent(None)
('< 0.1 s', '2.3 s', '75 s', '')
"""

_LONG_SECONDS = 60
_SHORT_SECONDS = 0.05


def short_id(text: str) -> str:
    """Return the ends of an id or a digest."""
    plain = text.removeprefix("sha256:")
    return f"{plain[:4]}…{plain[-4:]}"


def spent(seconds: float | None) -> str:
    """Return a time as in the pictures."""
    if seconds is None:
        return ""
    if seconds < _SHORT_SECONDS:
        return "< 0.1 s"
    return f"{seconds:.1f} s" if seconds < _LONG_SECONDS else f"{seconds:.0f} s"
