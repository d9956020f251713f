"""``kumobashi incident``: what leaked, was lost or damaged; the clocks; the reports."""

from kumobashi.cli.command import Group

incident = Group(
    "incident",
    ja="漏えい等の事案: 記録、速報と確報の期限、報告書の下書き。住民の氏名や番号は書きません。",
    en="Incidents: notes, the clocks of both reports, drafts of them; never names of residents.",
    example="kumobashi incident list",
    places={
        "open": "kumobashi.cli.incident.noting:open_",
        "list": "kumobashi.cli.incident.looking:list_",
        "show": "kumobashi.cli.incident.looking:show",
        "amend": "kumobashi.cli.incident.noting:amend",
        "tell": "kumobashi.cli.incident.noting:tell",
        "report": "kumobashi.cli.incident.reporting:report",
        "close": "kumobashi.cli.incident.noting:close",
    },
)
