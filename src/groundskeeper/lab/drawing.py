"""The storm as a picture: per fault two bars on a logarithmic scale, unaided and managed, as SVG."""

import math
from html import escape

from groundskeeper.lab.scoring import Line, Score

NAME, BAR, NUMBER, ROW, TOP, BOTTOM = 210, 520, 110, 34, 74, 46
LEAST_MS, MOST_MS = 1.0, 10_000.0
MARKS = ((1, "1 ms"), (10, "10 ms"), (100, "100 ms"), (1_000, "1 s"), (10_000, "10 s"))
UNAIDED, MANAGED, TEXT, FAINT = "#c2410c", "#15803d", "#1f2937", "#d1d5db"


def length(ms: float) -> float:
    """How long a bar is, in pixels; what was not felt has none."""
    if ms < LEAST_MS:
        return 0.0
    return BAR * math.log10(min(ms, MOST_MS) / LEAST_MS) / math.log10(MOST_MS / LEAST_MS)


def spoken(ms: float, settled: bool) -> str:
    """A time as a person says it; a fault that nobody ended lasted longer than was watched."""
    if ms < LEAST_MS and settled:
        return "not felt"
    time = f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"
    return time if settled else f"{time} and on"


def draw(score: Score) -> str:
    """The picture, a whole SVG document."""
    width, height = NAME + BAR + NUMBER, TOP + ROW * len(score.lines) + BOTTOM
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *_heading(score),
            *_scale(height),
            *(part for number, line in enumerate(score.lines) for part in _row(TOP + ROW * number, line)),
            "</svg>",
        ]
    )


def _heading(score: Score) -> list[str]:
    headline = f"The storm “{score.storm}”: {score.settled} of {len(score.lines)} faults settled without a person"
    return [
        _text(16, 26, headline, size=17, weight="bold"),
        _text(16, 48, "time in which the client was without a service, logarithmic", size=12),
        f'<rect x="{NAME + 200}" y="39" width="12" height="10" fill="{UNAIDED}"/>',
        _text(NAME + 218, 48, "nobody acts", size=12),
        f'<rect x="{NAME + 310}" y="39" width="12" height="10" fill="{MANAGED}"/>',
        _text(NAME + 328, 48, "managed by Groundskeeper", size=12),
    ]


def _scale(height: int) -> list[str]:
    lines = []
    for ms, label in MARKS:
        x = NAME + length(ms)
        lines.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - 34}" stroke="{FAINT}"/>')
        lines.append(_text(x, height - 18, label, size=11, anchor="middle"))
    return lines


def _row(y: int, line: Line) -> list[str]:
    parts = [_text(NAME - 10, y + 17, line.name, size=12, anchor="end")]
    bars = [(13, line.impact_ms, line.settled, MANAGED)]
    if line.unaided:
        bars.append((0, line.unaided.impact_ms, line.unaided.settled, UNAIDED))
    for below, ms, settled, colour in bars:
        long = length(ms)
        parts.append(f'<rect x="{NAME}" y="{y + below}" width="{long:.1f}" height="11" rx="2" fill="{colour}"/>')
        parts.append(_text(NAME + long + 6, y + below + 10, spoken(ms, settled), size=11))
    return parts


def _text(x: float, y: float, text: str, *, size: int, anchor: str = "start", weight: str = "normal") -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="{TEXT}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
