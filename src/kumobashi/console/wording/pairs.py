"""One sentence in both languages."""

from kumobashi.exchange.views import Words


def both(ja: str, en: str) -> Words:
    """Return one sentence in both languages."""
    return Words(ja=ja, en=en)
