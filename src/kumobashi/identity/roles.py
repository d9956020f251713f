"""What each role may do. Pure: a table, and one function to ask it."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is here for; one each, so that two people are needed where two are meant."""

    OPERATOR = "operator"  # 運用
    APPROVER = "approver"  # 承認
    AUDITOR = "auditor"  # 監査
    VIEWER = "viewer"  # 閲覧

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            Role.OPERATOR: "運用",
            Role.APPROVER: "承認",
            Role.AUDITOR: "監査",
            Role.VIEWER: "閲覧",
        }[self]


class Deed(StrEnum):
    """What needs somebody who signed in."""

    LOOK = "look"
    PROPOSE = "propose"  # ask for the approval of a plan
    APPROVE = "approve"
    OPERATE = "operate"  # pause and resume a link, cancel a transfer, send it again
    AUDIT = "audit"  # see who did what
    ASK_DELETION = "ask_deletion"
    APPROVE_DELETION = "approve_deletion"  # as the second person
    AUDIT_PERSON = "audit_person"  # to whom one resident's data was sent
    SERVE_COUNTER = "serve_counter"  # look at a resident's document and say which it was
    SEE_INDIVIDUAL = "see_individual"  # which protected persons a transfer left to people
    HANDLE_REQUEST = "handle_request"  # receive a resident's request, propose what is decided
    DECIDE_REQUEST = "decide_request"  # decide on it; see and disclose what was sent
    NOTE_INCIDENT = "note_incident"  # note an incident, and what is known of it
    ANSWER_FOR_INCIDENT = "answer_for_incident"  # note that it was reported, or close it


_DELETION = (Deed.ASK_DELETION, Deed.APPROVE_DELETION)
_REQUESTS = (Deed.HANDLE_REQUEST, Deed.DECIDE_REQUEST)
_INCIDENTS = (Deed.NOTE_INCIDENT, Deed.ANSWER_FOR_INCIDENT)
MAY: dict[Role, frozenset[Deed]] = {
    Role.OPERATOR: frozenset(
        {
            Deed.LOOK,
            Deed.PROPOSE,
            Deed.OPERATE,
            Deed.AUDIT,
            Deed.ASK_DELETION,
            Deed.SERVE_COUNTER,
            Deed.SEE_INDIVIDUAL,
            Deed.HANDLE_REQUEST,
            Deed.NOTE_INCIDENT,
        }
    ),
    Role.APPROVER: frozenset(
        {
            Deed.LOOK,
            Deed.APPROVE,
            Deed.AUDIT,
            Deed.AUDIT_PERSON,
            Deed.SEE_INDIVIDUAL,
            *_DELETION,
            *_REQUESTS,
            *_INCIDENTS,
        }
    ),
    Role.AUDITOR: frozenset({Deed.LOOK, Deed.AUDIT, Deed.AUDIT_PERSON}),
    Role.VIEWER: frozenset({Deed.LOOK}),
}


def may(role: Role, deed: Deed) -> bool:
    """Whether somebody with this role may do it.

    >>> may(Role.OPERATOR, Deed.APPROVE), may(Role.APPROVER, Deed.APPROVE)
    (False, True)
    """
    return deed in MAY[role]
