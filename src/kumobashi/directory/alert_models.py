"""``alerts.yaml``: who is told of what is wrong, by which way, at what hour, and who is next.

What is urgent has to reach somebody: a rule that ends without another way or another person, a
receiver without an address, a site from which a way does not lead are mistakes of the file.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kumobashi.directory.alert_channels import AlertChannel
from kumobashi.directory.alert_people import MOST_MEMBERS, Away, Duty, Person, check_once
from kumobashi.directory.file_parts import FileModel, Ident, TimeOfDay
from kumobashi.storage.mistakes import Said

_MOST_STEPS, _MOST_PEOPLE, _MOST_CHANNELS, _MOST_RULES = 20, 200, 20, 100
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UrgencyName = Literal["now", "today", "note"]


class Step(FileModel):
    """Who is told next, if nobody has said that she sees to it."""

    after_minutes: int = Field(ge=0, le=24 * 60, examples=[10], description="はじめから何分後か")
    to: Ident | None = Field(default=None, examples=["it-duty"], description="人か当番の名前")
    turn: int = Field(default=0, ge=0, le=MOST_MEMBERS, description="0: 当番、1: その次の人")
    everyone: bool = Field(default=False, description="当番の全員に同時に知らせるか")
    by: Annotated[tuple[Ident, ...], Field(min_length=1, max_length=5)] = Field(
        examples=[["relay-mail"]]
    )


class AlertRule(FileModel):
    """Which alerts go by which steps; the first rule that fits counts."""

    urgency: Annotated[tuple[UrgencyName, ...], Field(min_length=1)] = Field(examples=[["now"]])
    sides: tuple[Ident, ...] = Field(default=(), description="原因の側。書かなければ、どれでも")
    links: tuple[Ident, ...] = Field(default=(), description="止まる連携。書かなければ、どれでも")
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=_MOST_STEPS)]
    again_minutes: int = Field(
        default=30, ge=5, le=24 * 60, description="最後の段から、はじめに戻るまで"
    )

    @model_validator(mode="after")
    def _rises(self) -> Self:
        for at in range(1, len(self.steps)):
            if self.steps[at].after_minutes <= self.steps[at - 1].after_minutes:
                raise Said(
                    "after_minutes は前の段より大きくしてください。",
                    "Each step comes later than the one before.",
                    example=f"after_minutes: {self.steps[at - 1].after_minutes + 10}",
                    at=("steps", at, "after_minutes"),
                )
        return self


class OfficeHours(FileModel):
    """When the office is open; what has time until then waits."""

    opens: TimeOfDay = Field(default="08:30", examples=["08:30"])
    closes: TimeOfDay = Field(default="17:15", examples=["17:15"])
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = ("mon", "tue", "wed", "thu", "fri")
    holidays: Annotated[tuple[date, ...], Field(max_length=400)] = Field(
        default=(), examples=[["2026-12-29"]], description="閉庁日（祝日・年末年始）"
    )

    @model_validator(mode="after")
    def _closes_later(self) -> Self:
        if self.closes <= self.opens:
            raise Said(
                "closes は opens より後にしてください。",
                "The office closes after it opens.",
                example="closes: '17:15'",
                at=("closes",),
            )
        return self


class QuietHours(FileModel):
    """When only what is urgent goes out."""

    begins: TimeOfDay = Field(default="21:00", examples=["21:00"])
    ends: TimeOfDay = Field(default="07:00", examples=["07:00"])


class DailyLetter(FileModel):
    """便り: a letter on each day of the office, whose arrival somebody confirms."""

    at: TimeOfDay = Field(default="08:45", examples=["08:45"])
    to: Ident = Field(examples=["it-duty"])
    by: Annotated[tuple[Ident, ...], Field(min_length=1, max_length=5)] = Field(
        examples=[["relay-mail"]]
    )
    confirm_minutes: int = Field(default=120, ge=10, le=480, description="何分までに確かめるか")


class AlertsFile(FileModel):
    """``alerts.yaml``."""

    kumobashi: Literal[1]
    people: Annotated[tuple[Person, ...], Field(min_length=1, max_length=_MOST_PEOPLE)]
    groups: Annotated[tuple[Duty, ...], Field(max_length=_MOST_PEOPLE)] = ()
    away: Annotated[tuple[Away, ...], Field(max_length=1_000)] = ()
    channels: Annotated[tuple[AlertChannel, ...], Field(min_length=1, max_length=_MOST_CHANNELS)]
    rules: Annotated[tuple[AlertRule, ...], Field(min_length=1, max_length=_MOST_RULES)]
    office: OfficeHours = OfficeHours()
    quiet: QuietHours = QuietHours()
    letter: DailyLetter | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        people = [one.person for one in self.people]
        groups = [one.group for one in self.groups]
        check_once((*people, *groups), "people")
        check_once([one.channel for one in self.channels], "channels")
        for at, duty in enumerate(self.groups):
            for member in duty.members:
                _check_known(member, people, ("groups", at, "members"))
        for at, away in enumerate(self.away):
            _check_known(away.person, people, ("away", at, "person"))
        self._check_carried()
        for at, rule in enumerate(self.rules):
            for number, step in enumerate(rule.steps):
                self._check_step(step.to, step.by, ("rules", at, "steps", number))
            if "now" in rule.urgency:
                self._check_another_way(rule, at)
        if self.letter:
            self._check_step(self.letter.to, self.letter.by, ("letter",))
        for urgency in ("now", "today"):
            self._check_everything_told(urgency)
        return self

    def channel(self, name: str) -> AlertChannel:
        """Return a channel by its name."""
        return next(one for one in self.channels if one.channel == name)

    def members(self, name: str) -> tuple[str, ...]:
        """Return the people of a group, or the person herself."""
        return next((one.members for one in self.groups if one.group == name), (name,))

    def address(self, person: str, channel: str) -> str | None:
        """Return where a channel reaches somebody; empty: the channel has one receiver."""
        way = self.channel(channel).way
        if way == "webhook":
            return ""
        who = next((one for one in self.people if one.person == person), None)
        if who is None:
            return None
        return {"mail": who.mail, "sms": who.sms, "telephone": who.phone}[way]

    def _check_carried(self) -> None:
        known = {one.channel: one for one in self.channels}
        for at, one in enumerate(self.channels):
            if one.carried and not (
                one.carried.by in known and known[one.carried.by].mail is not None
            ):
                raise Said(
                    f"「{one.carried.by}」はメールの連絡手段ではありません。",
                    f"{one.carried.by!r} is no channel of mail.",
                    example="by: relay-mail",
                    at=("channels", at, "carried", "by"),
                )

    def _check_step(self, to: str | None, by: tuple[str, ...], at: tuple[str | int, ...]) -> None:
        channels = [one.channel for one in self.channels]
        receivers = [one.person for one in self.people] + [one.group for one in self.groups]
        if to is not None:
            _check_known(to, receivers, (*at, "to"))
        for name in by:
            _check_known(name, channels, (*at, "by"))
            members = self.members(to) if to else ("",)
            missing = next((one for one in members if self.address(one, name) is None), None)
            if missing is not None:
                raise Said(
                    f"「{missing or '（宛先なし）'}」には、連絡手段「{name}」の宛先がありません。",
                    f"{missing or 'nobody'!r} has no address for the channel {name!r}.",
                    example="to: it-duty",
                    at=(*at, "to" if to is None else "by"),
                )

    def _check_another_way(self, rule: AlertRule, at: int) -> None:
        """See to it that what is urgent goes on by another way: an accepted mail may be lost."""
        steps, several = rule.steps, len({one.channel for one in self.channels}) > 1
        for number in range(1, len(steps)):
            one, before = steps[number], steps[number - 1]
            is_other_way = len(set(before.by)) > 1 or bool(set(one.by) - set(before.by))
            is_other_person = (one.to, one.turn, one.everyone) != (
                before.to,
                before.turn,
                before.everyone,
            )
            if not is_other_way and (several or not is_other_person):
                raise Said(
                    "至急の次の段は、前の段と別の連絡手段にしてください"
                    "（手段が1つしかないときは、別の人に）。",
                    "What is urgent goes on by another channel, or to others if there is but one.",
                    example="by: [phone]",
                    at=("rules", at, "steps", number, "by"),
                )
        if len(steps) == 1:
            raise Said(
                "至急には2つ以上の段を書いてください。1通のメールは、届かないことがあります。",
                "What is urgent needs two steps or more: one mail may be lost.",
                example="steps: [{after_minutes: 0, …}, {after_minutes: 10, …}]",
                at=("rules", at, "steps"),
            )

    def _check_everything_told(self, urgency: str) -> None:
        if not any(
            urgency in rule.urgency and not rule.sides and not rule.links for rule in self.rules
        ):
            raise Said(
                f"urgency が {urgency} で、sides も links も書かない規則を1つ置いてください。"
                "ないと、だれにも知らされないことがあります。",
                f"A rule for {urgency!r} without sides and links is needed, or nobody may be told.",
                example=f"urgency: [{urgency}]",
                at=("rules",),
            )


def _check_known(name: str, known: list[str], at: tuple[str | int, ...]) -> None:
    if name not in known:
        raise Said(
            f"「{name}」はありません。",
            f"There is no {name!r}.",
            example=", ".join(known[:3]),
            at=at,
        )
