#!/usr/bin/python3
"""The document that compare.py --json wrote, as docs/benchmarks.md and docs/images/training.svg.

    tools/compare/report.py comparison.json
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAMES = {
    "nnrun": "nnrun",
    "onednn": "oneDNN from C++",
    "numpy": "NumPy",
    "pytorch_by_hand": "PyTorch, no autograd",
    "pytorch_best": "PyTorch, best settings",
    "pytorch_default": "PyTorch as it comes",
}
BAR, GAP, LEFT, WIDTH = 24, 8, 190, 820

INTRODUCTION = """# Benchmarks

The MNIST MLP 784-256-128-64-10, float32, nnrun beside its peers, interleaved in one run on one machine. All of it is made by

    tools/compare/run.sh --json comparison.json && tools/compare/report.py comparison.json

Training is a step at batch 64: forward, loss, backward, update. nnrun's figures are those of `nnrun bench`: whole steps, with the loading
of shuffled batches from bytes, which the peers are spared. Inference is on one batch that stays in cache. Each peer has its best settings (see
`tools/compare`), and its results are held against a float64 reference before it is timed. Arithmetic is dense: no zero is skipped.

Machine: {machine}, {cpus} CPUs; {rounds} rounds; load before it began: {load:.1f}.
"""


def markdown_table(rows, names, cell):
    lines = ["| workload | threads | " + " | ".join(NAMES[name] for name in names) + " |"]
    lines.append("| --- | --- |" + " ---: |" * len(names))
    for row in rows:
        lines.append(f"| {row['workload']} | {row['threads']} | " + " | ".join(cell(row, name) for name in names) + " |")
    return "\n".join(lines)


def rate_cell(row, name):
    rate = row["rates"].get(name)
    return f"{rate['median'] / 1e3:.0f} ({rate['least'] / 1e3:.0f}-{rate['most'] / 1e3:.0f})" if rate else "-"


def ratio_cell(row, name):
    ratio = row["ratios"].get(name)
    return f"{ratio['median']:.2f} ({ratio['least']:.2f}-{ratio['most']:.2f})" if ratio else "-"


def benchmarks_page(document, names):
    machine = document["machine"]
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), machine["name"])
    parts = [INTRODUCTION.format(machine=cpu, cpus=machine["cpus"], rounds=document["rounds"], load=machine["load"])]
    parts.append("## Thousand samples a second: median (least-most)\n\n" + markdown_table(document["rows"], names, rate_cell))
    parts.append(
        "## nnrun / peer, within a round: median (least-most)\n\n"
        + markdown_table(document["rows"], [name for name in names if name != "nnrun"], ratio_cell)
    )
    if document.get("gemm"):
        parts.append("## Single products, beside OpenBLAS\n\n```\n" + document["gemm"].strip() + "\n```")
    notes = ROOT / "docs" / "benchmark-notes.md"
    if notes.exists():
        parts.append(notes.read_text().strip())
    return "\n\n".join(parts) + "\n"


def chart(document, names):
    """Bars of the Adam training rate, one group a number of threads. The colours read on light and dark pages."""
    groups = [row for row in document["rows"] if row["workload"] == "train, adam"]
    most = max(rate["median"] for row in groups for rate in row["rates"].values())
    scale = (WIDTH - LEFT - 70) / most
    body, y = [], 46
    for row in groups:
        threads = f"{row['threads']} thread" + ("s" if row["threads"] > 1 else "")
        body.append(f'<text x="10" y="{y + 14}" class="group">{threads}</text>')
        y += 24
        for name in sorted((n for n in names if n in row["rates"]), key=lambda n: row["rates"][n]["median"]):
            rate = row["rates"][name]["median"]
            own = name == "nnrun"
            body.append(f'<text x="{LEFT - 8}" y="{y + 17}" text-anchor="end" class="{"own" if own else "label"}">{NAMES[name]}</text>')
            body.append(f'<rect x="{LEFT}" y="{y}" width="{rate * scale:.1f}" height="{BAR}" fill="{"#d9480f" if own else "#868e96"}"/>')
            body.append(f'<text x="{LEFT + rate * scale + 6:.1f}" y="{y + 17}" class="{"own" if own else "label"}">{rate / 1e3:.0f}</text>')
            y += BAR + GAP
        y += 14
    style = (
        "text{font-family:sans-serif;font-size:13px;fill:#868e96}.group{font-size:14px;font-weight:bold}"
        ".own{fill:#d9480f;font-weight:bold}.title{font-size:15px}"
    )
    title = "Training the MNIST MLP with Adam, batch 64, float32: thousand samples a second"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" role="img">'
        f"<title>{title}</title><style>{style}</style>\n"
        f'<text x="10" y="24" class="title">{title}</text>\n' + "\n".join(body) + "\n</svg>\n"
    )


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: report.py comparison.json (from: tools/compare/run.sh --json comparison.json)")
    document = json.loads(pathlib.Path(sys.argv[1]).read_text())
    names = [name for name in NAMES if any(name in row["rates"] for row in document["rows"])]
    if "nnrun" not in names:
        sys.exit("nnrun is missing from " + sys.argv[1] + ": nothing to report")
    (ROOT / "docs" / "images").mkdir(parents=True, exist_ok=True)
    (ROOT / "docs" / "images" / "training.svg").write_text(chart(document, names))
    (ROOT / "docs" / "benchmarks.md").write_text(benchmarks_page(document, names))


if __name__ == "__main__":
    main()
