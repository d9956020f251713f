"""The routes that only an endpoint has: the local API and the console."""

from functools import partial

from starlette.routing import BaseRoute

from kumobashi.agreements.attaching import Attachments
from kumobashi.console import console_routes
from kumobashi.identity import Accounts
from kumobashi.kernel import business_date
from kumobashi.service.agreement_api import agreement_routes
from kumobashi.service.agreement_desk import AgreementDesk
from kumobashi.service.agreement_forms import DraftForms
from kumobashi.service.board import SiteBoard
from kumobashi.service.campaign_desk import CampaignDesk
from kumobashi.service.clock_api import clock_routes
from kumobashi.service.consent_api import consent_routes
from kumobashi.service.counting import counted
from kumobashi.service.courier_api import courier_routes
from kumobashi.service.courier_desk import CourierDesk, overdue_media
from kumobashi.service.deed_desk import DeedDesk
from kumobashi.service.deletion_api import deletion_routes
from kumobashi.service.directory_api import DirectoryFace
from kumobashi.service.endpoint import Endpoint
from kumobashi.service.entrances import check_entrances
from kumobashi.service.evidence_board import EvidenceBoard
from kumobashi.service.fault_desk import FaultDesk
from kumobashi.service.gateway import Gateway
from kumobashi.service.govstack_api import govstack_routes
from kumobashi.service.holding_desk import overdue_views
from kumobashi.service.incident_api import incident_routes
from kumobashi.service.incident_clocks import open_incidents
from kumobashi.service.individual_api import individual_routes
from kumobashi.service.link_test_api import link_test_routes
from kumobashi.service.local_api import guarded, local_routes
from kumobashi.service.mediator_api import MediatorFace
from kumobashi.service.person_api import person_routes
from kumobashi.service.plan_desk import PlanDesk
from kumobashi.service.planned import Planned
from kumobashi.service.program_api import program_routes
from kumobashi.service.request_api import request_routes
from kumobashi.service.request_overdue import overdue_requests
from kumobashi.service.scim_api import scim_routes
from kumobashi.service.sign_on import SignOns
from kumobashi.service.tie_api import tie_routes
from kumobashi.service.tie_counter import TieCounter
from kumobashi.service.watch_api import watch_routes


def agreement_desk(
    gateway: Gateway, endpoint: Endpoint, accounts: Accounts, planned: Planned | None = None
) -> AgreementDesk:
    """Return what the local API and the console do with agreements."""
    settings = gateway.settings
    plans = planned or Planned(gateway.directory, lambda: business_date(gateway.clock.now()))
    return AgreementDesk(
        book=endpoint.agreements,
        accounts=accounts,
        attachments=Attachments(settings.workspace / "var" / settings.site / "agreements"),
        workspace=endpoint.wiring.workspace,
        planned=plans.either,
    )


def endpoint_routes(gateway: Gateway, endpoint: Endpoint, sign_ons: SignOns) -> list[BaseRoute]:
    """Return the routes for the people and programs of this machine."""
    planned = Planned(gateway.directory, lambda: business_date(gateway.clock.now()))
    board = SiteBoard(
        workspace=lambda seconds: endpoint.wiring.workspace(seconds_old=seconds),
        directory=gateway.directory,
        planned=planned,
        ledger=gateway.ledger,
        site=gateway.identity.site,
        clock=gateway.clock,
        reasons=endpoint.dispatcher.reasons,
        overdue=lambda: overdue_views(gateway, endpoint),
        overdue_media=lambda: overdue_media(gateway),
        overdue_requests=lambda: overdue_requests(gateway),
        incidents=lambda: open_incidents(gateway),
    )
    endpoint.board = board.board
    settings = gateway.settings
    plans = PlanDesk(
        workspace=endpoint.wiring.workspace,
        directory=gateway.directory,
        planned=planned,
        site=gateway.identity.site,
        folder=settings.workspace / "var" / settings.site,
        clock=gateway.clock,
        count=partial(counted, consents=endpoint.consents),
        note=gateway.evidence.note,
    )
    campaigns = CampaignDesk(
        workspace=endpoint.wiring.workspace, site=gateway.identity.site, clock=gateway.clock
    )
    accounts = sign_ons.accounts
    zones = {name: site.zone for name, site in gateway.directory.sites.items()}
    courier = CourierDesk(gateway, endpoint, accounts)
    agreements = agreement_desk(gateway, endpoint, accounts, planned)
    routes: list[BaseRoute] = [
        *local_routes(gateway, endpoint),
        *watch_routes(gateway, endpoint, board),
        *program_routes(gateway),
        *clock_routes(gateway),
        *link_test_routes(gateway),
        *deletion_routes(gateway, endpoint, accounts),
        *individual_routes(gateway, endpoint, accounts),
        *person_routes(gateway, endpoint, accounts),
        *request_routes(gateway, endpoint, accounts),
        *consent_routes(gateway, endpoint, accounts),
        *tie_routes(gateway, endpoint),
        *incident_routes(gateway, endpoint, accounts),
        *govstack_routes(gateway, endpoint.consents),
        *MediatorFace(
            directory=lambda: gateway.calling.sites().directory,
            workspace=partial(endpoint.wiring.workspace, seconds_old=1.0),
            permits=lambda: gateway.calling.permits,
        ).routes(),
        *DirectoryFace(
            workspace=settings.workspace,
            kept=settings.workspace / "var" / settings.site,
            clock=gateway.clock,
            is_over=lambda: gateway.changes.is_over,
        ).routes(),
        *scim_routes(gateway, accounts),
        *courier_routes(courier, partial(guarded, gateway)),
        *agreement_routes(agreements, accounts, partial(guarded, gateway)),
        *console_routes(
            board,
            zones=zones,
            plans=plans,
            campaigns=campaigns,
            deeds=DeedDesk(gateway.ledger, endpoint),
            agreements=agreements,
            drafts=DraftForms(agreements, endpoint.wiring.workspace),
            faults=FaultDesk(
                settings.workspace / "var" / settings.site,
                tenant=gateway.identity.tenant,
                site=gateway.identity.site,
                clock=gateway.clock,
            ),
            evidence=EvidenceBoard(
                gateway.store,
                tenant=gateway.identity.tenant,
                site=gateway.identity.site,
                clock=gateway.clock,
            ),
            ties=TieCounter(endpoint.consents, site=gateway.identity.site, clock=gateway.clock),
            sign_on=sign_ons,
            accounts=accounts,
            book=gateway.access,
        ),
    ]
    check_entrances(routes)
    return routes
