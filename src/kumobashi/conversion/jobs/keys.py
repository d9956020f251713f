"""The one column by which a cloud finds a row again."""

from kumobashi.conversion.jobs.errors import KeyNotOne


def one_key(key: tuple[str, ...]) -> str:
    """Return the key's column; raise :class:`KeyNotOne` unless there is exactly one."""
    if len(key) != 1:
        raise KeyNotOne(key="、".join(key) or "-")
    return key[0]
