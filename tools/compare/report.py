#!/usr/bin/python3
"""The document that compare.py --json wrote, as docs/benchmarks.md and charts in docs/images/.

    tools/compare/report.py comparison.json
"""

import json
import math
import pathlib
import sys

import charts
from summary import TITLES, number, rates_table, ratios_table, table
from workloads import NNRUN, WORKLOADS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

INTRODUCTION = """# Benchmarks

nnrun beside its peers, float32 where nothing else is said, interleaved in one run on one machine. All of it is made by

    tools/compare/run.sh --json comparison.json && tools/compare/report.py comparison.json

- Training is a step: forward, loss, backward, update. nnrun's figures are those of `nnrun bench`: whole steps, with the loading of
  shuffled batches and the metrics, which the peers are spared. Inference is on one batch that stays in cache.
- Each peer has its best settings (`tools/compare/workloads.py`): oneDNN the fastest of its algorithms, implementations and layouts for
  each product of each layer, as measured; PyTorch the layout, tracing, memory allocation and threads that suit it; and PyTorch as it
  comes beside. Its results are held against a reference in float64 before it is timed, and so are nnrun's. In bfloat16 oneDNN's losses are held
  against it loosely, and nnrun's not: docs/results.md has what it learns.
- A thread is a core: with one thread, everyone has one core, nnrun's loader too.
- Rates are samples a second. A ratio is nnrun / peer within one round; medians of the rounds ({rounds}), with (least-most). A
  question mark: other work disturbed all rounds.

Machine: {machine}, {cpus} CPUs; load before it began: {load:.1f}.
"""

# Stated by its authors, not measured here: the assembly original of the cat/dog net, training, one thread.
ASSEMBLY_ORIGINAL = 34.5


def threads_text(threads):
    return f"{threads} thread" + ("s" if threads > 1 else "")


def present(part):
    return [name for name in TITLES if any(name in row["rates"] for row in part["rows"])]


def workload_section(name, part, images):
    names = present(part)
    if NNRUN not in names:
        return ""
    text = [f"## {part['title']}"]
    text += [f"![{part['title']}](images/{image})" for image in images.get(name, [])]
    text.append(f"Rounds: {max(len(documents) for documents in part['documents'].values())}.")
    text.append(rates_table(part["rows"], names, TITLES))
    if len(names) > 1:
        text.append("nnrun / peer:\n\n" + ratios_table(part["rows"], names, TITLES))
    if name == "catdog_cnn":
        own = [row["rates"][NNRUN]["median"] for row in part["rows"] if row["kind"] == "train" and row["threads"] == 1]
        if own:
            text.append(
                f"The assembly original of this net is documented with {ASSEMBLY_ORIGINAL} images/s in training on one thread of such a\n"
                f"machine (not measured here): nnrun's rate is {own[0] / ASSEMBLY_ORIGINAL:.1f} times that."
            )
    if name in ("catdog_cnn", "catdog_small", "mnist_mlp"):
        text.append(shares(part))
    return "\n\n".join(text)


def shares(part):
    """Share of the FMA peak of each layer, which nnrun bench measured in the same run."""
    documents = part["documents"].get(f"{NNRUN}, 1 thread(s)")
    if not documents:
        return ""
    document = documents[-1]
    lines = [
        [layer["name"], *(f"{layer[way] * 1e3:.0f}" for way in ("forward_ms", "backward_ms")), f"{layer['gflops']:.0f}", percent(layer)]
        for layer in document["layers"]
        if layer["gflops"] > 1
    ]
    head = ["layer", "forward us", "backward us", "GFLOP/s", "of peak"]
    text = (
        f"Layers in training, one thread, beside a peak of {document['peak'][-1]:.0f} GFLOP/s in the same run. FLOPs count as if computed\n"
        "directly, and gradients as if dense: Winograd's, and those taken straight from the pooled ones, can be above the peak.\n\n"
    )
    rows = [document["shares"][key] for key in sorted(document["shares"], key=int)]
    bandwidth = lambda r: f"{100 * r['share_of_read_bandwidth']:.0f} %"
    inference = [[str(r["batch"]), f"{r['ms']:.3f}", f"{r['gflops']:.0f}", percent(r), bandwidth(r)] for r in rows]
    columns = ["inference, batch", "ms", "GFLOP/s", "of peak", "weights: of read bandwidth"]
    return text + table(head, lines, 1) + "\n\n" + table(columns, inference, 1)


def percent(row):
    return f"{100 * row['share_of_peak']:.0f} %"


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


PASSES = ("forward", "backward data", "backward weights")


def family(shape):
    return shape.split(",")[0]


def ratio(row):
    return row["gflops"] / row["onednn"]


def conv2d_section(part, title, image):
    text = [f"## {title}"]
    if image:
        text.append(f"![{title}](images/{image})")
    text.append(
        f"{len({row['shape'] for row in part['rows']})} shapes, each product alone, nnrun's kernels beside oneDNN's fastest way in\n"
        "oneDNN's own layouts; least times. nnrun / oneDNN, geometric means and the worst:"
    )
    lines = []
    for threads in sorted({row["threads"] for row in part["rows"]}):
        for name in (*PASSES, None):
            values = [ratio(row) for row in part["rows"] if row["threads"] == threads and name in (None, row["pass"])]
            below = sum(value < 0.7 for value in values)
            lines.append([name or "all", str(threads), f"{geometric_mean(values):.2f}", f"{min(values):.2f}", str(below)])
    text.append(table(["pass", "threads", "geometric mean", "worst", "below 0.7"], lines, 1))
    rows = [
        [row["pass"], row["shape"], row["algorithm"], row["onednn_way"], str(row["threads"])]
        + [f"{row['gflops']:.0f}", f"{row['onednn']:.0f}", f"{ratio(row):.2f}", f"{100 * row['gflops'] / row['peak']:.0f} %"]
        for row in part["rows"]
    ]
    head = ["pass", "shape", "nnrun's way", "oneDNN's way", "threads", "nnrun GFLOP/s", "oneDNN", "ratio", "of peak"]
    text.append("<details><summary>All of them</summary>\n\n" + table(head, rows, 4) + "\n\n</details>")
    return "\n\n".join(text)


def gemm_section(part):
    lines = []
    for shape in part["shapes"]:
        line = [shape["what"], shape["shape"]]
        for ours, theirs, peak in zip(shape["gflops"], shape["openblas"], shape.get("peak", part["peak_gflops"])):
            line += [f"{ours:.0f}", f"{theirs:.0f}", f"{ours / theirs:.2f}" if theirs else "-", f"{100 * ours / peak:.0f} %"]
        lines.append(line)
    head = ["", "m x n x k", "1T GFLOP/s", "OpenBLAS", "ratio", "of peak", "2T GFLOP/s", "OpenBLAS", "ratio", "of peak"]
    peaks = " and ".join(f"{peak:.0f}" for peak in part["peak_gflops"])
    return f"## Matrix products, beside OpenBLAS\n\nPeak on one and two threads: {peaks} GFLOP/s.\n\n" + table(head, lines, 2)


def scaling_section(points):
    ms = {(p["threads"], p["batch"], p["size"]): p["ms"] for p in points}
    lines = []
    for batch, size in sorted({key[1:] for key in ms}, key=lambda pair: (pair[1], pair[0])):
        one, two = ms.get((1, batch, size)), ms.get((2, batch, size))
        line = [f"{size} x {size}", str(batch)] + [f"{value:.2f}" if value else "-" for value in (one, two)]
        if one and two:
            # Amdahl: t(n) = t(1) (s + (1 - s) / n), with the serial share s that t(1) and t(2) show.
            share = min(max(2 * two / one - 1, 0.0), 1.0)
            line += [f"{one / two:.2f}", f"{100 * share:.0f} %", *(f"{1 / (share + (1 - share) / n):.1f}" for n in (4, 8))]
        else:
            line += ["-"] * 4
        lines.append(line)
    head = ["pixels", "batch", "1 thread, ms", "2 threads, ms", "times faster", "serial share", "4 threads (paper)", "8 threads (paper)"]
    return (
        "## How a cat/dog training step scales\n\nMeasured for one and two threads. For more, on paper: the serial share that these two\n"
        "show, in Amdahl's law; memory bandwidth will take more where many cores share it.\n\n" + table(head, lines, 1)
    )


def rate_chart(part, key, title):
    groups = []
    for row in part["rows"]:
        if (row["kind"], row["key"]) == key:
            bars = [(TITLES[name], rate["median"], name == NNRUN) for name, rate in row["rates"].items()]
            groups.append((threads_text(row["threads"]), bars))
    return charts.bars(title, groups, number) if groups else None


# {part: [(image, row, title)]}
CHARTS = {
    "catdog_cnn": [("catdog_training.svg", ("train", "sgd"), "Training the cat/dog net, batch 16: images a second")],
    "catdog_small": [("catdog_small_training.svg", ("train", "adamw"), "Training the small cat/dog net, batch 64: images a second")],
    "mnist_mlp": [("training.svg", ("train", "adam"), "Training the MNIST MLP with Adam, batch 64: samples a second")],
}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: report.py comparison.json (from: tools/compare/run.sh --json comparison.json)")
    document = json.loads(pathlib.Path(sys.argv[1]).read_text())
    parts, machine = document["parts"], document["machine"]
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    images = {}
    for name, list_ in CHARTS.items():
        for image, key, title in list_:
            svg = rate_chart(parts[name], key, title) if name in parts else None
            if svg:
                (folder / image).write_text(svg)
                images.setdefault(name, []).append(image)
    # Parts may have been measured one by one, in more rounds or fewer.
    counts = sorted({len(documents) for part in parts.values() if "documents" in part for documents in part["documents"].values()}) or [document["rounds"]]
    rounds = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}, see the parts"
    about = {"machine": machine["name"], "cpus": machine["cpus"], "rounds": rounds, "load": machine["load"]}
    sections = [INTRODUCTION.format(**about).strip()]
    sections += [workload_section(name, parts[name], images) for name in (*WORKLOADS, "mnist_128_int8", "loading") if name in parts]
    if "conv2d" in parts:
        rows = [row for row in parts["conv2d"]["rows"] if row["threads"] == 1]
        families = list(dict.fromkeys(family(row["shape"]) for row in rows if not row["shape"].startswith("depthwise")))
        groups = [(f, [ratio(row) for row in rows if family(row["shape"]) == f]) for f in families]
        groups.append(("depthwise", [ratio(row) for row in rows if row["shape"].startswith("depthwise")]))
        title = "Convolutions on one thread: nnrun / oneDNN's best, each product of each shape"
        (folder / "conv2d.svg").write_text(charts.ratios(title, [group for group in groups if group[1]]))
        sections.append(conv2d_section(parts["conv2d"], "Convolutions of all kinds, beside oneDNN", "conv2d.svg"))
    if "conv2d_avx2" in parts:
        sections.append(conv2d_section(parts["conv2d_avx2"], "Convolutions, AVX2 alone", None))
    if "gemm" in parts:
        sections.append(gemm_section(parts["gemm"]))
    if "scaling" in parts:
        sections.append(scaling_section(parts["scaling"]))
    notes = ROOT / "docs" / "benchmark-notes.md"
    if notes.exists():
        sections.append(notes.read_text().strip())
    (ROOT / "docs" / "benchmarks.md").write_text("\n\n".join(filter(None, sections)) + "\n")


if __name__ == "__main__":
    main()
