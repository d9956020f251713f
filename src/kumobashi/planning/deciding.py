"""The plan of a link, whichever kind of link it is."""

from datetime import date

from kumobashi.directory.entries import Directory
from kumobashi.planning.call_plan import CallPlan, call_plan
from kumobashi.planning.plan import Plan, plan
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.tables import Tables


def plan_of(
    workspace: Workspace,
    directory: Directory | None,
    link: str,
    *,
    on: date,
    tables: Tables | None = None,
) -> Plan | CallPlan:
    """Return the plan of a bulk link or of an online one for a day.

    Raises:
        LinkUnknown: there is neither of this name.
        PolicyUnreadable: the tables make no sense.
    """
    workspace.declared(link)
    make = call_plan if link in workspace.calls else plan
    return make(workspace, directory, link, on=on, tables=tables)
