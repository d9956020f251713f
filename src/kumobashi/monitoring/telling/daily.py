"""便り: a letter a day whose arrival somebody confirms; a lost way is found before it matters.

A mail relay that says yes and drops everything looks well from here. Each day of the office a
letter with a word (合言葉) goes by each way that is named; whoever types the word, a person or a
program that reads the mailbox, has received it. A word that nobody types in time is a fault.
"""

import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa

from kumobashi.directory.alert_models import AlertsFile, DailyLetter, Step
from kumobashi.kernel import business_date, from_micros, new_id, to_micros
from kumobashi.monitoring.alerts import Alert, Moment, Urgency
from kumobashi.monitoring.telling.book import TellingBook
from kumobashi.monitoring.telling.errors import DailyLetterUnknown
from kumobashi.monitoring.telling.escalating import Rest, called
from kumobashi.monitoring.telling.quiet import at_time, is_open
from kumobashi.monitoring.telling.sql import letters, tellings
from kumobashi.monitoring.telling.states import LetterState

CODE = "alert.letter_unconfirmed"
_LETTERS = 8  # of a word
_KEPT = timedelta(days=2)  # from then on a word confirms nothing


class DailyLetters:
    """The daily letters of one site's book."""

    def __init__(self, book: TellingBook) -> None:
        self._book = book
        self._tenant = book.tenant

    def look(self, plan: AlertsFile, now: datetime) -> None:
        """Write today's letter when it is time, and an alert for one that was not confirmed."""
        if plan.letter is None:
            return
        today = business_date(now)
        starts = at_time(today, plan.letter.at)
        latest = starts + timedelta(minutes=plan.letter.confirm_minutes)
        if is_open(plan.office, today) and starts <= now < latest:
            self._write(plan, plan.letter, now, since=at_time(today, "00:00"))
        self._miss(now)

    def confirm(self, word: str, *, by: str) -> str:
        """Say that a letter has arrived; return its channel.

        Raises:
            DailyLetterUnknown: no letter of these days has that word.
        """
        now = self._book.clock.now()
        plain = word.strip().lower()[:_LETTERS]
        with self._book.file.writing() as connection:
            row = connection.execute(
                sa.select(letters).where(
                    letters.c.tenant == self._tenant,
                    letters.c.word == plain,
                    letters.c.confirmed_at.is_(None),
                    letters.c.made_at > to_micros(now - _KEPT),
                )
            ).first()
            if row is None or not plain:
                raise DailyLetterUnknown(word=plain)
            values = {"confirmed_at": to_micros(now), "confirmed_by": by[:80], "confirm_by": None}
            mine = self._book.mine(letters, row.letter)
            connection.execute(sa.update(letters).where(mine).values(values))
            channel = str(row.channel)
            letter = str(row.letter)
        self._book.acknowledge({letter: by})
        return channel

    def _write(
        self, plan: AlertsFile, said: DailyLetter, now: datetime, *, since: datetime
    ) -> None:
        at = to_micros(now)
        step = Step(after_minutes=0, to=said.to, by=said.by)
        with self._book.file.writing() as connection:
            written = sa.select(letters.c.letter).where(
                letters.c.tenant == self._tenant,
                letters.c.word.is_not(None),
                letters.c.made_at >= to_micros(since),
            )
            if connection.execute(written.limit(1)).first():
                return
            notes = sa.and_(
                tellings.c.tenant == self._tenant,
                tellings.c.rest == Rest.SHOWN.value,
                tellings.c.daily.is_(None),
            )
            for number, channel in enumerate(said.by):
                letter = new_id()
                for person in called(plan, step, business_date(now)):
                    connection.execute(
                        sa.insert(letters).values(
                            tenant=self._tenant,
                            letter=letter,
                            channel=channel,
                            person=person,
                            rank=2,
                            made_at=at,
                            state=LetterState.DUE.value,
                            due_at=at,
                            tries=0,
                            word=secrets.token_hex(_LETTERS // 2),
                            confirm_by=to_micros(now + timedelta(minutes=said.confirm_minutes)),
                        )
                    )
                if not number:  # the notes go with the first
                    change = sa.update(tellings).where(notes).values(daily=letter)
                    connection.execute(change)

    def _miss(self, now: datetime) -> None:
        """Make an alert of each letter that nobody confirmed in time, once."""
        if not self._book.file.exists:
            return
        late = sa.and_(letters.c.tenant == self._tenant, letters.c.confirm_by <= to_micros(now))
        with self._book.file.engine.connect() as connection:
            if connection.execute(sa.select(letters.c.letter).where(late).limit(1)).first() is None:
                return
        with self._book.file.writing() as connection:
            for row in connection.execute(sa.select(letters).where(late)).all():
                mine = self._book.mine(letters, row.letter)
                connection.execute(sa.update(letters).where(mine).values(confirm_by=None))
                alert = _missed(row.letter, row.channel, from_micros(row.made_at))
                self._book.take(connection, alert, to_micros(now))


def _missed(letter: str, channel: str, made: datetime) -> Alert:
    return Alert(
        id=new_id(),
        fault=letter,
        moment=Moment.OPENED,
        urgency=Urgency.NOW,  # in office hours: it must not go by the lost way alone
        code=CODE,
        side=channel,
        title_ja=f"【発生】毎日の便りが届いていません（{channel}）",
        title_en=f"[FAULT] the daily letter has not arrived ({channel})",
        lines_ja=(
            "相手のサーバは受け取ったと答えていても、届いていないことがあります。",
            f"連絡手段「{channel}」の先（メール中継・迷惑メールの設定・宛先）を確かめてください。",
            "届いていたなら、便りの合言葉を入力すると、この連絡は止まります。",
        ),
        lines_en=(
            "The server there may have said yes and lost it.",
            f"Look behind the channel {channel!r}: relay, filters, addresses.",
            "If it did arrive, type its word, and nobody further is told.",
        ),
        links=(),
        more_links=0,
        at=made,
    )
