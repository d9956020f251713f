"""What a letter says stays in its lines, in its length, and reads aloud."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.consent.channels.sms import fits
from kumobashi.monitoring.channels.mail import message_of
from kumobashi.monitoring.channels.ports import Letter
from kumobashi.monitoring.telling.letters import clean, mail_of, short_of, spoken_of, title_of
from tests.unit.monitoring.telling.plans_for_tests import MORNING, alert


def letter(title: str, more: int = 0) -> Letter:
    made = alert(title_ja=title, lines_ja=(title,))
    return Letter(id="letter-1", to="sato@city.example.jp", alerts=(made,), more=more, at=MORNING)


@given(st.text(max_size=500), st.integers(0, 5_000))
def test_whatever_a_title_holds_it_stays_in_its_place(title: str, more: int) -> None:
    made = letter(title, more)
    assert fits(short_of(made), longest=70)
    assert len(spoken_of(made)) <= 200
    assert spoken_of(made).endswith("1を押してください。")
    for text in (title_of(made), clean(title)):
        assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in text)
    head = bytes(message_of(made, sender="kumobashi@city.example.jp")).split(b"\r\n\r\n")[0]
    names = [line.split(b":")[0] for line in head.splitlines() if not line.startswith(b" ")]
    assert names.count(b"Subject") == 1
    assert set(names) <= {
        b"Subject", b"From", b"To", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version",
        b"X-Auto-Response-Suppress", b"X-Kumobashi-Letter", b"X-Kumobashi-Alert", b"Content-Type",
    }  # fmt: skip


def test_the_number_of_the_fault_is_in_every_form_a_person_reads() -> None:
    made = letter("【発生】アクセス回線が切れています（架空市）", more=4)
    assert "障害票 6789FF" in mail_of(made)
    assert short_of(made) == (
        "【発生】アクセス回線が切れています（架空市） ほか4件 11/24 10:00 障害票6789FF"
    )
    assert spoken_of(made) == (
        "雲橋からの障害の連絡です。発生。アクセス回線が切れています、架空市。ほか、4件。"
        "対応する方は、1を押してください。"
    )
