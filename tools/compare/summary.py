"""Rates and ratios out of the documents of all rounds, and their tables."""

import statistics

from workloads import NNRUN


def spread(values):
    """Of (value, disturbed); the disturbed ones count only if there are no others."""
    calm = [value for value, disturbed in values if not disturbed]
    kept = calm or [value for value, _ in values]
    return {"median": statistics.median(kept), "least": min(kept), "most": max(kept), "doubtful": not calm}


def summarise(rows, threads_list, documents, names):
    """[{"workload", "threads", "rates": {name: {median, least, most, doubtful}}, "ratios": {peer: {...}}}].

    `rows`: (kind, key, title); `documents`: {(name, threads): {round: document}}. A ratio is nnrun / peer within one round."""

    def rates_of(name, threads, kind, key):
        found = documents.get((name, threads), {})
        return {number: (d[kind][key], d["disturbed"]) for number, d in found.items() if key in d.get(kind, {})}

    result = []
    for threads in threads_list:
        for kind, key, title in rows:
            rates = {name: rates_of(name, threads, kind, key) for name in names}
            rates = {name: values for name, values in rates.items() if values}
            if not rates:
                continue
            row = {"kind": kind, "key": key, "workload": title, "threads": threads, "ratios": {}}
            row["rates"] = {name: spread(list(values.values())) for name, values in rates.items()}
            ours = rates.get(NNRUN, {})
            for name, theirs in rates.items():
                both = sorted(ours.keys() & theirs.keys())
                if name != NNRUN and both:
                    pairs = [(ours[number], theirs[number]) for number in both]
                    row["ratios"][name] = spread([(a / b, a_bad or b_bad) for (a, a_bad), (b, b_bad) in pairs])
            result.append(row)
    return result


def number(value):
    """About three digits; from ten thousand on in thousands."""
    if value >= 1e4:
        return f"{value / 1e3:.0f}k" if value >= 1e5 else f"{value / 1e3:.1f}k"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def rate_cell(row, name):
    return cell(row["rates"].get(name), number)


def ratio_cell(row, name):
    return cell(row["ratios"].get(name), "{:.2f}".format)


def cell(value, text):
    if not value:
        return "-"
    mark = " ?" if value["doubtful"] else ""
    return f"{text(value['median'])} ({text(value['least'])}-{text(value['most'])}){mark}"


def table(head, lines, numeric_from):
    """Markdown, aligned so that it reads on a terminal as well; columns from `numeric_from` on are numbers."""
    cells = [head, *lines]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    rule = ["-" * (w - 1) + ":" if i >= numeric_from else "-" * w for i, w in enumerate(widths)]
    pad = lambda line: [t.rjust(w) if i >= numeric_from else t.ljust(w) for i, (t, w) in enumerate(zip(line, widths))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [pad(head), rule, *map(pad, lines)])


def rates_table(rows, names, titles):
    lines = [[row["workload"], str(row["threads"]), *(rate_cell(row, name) for name in names)] for row in rows]
    return table(["workload", "threads", *(titles[name] for name in names)], lines, 1)


def ratios_table(rows, names, titles):
    peers = [name for name in names if name != NNRUN]
    lines = [[row["workload"], str(row["threads"]), *(ratio_cell(row, name) for name in peers)] for row in rows]
    return table(["workload", "threads", *(titles[name] for name in peers)], lines, 1)


TITLES = {
    NNRUN: "nnrun",
    "nnrun_float": "nnrun, floats",
    "onednn": "oneDNN from C++",
    "numpy": "NumPy",
    "pytorch": "PyTorch and PIL",
    "pytorch_by_hand": "PyTorch, no autograd",
    "pytorch_best": "PyTorch, best settings",
    "pytorch_default": "PyTorch as it comes",
}
