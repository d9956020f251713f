"""``kumobashi papers``: papers that are always asked for, drawn up from what is known."""

from kumobashi.cli.command import Group

papers = Group(
    "papers",
    ja="必ず求められる書類の下書き。分からないところは【要記入: …】と印し、数えて一覧にします。",
    en="Drafts of papers that are always asked for; blanks are marked, counted and listed.",
    example="kumobashi papers change --link notice-attributes",
    places={
        "register": "kumobashi.cli.papers.drafting:register",
        "assessment": "kumobashi.cli.papers.drafting:assessment",
        "change": "kumobashi.cli.papers.changing:change",
        "templates": "kumobashi.cli.papers.drafting:templates",
    },
)
