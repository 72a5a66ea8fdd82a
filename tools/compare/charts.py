"""SVG charts whose colours read on light and dark pages."""

import math

BAR, GAP, LEFT, WIDTH = 24, 8, 190, 820
OURS, THEIRS = "#d9480f", "#868e96"
STYLE = (
    "text{font-family:sans-serif;font-size:13px;fill:#868e96}.group{font-size:14px;font-weight:bold}"
    ".own{fill:#d9480f;font-weight:bold}.title{font-size:15px}"
)


def document(title, height, body):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{title}</title><style>{STYLE}</style>\n"
        f'<text x="10" y="24" class="title">{title}</text>\n' + "\n".join(body) + "\n</svg>\n"
    )


def bars(title, groups, text):
    """`groups`: [(heading, [(name, value, is_ours)])]; bars from the shortest to the longest. `text` writes a value."""
    most = max(value for _, rows in groups for _, value, _ in rows)
    scale = (WIDTH - LEFT - 80) / most
    body, y = [], 46
    for heading, rows in groups:
        body.append(f'<text x="10" y="{y + 14}" class="group">{heading}</text>')
        y += 24
        for name, value, ours in sorted(rows, key=lambda row: row[1]):
            kind, width = ("own" if ours else "label"), value * scale
            body.append(f'<text x="{LEFT - 8}" y="{y + 17}" text-anchor="end" class="{kind}">{name}</text>')
            body.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{OURS if ours else THEIRS}"/>')
            body.append(f'<text x="{LEFT + width + 6:.1f}" y="{y + 17}" class="{kind}">{text(value)}</text>')
            y += BAR + GAP
        y += 14
    return document(title, y, body)


def ratios(title, groups):
    """Every ratio as a stroke on a line of its group, from 1/4 to 4, each doubling equally wide. `groups`: [(heading, [ratio])]."""
    left, right, row = 190, WIDTH - 40, 44
    middle, unit = (left + right) / 2, (right - left) / 4
    x = lambda ratio: middle + unit * max(-2.0, min(2.0, math.log2(ratio)))
    top, bottom = 60, 60 + row * len(groups)
    body = []
    for mark, name in ((0.25, "1/4 or less"), (0.5, "1/2"), (1, "1"), (2, "2"), (4, "4 or more")):
        width = 2 if mark == 1 else 0.6
        body.append(f'<line x1="{x(mark):.1f}" y1="{top - 8}" x2="{x(mark):.1f}" y2="{bottom}" stroke="{THEIRS}" stroke-width="{width}"/>')
        body.append(f'<text x="{x(mark):.1f}" y="{top - 14}" text-anchor="middle">{name}</text>')
    for i, (heading, values) in enumerate(groups):
        y = top + i * row
        body.append(f'<text x="{left - 12}" y="{y + 20}" text-anchor="end">{heading}</text>')
        for value in values:
            body.append(f'<rect x="{x(value) - 1.2:.1f}" y="{y + 2}" width="2.4" height="26" fill="{OURS}" fill-opacity="0.55"/>')
    body.append(f'<text x="{left}" y="{bottom + 18}">oneDNN is faster</text>')
    body.append(f'<text x="{right}" y="{bottom + 18}" text-anchor="end">nnrun is faster</text>')
    return document(title, bottom + 30, body)
