"""``kumobashi agreement``: agreements between offices (利用協議), from application to notice."""

from kumobashi.cli.command import Group

_HERE = "kumobashi.cli.agreement"
agreement = Group(
    "agreement",
    ja="利用協議: 連携を申請し、所管課の審査・総務課の合議・決定を経て、効力のある間だけ送ります。",
    en="Agreements between offices: apply for a link; it is sent only while one is in force.",
    example="kumobashi agreement list --waiting",
    places={
        "new": f"{_HERE}.applying:new",
        "edit": f"{_HERE}.applying:edit",
        "attach": f"{_HERE}.applying:attach",
        "files": f"{_HERE}.applying:files",
        "processors": f"{_HERE}.applying:processors",
        "submit": f"{_HERE}.judging:submit",
        "review": f"{_HERE}.judging:review",
        "concur": f"{_HERE}.judging:concur",
        "decide": f"{_HERE}.judging:decide",
        "return": f"{_HERE}.judging:return_",
        "withdraw": f"{_HERE}.judging:withdraw",
        "list": f"{_HERE}.showing:list_",
        "show": f"{_HERE}.showing:show",
        "history": f"{_HERE}.showing:history",
        "verify": f"{_HERE}.showing:verify",
        "print": f"{_HERE}.printing:print_",
        "templates": f"{_HERE}.printing:templates",
    },
)
