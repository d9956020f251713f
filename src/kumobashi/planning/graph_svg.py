"""Draw a workspace's picture as one SVG that stands alone: no script, no font, nothing to fetch.

Colours only repeat what is also said: every link bears its number and name, a refused one ends in
a cross, sealed stretches are dashed. So it can be printed in black and white on A4.
"""

from collections.abc import Iterator, Sequence
from html import escape

from rich.cells import cell_len

from kumobashi.planning.folding import cut
from kumobashi.planning.graph_parts import Box, DoorArrow, Graph, Lane

_INK, _SOFT, _LINE, _RED = "#1a1a1a", "#4d4d4d", "#8c8c8c", "#b00000"
_ZONES = {"mynumber": "#e3ebf7", "lgwan": "#f4efdf", "internet": "#e7f2ea"}
_COLOURS = ("#0017c1", "#197a4b", "#8a3ffc", "#a14b00", "#00687a", "#9a0f6a", "#4a5a00", "#5a3a1a")
_FONT = "'Noto Sans JP','Noto Sans CJK JP','Hiragino Sans','Yu Gothic',Meiryo,sans-serif"
_REFUSED = "送れません"


def svg(picture: Graph, *, is_part: bool = False) -> str:
    """Return the drawing; ``is_part`` leaves the title out, for a page that has one."""
    body = "\n".join(_all(picture, is_part=is_part))
    words = escape(picture.title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {picture.width} {picture.height}"'
        f' role="img" aria-label="{words}" font-family="{_FONT}" fill="{_INK}"'
        f' style="max-width:100%;height:auto">\n<title>{words}</title>\n'
        f"{_MARKERS}\n{body}\n</svg>\n"
    )


_MARKERS = (
    '<defs><marker id="door" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
    f' markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="{_INK}"/></marker></defs>'
)


def _all(picture: Graph, *, is_part: bool) -> Iterator[str]:
    yield f'<rect width="{picture.width}" height="{picture.height}" fill="#fff"/>'
    if not is_part:
        yield _text(28, 34, picture.title, size=19, weight=700)
    for band in picture.bands:
        yield from _band(band)
    for site in picture.sites:
        yield from _site(site)
    for line in picture.reads:
        path = _path(line)
        yield f'<path d="{path}" fill="none" stroke="{_SOFT}" stroke-dasharray="2 3"/>'
    for lane in picture.lanes:
        yield from _lane(lane)
    for system in picture.systems:
        yield from _system(system)
    for lane in picture.lanes:
        yield from _lane_ends(lane)
    for door in picture.doors:
        yield from _door(door)
    yield from _key(picture)


def _band(band: Box) -> Iterator[str]:
    colour = _ZONES.get(band.name, "#eee")
    yield _rect(band, fill=colour, stroke="none", round_=10)
    yield _text(band.x + 14, band.y + 24, band.title, size=14, weight=700, colour=_SOFT)


def _site(site: Box) -> Iterator[str]:
    dash = ' stroke-dasharray="6 4"' if site.is_relay else ""
    yield _rect(site, fill="#ffffff", stroke=_INK, round_=8, more=f' stroke-width="1.2"{dash}')
    titles = _cut(site.title, site.width - 22, 14)[:2]
    for number, line in enumerate(titles):
        yield _text(site.x + 12, site.y + 22 + 17 * number, line, size=14, weight=700)
    for number, line in enumerate(_cut(site.note, site.width - 22, 11)[:2]):
        y = site.y + 22 + 17 * len(titles) + 14 * number
        yield _text(site.x + 12, y, line, size=11, colour=_SOFT)
    if site.is_relay:
        for number, line in enumerate(("封をしたまま通す", "（中身は読めない）")):
            y = site.bottom - 26 + 15 * number
            yield _text(site.x + site.width // 2, y, line, size=11, colour=_SOFT, anchor="middle")


def _system(system: Box) -> Iterator[str]:
    yield _rect(system, fill="#fff", stroke=_INK, round_=6, more=' stroke-width="1.6"')
    lines = _cut(system.title, system.width - 12, 14)[:2]
    room = system.height >= 34 + 16 * len(lines)
    block = 17 * len(lines) + (14 if room else 0)
    y = system.y + (system.height - block) // 2 + 13
    middle = system.x + system.width // 2
    for number, line in enumerate(lines):
        yield _text(middle, y + 17 * number, line, size=14, weight=700, anchor="middle")
    if room:
        below = y + 17 * len(lines) - 1
        yield _text(middle, below, system.note, size=11, colour=_SOFT, anchor="middle")


def _lane(lane: Lane) -> Iterator[str]:
    colour = _RED if lane.is_refused else _COLOURS[(lane.number - 1) % len(_COLOURS)]
    path = _path(lane.points)
    yield (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="3.2"'
        ' stroke-linejoin="round" stroke-linecap="butt"/>'
    )
    for start, end in lane.sealed:  # white dashes over the line: closed inside a relay
        yield (
            f'<path d="M{start + 1} {lane.y}H{end - 1}" stroke="#fff" stroke-width="3.4"'
            ' stroke-dasharray="4 7" fill="none"/>'
        )
    x = lane.start[0] + 34
    name = _fitted(lane.name, lane.label_width, 12)
    note, soft = (_REFUSED, _RED) if lane.is_refused else (lane.note, _SOFT)
    yield _text(x, lane.y - 6, name, size=12, weight=700, colour=colour, halo=True)
    yield _text(x, lane.y + 14, note, size=10.5, colour=soft, halo=True)


def _lane_ends(lane: Lane) -> Iterator[str]:
    colour = _RED if lane.is_refused else _COLOURS[(lane.number - 1) % len(_COLOURS)]
    (x, y), (end_x, end_y) = lane.start, lane.points[-1]
    if lane.points[0] != lane.start:  # back along the left: the number stands there too
        (side, first), (_, last) = lane.points[1:3]
        yield from _badge(side, (first + last) // 2, lane.number, colour)
    yield from _badge(x + 16, y, lane.number, colour)
    if lane.is_refused:
        cross = f"M{end_x - 7} {end_y - 7}l14 14m0 -14l-14 14"
        yield f'<path d="{cross}" stroke="{colour}" stroke-width="3.2" fill="none"/>'
        return
    back = -1 if end_x < lane.points[-2][0] else 1
    arrow = f"M{end_x} {end_y}l{-11 * back} -6v12z"
    yield f'<path d="{arrow}" fill="{colour}"/>'


def _badge(x: float, y: float, number: int, colour: str) -> Iterator[str]:
    yield f'<circle cx="{x:g}" cy="{y:g}" r="10.5" fill="{colour}"/>'
    yield _text(x, y + 4.3, str(number), size=12, weight=700, colour="#fff", anchor="middle")


def _door(door: DoorArrow) -> Iterator[str]:
    yield (
        f'<path d="{_path(door.points)}" stroke="{_INK}" stroke-width="1.8"'
        ' marker-end="url(#door)" fill="none"/>'
    )
    words, (x, y) = door.by.ja, door.label
    half = _wide(words, 11) / 2 + 8
    yield (
        f'<rect x="{x - half:.0f}" y="{y - 9}" width="{2 * half:.0f}" height="18" rx="9"'
        f' fill="{_INK}"/>'
    )
    yield _text(x, y + 4, words, size=11, weight=700, colour="#fff", anchor="middle")


def _key(picture: Graph) -> Iterator[str]:
    y = picture.height - 14
    yield (f'<path d="M28 {y - 4}h26" stroke="{_INK}" stroke-width="1.8" marker-end="url(#door)"/>')
    yield _text(60, y, "接続を開く向き（返事も受領書もこの接続で戻る）", size=11, colour=_SOFT)
    yield f'<path d="M362 {y - 4}h26" stroke="{_INK}" stroke-width="3.2" stroke-dasharray="7 4"/>'
    yield _text(394, y, "封をしたまま", size=11, colour=_SOFT)
    yield f'<path d="M486 {y - 4}h26" stroke="{_SOFT}" stroke-dasharray="2 3"/>'
    yield _text(518, y, "庁内で突き合わせるために読む", size=11, colour=_SOFT)
    if any(lane.is_refused for lane in picture.lanes):
        yield f'<path d="M696 {y - 9}l10 10m0 -10l-10 10" stroke="{_RED}" stroke-width="2.6"/>'
        yield _text(714, y, "事前点検が止めている連携", size=11, colour=_SOFT)


# -- primitives ---------------------------------------------------------------------------------


def _rect(box: Box, *, fill: str, stroke: str, round_: int, more: str = "") -> str:
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="{round_}"'
        f' fill="{fill}" stroke="{stroke}"{more}/>'
    )


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: float,
    weight: int = 400,
    colour: str = _INK,
    anchor: str = "start",
    halo: bool = False,
) -> str:
    around = ' stroke="#fff" stroke-width="3" paint-order="stroke"' if halo else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}" fill="{colour}"'
        f' text-anchor="{anchor}"{around}>{escape(words)}</text>'
    )


def _path(points: Sequence[tuple[int, int]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def _fitted(words: str, width: int, size: float) -> str:
    """Return the words, cut with … where they would not fit."""
    lines = _cut(words, width, size)
    return words if len(lines) == 1 else _cut(words, width - size, size)[0] + "…"


def _cut(words: str, width: float, size: float) -> list[str]:
    """Fold words into lines of so many pixels."""
    share = _wide(words, size) / max(cell_len(words), 1)  # pixels of a column, in these words
    return cut(words, max(int(width / share), 4))


def _wide(words: str, size: float) -> float:
    """Estimate how wide words are drawn: no font is at hand, so a little too much is taken."""
    return sum(size if cell_len(c) > 1 else size * (0.7 if c.isupper() else 0.56) for c in words)
