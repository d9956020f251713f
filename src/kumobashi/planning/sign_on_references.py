"""``sign-on/*.yaml`` held against the sites that they name."""

from collections.abc import Iterator

from kumobashi.planning.references import Loaded, unknown
from kumobashi.storage.documents import Mistake


def check_providers(loaded: Loaded) -> Iterator[Mistake]:
    """Find a provider for a site that is not there, or that has no console."""
    sites = loaded.kinds["sites"]
    with_console = sorted(
        name for name, document in sites.items() if document.value.role == "endpoint"
    )
    for document in loaded.kinds["sign-on"].values():
        site = document.value.site
        if site not in with_console and site not in loaded.broken["sites"]:
            named = ("コンソールのあるサイト", "site with a console")
            yield unknown(document, ("site",), site, with_console, named)
