#!/usr/bin/python3
"""nnrun beside its peers. tools/compare/run.sh prepares everything and calls this.

A training step is forward, loss, backward and update over rotating batches of ready float32 samples; nnrun's is a whole step of
`nnrun bench`, with loading and metrics. Inference is on one batch. What everyone computes is held against a reference in float64
before it is timed: a peer's logits and the losses of its first steps, nnrun's logits and gradients (for MNIST, nnrun's own tests do). In
bfloat16 samples are given in it to the peer, whose losses may be off by 2 %, and nnrun's figures are not held against any.

Every round runs everyone once, in turn, so that a clock that drifts hits all alike, each on as many cores as it has threads. Rates are
medians of the rounds. A ratio is nnrun / peer within one round: their median, and the least and the most. Where other work on the
machine took the time that a run needed, the run is repeated, and left out if it stays so; if nothing else is left, it counts and is
marked with a question mark.
"""

import argparse
import json
import os
import pathlib
import platform
import sys

import loading
import quantized
import running
import scaling
import summary
from running import ROOT
from workloads import NNRUN, WORKLOADS

# Programs that measure both sides in one process: {name: (program, arguments)}.
PROGRAMS = {
    "conv2d": ("nnrun_benchmark_conv2d", ()),
    "conv2d_avx2": ("nnrun_benchmark_conv2d", ("avx2", "--threads", "1")),
    "gemm": ("nnrun_benchmark_gemm", ()),
}
PARTS = [*WORKLOADS, "mnist_128_int8", "loading", "scaling", *PROGRAMS]


class LoadingWorkload:
    """loading.py in the shape of a workload."""

    title = loading.TITLE
    peers = {loading.PEER: None}
    demand_agreement = staticmethod(loading.demand_agreement)
    measure_nnrun = staticmethod(loading.measure_nnrun)

    @staticmethod
    def rows():
        yield "loading", "jpeg", "decode and load"


OTHERS = {"mnist_128_int8": quantized.QuantizedWorkload, "loading": LoadingWorkload}


def measure_once(workload, options, name, threads):
    if name == NNRUN:
        return workload.measure_nnrun(options, threads)
    if workload is LoadingWorkload:
        return loading.measure_peer(options, threads)
    return workload.peers[name].measure(options, options.fixtures / workload.fixture, threads)


def measure(workload, options, label, failures):
    """The summarised rows of one workload, and all documents."""
    names = [name for name in workload.peers if not options.peers or name in options.peers]
    try:
        workload.demand_agreement(options)
        names.insert(0, NNRUN)
    except running.Failure as failure:
        failures[f"{label}: {NNRUN}"] = str(failure)
        running.shout(f"{label}: nnrun is not measured: {failure}")
    documents, failed = {}, set()
    for number in range(options.rounds):
        turn = names[number % len(names) :] + names[: number % len(names)]  # nobody always follows the same one
        for threads in options.threads:
            for name in turn:
                if name in failed:
                    continue
                print(f"{label}: round {number + 1} of {options.rounds}, {threads} thread(s): {name}", file=sys.stderr, flush=True)
                try:
                    document = running.undisturbed(lambda: measure_once(workload, options, name, threads), threads, options.attempts)
                    documents.setdefault((name, threads), {})[number] = document
                except running.Failure as failure:
                    failed.add(name)
                    failures[f"{label}: {name}"] = str(failure)
                    running.shout(f"{label}: {name} FAILED and is missing from the table:\n{failure}")
    rows = summary.summarise(list(workload.rows()), options.threads, documents, names)
    named = {f"{name}, {threads} thread(s)": list(value.values()) for (name, threads), value in documents.items()}
    return {"title": workload.title, "names": names, "rows": rows, "documents": named}


def print_tables(part):
    names = [name for name in part["names"] if any(name in row["rates"] for row in part["rows"])]
    print(f"\n{part['title']}\n\nSamples/s: median (least-most); ?: only runs that other work disturbed\n")
    print(summary.rates_table(part["rows"], names, summary.TITLES))
    if any(row["ratios"] for row in part["rows"]):
        print("\nnnrun / peer, within a round: median (least-most)\n")
        print(summary.ratios_table(part["rows"], names, summary.TITLES))
    sys.stdout.flush()


def run_program(options, name):
    program, arguments = PROGRAMS[name]
    print(f"{name}: {program}", file=sys.stderr, flush=True)
    settings = {"ONEDNN_MAX_CPU_ISA": "AVX2"} if name.endswith("avx2") else {}
    return running.run_json([options.build / "bin" / program, *arguments, "--json"], settings)


def data_root():
    return pathlib.Path(os.environ.get("NNRUN_DATA", ROOT / "datasets"))


def cpu_name():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder with nnrun, the peers and the benchmarks")
    parser.add_argument("--fixtures", type=pathlib.Path, required=True, help="folder with a fixture of each net")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each measurement")
    parser.add_argument("--attempts", type=int, default=3, help="at a run that other work disturbs")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help="of: " + ", ".join(PARTS))
    peers = sorted({peer for workload in (*WORKLOADS.values(), *OTHERS.values()) for peer in workload.peers})
    parser.add_argument("--peers", nargs="+", choices=peers, metavar="PEER", help="of: " + ", ".join(peers))
    kept = "everything measured; parts that FILE has and this run leaves out stay"
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help=kept)
    options = parser.parse_args()
    options.build, options.fixtures = options.build.resolve(), options.fixtures.resolve()
    options.nnrun, options.data = options.build / "bin" / "nnrun", data_root()
    options.threads = [threads for threads in options.threads if threads <= os.cpu_count()]

    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"the machine is busy (load {load:.1f}): expect lower rates and disturbed runs", file=sys.stderr)
    old = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    document = {
        "machine": {"name": cpu_name(), "cpus": os.cpu_count(), "load": load},
        "rounds": options.rounds,
        "parts": old.get("parts", {}),
    }
    failures = {}

    def keep(name, part):
        document["parts"][name] = part
        if options.json:  # after each part: what is measured is not lost
            options.json.write_text(json.dumps(document, indent=1) + "\n")

    for name in options.only:
        try:
            if name in WORKLOADS or name in OTHERS:
                if name == "loading" and not loading.archive(options).exists():
                    raise running.Failure(f"{loading.archive(options)} is missing: datasets/fetch.sh catdog")
                part = measure(WORKLOADS.get(name) or OTHERS[name], options, name, failures)
                print_tables(part)
            elif name == "scaling":
                part = scaling.measure(options)
            else:
                part = run_program(options, name)
            keep(name, part)
        except running.Failure as failure:
            failures[name] = str(failure)
            running.shout(f"{name} FAILED:\n{failure}")
    for name, complaint in failures.items():
        running.shout(f"{name} is missing from the tables: {complaint.splitlines()[0]}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
