"""``kumobashi request``: requests of residents for disclosure, correction and suspension."""

from kumobashi.cli.command import Group

_STATING = "kumobashi.cli.request.stating"
_DECIDING = "kumobashi.cli.request.deciding"
_LOOKING = "kumobashi.cli.request.looking"
request = Group(
    "request",
    ja="開示・訂正・利用停止の請求: 受付、期限、補正、回答、決定、通知書。",
    en="Requests for disclosure, correction and suspension: deadlines, answers, decisions, papers.",
    example="kumobashi request list --due",
    places={
        "new": f"{_STATING}:new",
        "list": f"{_LOOKING}:list_",
        "show": f"{_LOOKING}:show",
        "check": f"{_STATING}:check",
        "ask-more": f"{_STATING}:ask_more",
        "resume": f"{_STATING}:resume",
        "extend": f"{_STATING}:extend",
        "answer": f"{_DECIDING}:answer",
        "decide": f"{_DECIDING}:decide",
        "carry-out": f"{_STATING}:carry_out",
        "receiver": "kumobashi.cli.request.following:receiver",
        "lift": "kumobashi.cli.request.following:lift",
        "close": f"{_STATING}:close",
        "withdraw": f"{_STATING}:withdraw",
        "print": "kumobashi.cli.request.printing:print_",
        "templates": "kumobashi.cli.request.printing:templates",
        "due": f"{_LOOKING}:due",
        "verify": f"{_LOOKING}:verify",
    },
)
