"""Plans as one HTML file to attach to an application: no script, nothing to fetch, prints on A4."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from kumobashi.kernel import JST, Language, Zone
from kumobashi.planning import sentences
from kumobashi.planning.approval import Standing
from kumobashi.planning.graph import graph
from kumobashi.planning.graph_svg import svg
from kumobashi.planning.story import ItemStory
from kumobashi.planning.told import Told
from kumobashi.planning.workspace import Workspace
from kumobashi.release import gate_learning, gate_words

_KIB, _MIB = 1024, 1024 * 1024


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        why=sentences.why,
        characters=sentences.characters,
        classes=sentences.CLASSES,
        not_counted=sentences.not_counted,
        untied=sentences.untied,
        size=_size,
        campaign_words=_campaign_words,
        gate_words=gate_words,
        gate_learning=gate_learning,
    )
    return environment.get_template("plan.html")


def page_of(
    workspace: Workspace, stories: Sequence[Told], *, at: datetime, lang: Language = "ja"
) -> str:
    """Return the page; many links get the workspace's picture and a table in front of them."""
    town = workspace.municipality.municipality

    def t(ja: str, en: str) -> str:
        return ja if lang == "ja" else en

    def verdict(story: Told) -> str:
        ja, en, _ = sentences.STANDINGS[story.standing]
        return t(ja, en)

    def short(story: Told) -> str:
        return t(*sentences.SHORT[story.standing])

    def done(item: ItemStory) -> str:
        return t(*sentences.done(item))

    def zone(held: Zone) -> str:
        return t(held.ja, held.value)

    named = t("事前点検", "Plan")
    title = (
        f"{named} {stories[0].plan.link.name} ― {town.name}"
        if len(stories) == 1
        else f"{named} ― {town.name}（{town.code}）"
    )
    refused = [s.plan.link.link for s in stories if s.standing is Standing.REFUSED]
    return _template().render(
        lang=lang,
        title=title,
        town=f"{town.name}（{town.code}）",
        made=f"{at.astimezone(JST):%Y-%m-%d %H:%M}",
        stories=stories,
        picture=svg(graph(workspace, refused=refused), is_part=True) if len(stories) > 1 else "",
        t=t,
        verdict=verdict,
        short=short,
        done=done,
        zone=zone,
    )


def _campaign_words() -> ModuleType:
    """Return what says campaigns in words; only a plan that counted some needs it."""
    return import_module("kumobashi.planning.campaign_story")


def _size(count: int) -> str:
    return f"{count / _MIB:.1f} MiB" if count >= _MIB else f"{count / _KIB:.0f} KiB"
