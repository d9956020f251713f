"""The root of all failures, and how each of them speaks.

An error class carries a stable ``code`` (``"message.parts_missing"``), a ``retryable`` flag and two
sentences with the remedy, in Japanese for people and in English for engineers. The facts given to
the constructor are attributes and fill the sentences; they are identifiers, counts and names, never
residents' data. Codes are never reused: ``docs/reference/errors.md`` lists them.

>>> class DiskFull(KumobashiError):
...     code = "storage.disk_full"
...     retryable = True
...     ja = "{place} に空きがありません。"
...     en = "No space is left at {place}."
...     remedy_ja = "空きを作ってください。自動で再開します。"
...     remedy_en = "Free some space; work resumes by itself."
>>> DiskFull(place="spool").say("en")
'No space is left at spool.'
>>> DiskFull(place="spool").place
'spool'
"""

from typing import Any, ClassVar, Literal

Language = Literal["ja", "en"]


class KumobashiError(Exception):
    """Anything that this software refuses or fails to do; ``facts`` fill its sentences."""

    code: ClassVar[str] = "kumobashi.failed"
    retryable: ClassVar[bool] = False
    status: ClassVar[int] = 400  # HTTP status when a peer or a person must be told
    ja: ClassVar[str] = "処理できませんでした。"
    en: ClassVar[str] = "The work could not be done."
    remedy_ja: ClassVar[str] = ""
    remedy_en: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(f"{self.code}: {self.say('en')}")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - facts are of many types
        """Give a fact by its name."""
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def say(self, lang: Language = "ja") -> str:
        """Return the sentence for people, filled with the facts."""
        return (self.ja if lang == "ja" else self.en).format_map(_Facts(self.facts))

    def remedy(self, lang: Language = "ja") -> str:
        """Return what to do about it."""
        template = self.remedy_ja if lang == "ja" else self.remedy_en
        return template.format_map(_Facts(self.facts))

    def problem(self) -> dict[str, object]:
        """Return the error as an RFC 9457 problem document."""
        return {
            "type": f"urn:kumobashi:error:{self.code}",
            "code": self.code,
            "title": self.say("en"),
            "detail": self.say("ja"),
            "remedy": self.remedy("ja"),
            "remedy_en": self.remedy("en"),
            "retryable": self.retryable,
            "status": self.status,
        }


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"
