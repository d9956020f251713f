"""Every sentence of the console, in Japanese and in English, by a key; a module for each page.

Facts fill ``{braces}``; escaping is the template's work. Labels of closed sets stand in ``labels``.
"""

from kumobashi.console.wording import (
    accounts,
    agreements,
    campaigns,
    deeds,
    entering,
    evidence,
    faults,
    frame,
    gate,
    link,
    listing,
    morning,
    plans,
    ties,
)
from kumobashi.console.wording.pairs import both
from kumobashi.exchange.views import Words
from kumobashi.kernel import Language

__all__ = ["PAGES", "TEXT", "both", "pick", "say"]

PAGES = (
    frame,
    entering,
    morning,
    faults,
    listing,
    link,
    gate,
    deeds,
    plans,
    campaigns,
    agreements,
    ties,
    accounts,
    evidence,
)
TEXT = {key: words for page in PAGES for key, words in page.TEXT.items()}


def say(key: str, lang: Language, **facts: object) -> str:
    """Return the sentence called ``key``, filled.

    >>> say("answer_item", "ja", count=3, label="取込済み")
    '3件 取込済み'
    """
    return pick(TEXT[key], lang).format_map(facts)


def pick(words: Words, lang: Language) -> str:
    """Return the sentence in this language."""
    return words.ja if lang == "ja" else words.en
