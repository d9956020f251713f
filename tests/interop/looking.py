"""Looks at a page as a browser does, and notes everything that a person would not see."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PHONE, DESK, PROJECTOR = (360, 740), (1280, 900), (1920, 1080)


class Looker:
    """One window; ``said`` is what its console said, ``asked`` every address it asked for."""

    def __init__(
        self,
        browser: "Browser",
        address: str,
        *,
        size: tuple[int, int] = DESK,
        lang: str = "ja",
        cookies: Path | None = None,
        scripts: bool = True,
        colours: str = "light",
        forced_colours: bool = False,
    ) -> None:
        self.address = address
        self.lang = lang
        self.said: list[str] = []
        self.asked: list[str] = []
        self.context: BrowserContext = browser.new_context(
            base_url=address,
            viewport={"width": size[0], "height": size[1]},
            locale="ja-JP" if lang == "ja" else "en-US",
            storage_state=cookies,
            java_script_enabled=scripts,
            color_scheme=colours,  # type: ignore[arg-type,unused-ignore]
            forced_colors="active" if forced_colours else "none",
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(20_000)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.context.close()

    def _note(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.said.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def look(self, path: str) -> int:
        """Go to a page; return its status."""
        sign = "&" if "?" in path else "?"
        answer = self.page.goto(f"{path}{sign}lang={self.lang}", wait_until="load")
        assert answer is not None
        return int(answer.status)

    def elsewhere(self) -> list[str]:
        """Return the addresses asked for that are not of this console."""
        own = urlsplit(self.address).netloc
        return [
            asked
            for asked in self.asked
            if urlsplit(asked).scheme != "data" and urlsplit(asked).netloc != own
        ]

    def overflow(self) -> list[str]:
        """Return what makes the page wider than its window, so that it scrolls sideways."""
        return list(self.page.evaluate(_WIDER))

    def violations(self, axe: str) -> list[str]:
        """Return what axe-core objects to, a line each: WCAG 2.2 AA and its best practices."""
        # Over the debugging protocol: the page's own policy allows no script but the console's.
        found = self.page.evaluate(
            f"async () => {{ {axe}\n return await axe.run(document, {_ASK}) }}"
        )
        return [
            f"{broken['impact']} {broken['id']}: {node['target']} {node['failureSummary']}"
            for broken in found["violations"]
            for node in broken["nodes"]
        ]


def sign_in(looker: Looker, credentials: Mapping[str, str]) -> None:
    """Fill in the form as a person does, and arrive."""
    looker.look("/sign-in")
    for field, value in credentials.items():
        looker.page.fill(f"#{field}", value)
    looker.page.click("main button[type=submit]")
    looker.page.wait_for_url(f"{looker.address}/")


_ASK = """{runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
    "best-practice"]}, resultTypes: ["violations"]}"""
_WIDER = """() => {
  const root = document.scrollingElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  return [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest(".scroll"))
    .slice(0, 5).map(e => e.outerHTML.slice(0, 120));
}"""
