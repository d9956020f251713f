"""An address in the one form in which it is kept and used; whatever else it might be is refused.

Nothing that passes here can end a header, name a second receiver or ask a server for a detour:
control characters, separators, quotes and routing marks are refused before they come near a
message. Errors say what is wrong and never repeat the address.

>>> address_of(Channel.MAIL, " ｔａｒｏ＠Example.JP ")
'taro@example.jp'
>>> address_of(Channel.MAIL, "taro@架空.example")
'taro@xn--6tvr13b.example'
>>> address_of(Channel.SMS, "+81 90-0000-0000")
'09000000000'
"""

import re
import unicodedata
from typing import NoReturn

import idna

from kumobashi.consent.channels.errors import AddressUnfit
from kumobashi.consent.channels.states import Channel

_LOCAL = re.compile(r"[A-Za-z0-9.#$&'*+/=?^_`{|}~-]{1,64}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_MAIL = 254  # RFC 5321, 4.5.3.1.3, without the brackets
_LONGEST_DOMAIN = 253
_LONGEST_SAID = 1_000
_SMS = re.compile(r"0[26789]0[0-9]{8}")  # 020, 060, 070, 080, 090
_APP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,127}")
_LONGEST_POST = 200


def address_of(channel: Channel, said: str) -> str:
    """Return an address in its one form; raise ``AddressUnfit``."""
    if len(said) > _LONGEST_SAID:
        _refuse(channel, "長すぎます", "too long")
    text = said.strip(" \t\u3000")
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in text):
        _refuse(channel, "改行などの制御文字が入っています", "it holds control characters")
    match channel:
        case Channel.MAIL:
            return _mail(text)
        case Channel.SMS:
            return _sms(text)
        case Channel.APP:
            return _app(text)
        case Channel.POST:
            return _post(text)


def _mail(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)  # full-width letters become plain ones
    local, at, domain = text.rpartition("@")
    if not at or "@" in local:
        _refuse(Channel.MAIL, "「@」がちょうど1つ必要です", "it needs exactly one @")
    if not local.isascii():
        what = "「@」の前に半角英数字と記号のほかは使えません"
        _refuse(Channel.MAIL, what, "what stands before the @ is not ASCII")
    # Dots in a row or before the @ were given out by Japanese carriers: they go out quoted.
    if not _LOCAL.fullmatch(local):
        what = "「@」の前に使えない文字があるか、長すぎます"
        _refuse(Channel.MAIL, what, "what stands before the @ has other characters or is too long")
    found = f"{local}@{_domain(domain)}"
    if len(found) + 2 > _LONGEST_MAIL:  # quotes
        _refuse(Channel.MAIL, "長すぎます", "too long")
    return found


def _domain(domain: str) -> str:
    try:
        plain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        _refuse(Channel.MAIL, "「@」の後がドメイン名ではありません", "no domain behind the @")
    labels = plain.split(".")
    is_name = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    if not is_name or len(plain) > _LONGEST_DOMAIN:
        _refuse(Channel.MAIL, "「@」の後がドメイン名ではありません", "no domain behind the @")
    return plain


def _sms(text: str) -> str:
    digits = re.sub(r"[\s()‐‑‒–—−ー-]", "", unicodedata.normalize("NFKC", text))
    if digits.startswith("+81"):
        digits = "0" + digits.removeprefix("+81").removeprefix("0")
    if not digits.isascii() or not _SMS.fullmatch(digits):
        what = "携帯電話の番号（020・060・070・080・090 で始まる11桁）ではありません"
        _refuse(Channel.SMS, what, "no mobile number of Japan (11 digits from 020, 060 to 090)")
    return digits


def _app(text: str) -> str:
    if not _APP.fullmatch(text):
        what = "英数字・下線・ハイフンの8〜128文字ではありません"
        _refuse(Channel.APP, what, "not 8 to 128 letters, digits, underscores or hyphens")
    return text


def _post(text: str) -> str:
    found = " ".join(unicodedata.normalize("NFC", text).split())  # variants of characters stay
    if not found or len(found) > _LONGEST_POST:
        what = f"住所と氏名を1行、{_LONGEST_POST}文字以内で書いてください"
        _refuse(
            Channel.POST, what, f"write address and name in one line of {_LONGEST_POST} or less"
        )
    return found


def _refuse(channel: Channel, what: str, what_en: str) -> NoReturn:
    raise AddressUnfit(channel=channel.value, what=what, what_en=what_en) from None
