"""What each role may do. Pure: a table, and one function to ask it."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is here for; one each, so that two people are needed where two are meant."""

    OPERATOR = "operator"  # 運用
    APPROVER = "approver"  # 承認
    AUDITOR = "auditor"  # 監査
    VIEWER = "viewer"  # 閲覧
    SHARED_OFFICE = "shared-office"  # 共同利用事務局: of several bodies; sees no person
    DATA_CENTRE = "data-centre"  # データセンター運用: keeps links going, reads nothing they carry
    VENDOR = "vendor"  # ベンダ: the links and systems of its account's scope, nothing else
    ACCOUNT_ADMIN = "account-admin"  # 利用者管理: who may do what, nothing else

    @property
    def ja(self) -> str:
        """The Japanese name."""
        return {
            Role.OPERATOR: "運用",
            Role.APPROVER: "承認",
            Role.AUDITOR: "監査",
            Role.VIEWER: "閲覧",
            Role.SHARED_OFFICE: "共同利用事務局",
            Role.DATA_CENTRE: "データセンター運用",
            Role.VENDOR: "ベンダ",
            Role.ACCOUNT_ADMIN: "利用者管理",
        }[self]


class Deed(StrEnum):
    """What needs somebody who signed in."""

    LOOK = "look"  # that links run, and why one does not
    SEE_SITES = "see_sites"  # how sites and their clocks stand
    SEE_FAULTS = "see_faults"
    HANDLE_FAULT = "handle_fault"  # take a fault, note what was tried, close it
    SEE_CONTENT = "see_content"  # what links carry: items, plans, findings, counts of people
    SEE_AGREEMENTS = "see_agreements"  # and act on them, as far as the offices let one
    PROPOSE = "propose"  # ask for the approval of a plan
    APPROVE = "approve"
    OPERATE = "operate"  # pause and resume a link, cancel a transfer
    RELEASE = "release"  # have data leave again: a transfer is sent once more
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
    SEE_ACCESS = "see_access"  # who may do what
    REVIEW_ACCESS = "review_access"  # say that somebody may go on, or shut them out


_DELETION = (Deed.ASK_DELETION, Deed.APPROVE_DELETION)
_REQUESTS = (Deed.HANDLE_REQUEST, Deed.DECIDE_REQUEST)
_INCIDENTS = (Deed.NOTE_INCIDENT, Deed.ANSWER_FOR_INCIDENT)
_STATE = (Deed.LOOK, Deed.SEE_SITES, Deed.SEE_FAULTS)
_SEEING = (*_STATE, Deed.SEE_CONTENT, Deed.SEE_AGREEMENTS)
MAY: dict[Role, frozenset[Deed]] = {
    Role.OPERATOR: frozenset(
        {
            *_SEEING,
            Deed.HANDLE_FAULT,
            Deed.PROPOSE,
            Deed.OPERATE,
            Deed.RELEASE,
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
            *_SEEING,
            Deed.APPROVE,
            Deed.AUDIT,
            Deed.AUDIT_PERSON,
            Deed.SEE_INDIVIDUAL,
            Deed.SEE_ACCESS,
            Deed.REVIEW_ACCESS,  # where one person manages accounts, another has to look at theirs
            *_DELETION,
            *_REQUESTS,
            *_INCIDENTS,
        }
    ),
    Role.AUDITOR: frozenset({*_SEEING, Deed.AUDIT, Deed.AUDIT_PERSON, Deed.SEE_ACCESS}),
    Role.VIEWER: frozenset(_SEEING),
    Role.SHARED_OFFICE: frozenset(
        {*_SEEING, Deed.HANDLE_FAULT, Deed.PROPOSE, Deed.OPERATE, Deed.RELEASE}
    ),
    Role.DATA_CENTRE: frozenset({*_STATE, Deed.HANDLE_FAULT, Deed.OPERATE}),
    Role.VENDOR: frozenset({Deed.LOOK, Deed.SEE_FAULTS}),
    Role.ACCOUNT_ADMIN: frozenset({Deed.SEE_ACCESS, Deed.REVIEW_ACCESS}),
}
ABOUT_A_PERSON = frozenset(
    {
        Deed.AUDIT_PERSON,
        Deed.SERVE_COUNTER,
        Deed.SEE_INDIVIDUAL,
        Deed.HANDLE_REQUEST,
        Deed.DECIDE_REQUEST,
    }
)
"""Deeds by which somebody learns something of one resident: each look is a record."""


def may(role: Role, deed: Deed) -> bool:
    """Whether somebody with this role may do it.

    >>> may(Role.OPERATOR, Deed.APPROVE), may(Role.APPROVER, Deed.APPROVE)
    (False, True)
    """
    return deed in MAY[role]
