#!/usr/bin/python3
"""nnrun beside its peers on the MNIST MLP 784-256-128-64-10. tools/compare/run.sh prepares everything and calls this.

Training is a step at batch 64 (forward, loss, backward, update) over 64 rotating batches of ready float32 samples: no
decoding, no gathering. Inference is on one batch that stays in cache. What a peer computes is held against the reference
model before it is timed; nnrun's own tests do that for nnrun.

Every round runs everyone once, in turn, so that a clock that drifts hits all alike. Rates are medians of the rounds. A
ratio is nnrun / peer within one round: their median, and the least and the most. Where other work on the machine took
the time that a run needed, the run is repeated, and left out if it stays so; if nothing else is left, it counts and
the row is marked with a question mark.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OPTIMIZERS = {
    "sgd": "configs/mnist_mlp_sgd.yaml",
    "momentum": "configs/mnist_mlp_momentum.yaml",
    "adam": "configs/mnist_mlp.yaml",
}
INFERENCE_BATCHES = (1, 16, 64, 1024)
NNRUN = "nnrun"

# Settings of OpenBLAS, OpenMP and the like that a user or a container left behind would hamper peers (OPENBLAS_CORETYPE=Haswell
# halves OpenBLAS on a CPU with AVX-512): all go, and each peer gets its own.
FOREIGN_SETTINGS = ("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "ATEN_", "GLIBC_TUNABLES")
# glibc gives large blocks back and faults them in again at every step, unless told to keep them; huge pages help too.
KEEP_MEMORY = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296"


def has_avx512():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    return cpuinfo.exists() and "avx512f" in cpuinfo.read_text()


def tuned_pytorch(threads):
    # Two teams of threads, OpenMP's and OpenBLAS', get in each other's way. Products are most of the work: OpenBLAS' it is.
    settings = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": str(threads), "GLIBC_TUNABLES": KEEP_MEMORY}
    # PyTorch 1.13 takes its AVX2 loops even where there is AVX-512; its square root is twice as fast with.
    return settings | ({"ATEN_CPU_CAPABILITY": "avx512"} if has_avx512() else {})


def onednn_settings(threads):
    settings = {"OMP_NUM_THREADS": str(threads)}
    # Between two primitives are microseconds: too short to sleep and wake.
    return settings | ({"OMP_WAIT_POLICY": "ACTIVE", "OMP_PROC_BIND": "true"} if threads > 1 else {})


PEERS = {  # name: (settings of the environment for a number of threads, command)
    "onednn": (onednn_settings, lambda a, threads: [a.build / "onednn_mlp", a.fixture, threads, a.seconds]),
    "numpy": (lambda threads: {"OPENBLAS_NUM_THREADS": str(threads)}, lambda a, threads: python(a, threads, "numpy_mlp.py")),
    "pytorch_by_hand": (tuned_pytorch, lambda a, threads: python(a, threads, "pytorch_mlp.py", "--settings", "by_hand")),
    "pytorch_best": (tuned_pytorch, lambda a, threads: python(a, threads, "pytorch_mlp.py", "--settings", "best")),
    "pytorch_default": (
        lambda threads: {"OMP_NUM_THREADS": str(threads)},
        lambda a, threads: python(a, threads, "pytorch_mlp.py", "--settings", "default"),
    ),
}


def python(arguments, threads, script, *more):
    words = ["--fixture", arguments.fixture, "--threads", threads, "--seconds", arguments.seconds, *more]
    return [sys.executable, HERE / script, *words]


def shout(text):
    line = "!" * 100
    print(f"\n{line}\n{text}\n{line}\n", file=sys.stderr, flush=True)


class Watch:
    """How many CPUs' time other processes took while ours ran (0 where /proc/stat does not say)."""

    def __init__(self):
        self.start = self.now()

    @staticmethod
    def now():
        own = os.times()
        stat = pathlib.Path("/proc/stat")
        ticks = [int(word) for word in stat.read_text().split("\n")[0].split()[1:]] if stat.exists() else [0] * 8
        busy = sum(ticks[:3]) + sum(ticks[5:8])  # all but idle and waiting for input and output
        return own.elapsed, busy / os.sysconf("SC_CLK_TCK"), own.user + own.system + own.children_user + own.children_system

    def foreign_cpus(self):
        elapsed, busy, own = (after - before for after, before in zip(self.now(), self.start))
        return max(0.0, (busy - own) / elapsed) if elapsed > 0 else 0.0


def run_json(command, settings):
    """The JSON document that a command prints, or None and its complaint."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN_SETTINGS)} | settings
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    if done.returncode != 0:
        return None, f"{' '.join(words)}: exit code {done.returncode}\n{done.stderr.strip()[-2000:]}"
    try:
        return json.loads(done.stdout), None
    except json.JSONDecodeError as error:
        return None, f"{' '.join(words)}: no JSON: {error}"


def run_nnrun(arguments, threads):
    """nnrun bench, once an optimizer, and once more for the large batch, in the shape of the peers' documents."""
    result = {"peer": NNRUN, "threads": threads, "settings": {}, "train": {}, "inference": {}}
    bench = lambda config, *more: run_json([arguments.nnrun, "bench", config, "--json", f"run.threads={threads}", *more], {})
    for optimizer, config in OPTIMIZERS.items():
        document, complaint = bench(config)
        if document is None:
            return None, complaint
        result["train"][optimizer] = document["train"]["samples_per_s"]
        result["settings"]["precision"] = document.get("precision")
    large, complaint = bench(config, f"train.batch={INFERENCE_BATCHES[-1]}")
    if large is None:
        return None, complaint
    for row in large["inference"] + document["inference"]:
        if row["batch"] in INFERENCE_BATCHES:
            result["inference"][str(row["batch"])] = row["samples_per_s"]
    return result, None


def newest_built(name):
    """The newest program of that name under build/, other than those of presets that are not meant to be fast."""
    found = [path for path in ROOT.glob(f"build/*/**/{name}") if path.is_file() and os.access(path, os.X_OK)]
    found = [path for path in found if path.relative_to(ROOT).parts[1] not in ("debug", "asan", "ubsan", "tsan")]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def find_nnrun(given):
    if given:
        return pathlib.Path(given)
    found = newest_built("nnrun") or shutil.which("nnrun")
    return pathlib.Path(found) if found else None


def run_undisturbed(arguments, name, threads):
    for attempt in range(3):
        watch = Watch()
        if name == NNRUN:
            document, complaint = run_nnrun(arguments, threads)
        else:
            settings, command = PEERS[name]
            document, complaint = run_json(command(arguments, threads), settings(threads))
        if document is None:
            return None, complaint
        document["foreign_cpus"] = round(watch.foreign_cpus(), 2)
        document["disturbed"] = document["foreign_cpus"] > os.cpu_count() - threads + 0.1
        if not document["disturbed"]:
            break
        print(f"  disturbed: others took {document['foreign_cpus']} CPUs", file=sys.stderr, flush=True)
    return document, None


def measure(arguments, names):
    """{(name, threads): [a document a round]}, and who failed."""
    documents, failures = {}, {}
    for number in range(arguments.rounds):
        turn = names[number % len(names) :] + names[: number % len(names)]  # nobody always follows the same one
        for threads in arguments.threads:
            for name in turn:
                if name in failures:
                    continue
                print(f"round {number + 1} of {arguments.rounds}, {threads} thread(s): {name}", file=sys.stderr, flush=True)
                document, complaint = run_undisturbed(arguments, name, threads)
                if document is None:
                    failures[name] = complaint
                    shout(f"{name} FAILED and is missing from the table:\n{complaint}")
                else:
                    documents.setdefault((name, threads), []).append(document)
    return documents, failures


def summarise(arguments, documents, names):
    """Rows of {"workload", "threads", "rates": {name: {median, least, most, doubtful}}, "ratios": {peer: {...}}}."""
    workloads = [("train", key, f"train, {key}") for key in OPTIMIZERS]
    workloads += [("inference", str(batch), f"infer, batch {batch}") for batch in INFERENCE_BATCHES]

    def spread(values):
        """Of (value, disturbed); the disturbed ones count only if there are no others."""
        calm = [value for value, disturbed in values if not disturbed]
        kept = calm or [value for value, _ in values]
        return {"median": statistics.median(kept), "least": min(kept), "most": max(kept), "doubtful": not calm}

    def rates_of(name, threads, kind, key):
        found = documents.get((name, threads), [])
        return [(d[kind][key], d["disturbed"]) for d in found if key in d[kind]]

    rows = []
    for threads in arguments.threads:
        for kind, key, title in workloads:
            rates = {name: rates_of(name, threads, kind, key) for name in names}
            rates = {name: values for name, values in rates.items() if values}
            row = {"workload": title, "threads": threads, "rates": {name: spread(v) for name, v in rates.items()}, "ratios": {}}
            if NNRUN in rates:
                for name in rates:
                    if name != NNRUN:
                        pairs = zip(rates[NNRUN], rates[name])
                        row["ratios"][name] = spread([(a / b, a_bad or b_bad) for (a, a_bad), (b, b_bad) in pairs])
            rows.append(row)
    return rows


def print_table(title, rows, columns, cell):
    print(f"\n{title}\n")
    cells = [["workload", "threads", *columns]]
    for row in rows:
        cells.append([row["workload"], str(row["threads"]), *(cell(row, column) for column in columns)])
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    cells.insert(1, ["-" * width for width in widths])
    for line in cells:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |")


def print_tables(rows, names):
    def rate(row, name):
        value = row["rates"].get(name)
        if not value:
            return "-"
        mark = " ?" if value["doubtful"] else ""
        return f"{value['median'] / 1e3:.1f} ({value['least'] / 1e3:.0f}-{value['most'] / 1e3:.0f}){mark}"

    def ratio(row, name):
        value = row["ratios"].get(name)
        if not value:
            return "-"
        mark = " ?" if value["doubtful"] else ""
        return f"{value['median']:.2f} ({value['least']:.2f}-{value['most']:.2f}){mark}"

    print_table("Thousand samples/s: median (least-most); ?: only runs that other work disturbed", rows, names, rate)
    if any(row["ratios"] for row in rows):
        peers = [name for name in names if name != NNRUN]
        print_table("nnrun / peer, within a round: median (least-most)", rows, peers, ratio)


def run_gemm_benchmark():
    """The products alone, nnrun's kernels beside OpenBLAS: tools/benchmark/gemm.cpp, where it is built."""
    program = newest_built("nnrun_benchmark_gemm")
    if not program:
        print("\nnnrun_benchmark_gemm is not built: no table of single products", file=sys.stderr)
        return None
    environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN_SETTINGS)}
    done = subprocess.run([program], env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        shout(f"{program} FAILED:\n{done.stderr[-2000:]}")
    print("\nSingle products:\n\n" + done.stdout)
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nnrun", help="the nnrun to measure; else the newest under build/, else $PATH's")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder with onednn_mlp")
    parser.add_argument("--fixture", type=pathlib.Path, required=True, help="folder that fixture.py wrote")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each measurement of a peer")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="everything measured, as one document")
    parser.add_argument("--no-gemm", action="store_true", help="leave nnrun_benchmark_gemm out")
    arguments = parser.parse_args()

    arguments.nnrun = find_nnrun(arguments.nnrun)
    names = ([NNRUN] if arguments.nnrun else []) + arguments.peers
    missing = "NNRUN IS MISSING: no nnrun under build/ or in $PATH. Only its peers are measured."
    if not arguments.nnrun:
        shout(missing)
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"the machine is busy (load {load:.1f}): expect lower rates and disturbed runs", file=sys.stderr)

    documents, failures = measure(arguments, names)
    rows = summarise(arguments, documents, names)
    print_tables(rows, [name for name in names if any(name in row["rates"] for row in rows)])
    gemm = None if arguments.no_gemm else run_gemm_benchmark()
    for name, complaint in failures.items():
        shout(f"{name} FAILED and is missing from the table: {complaint.splitlines()[-1]}")
    if not arguments.nnrun:
        shout(missing)
    if arguments.json:
        document = {
            "machine": {"name": platform.processor() or platform.machine(), "cpus": os.cpu_count(), "load": load},
            "rounds": arguments.rounds,
            "environment": {name: {t: PEERS[name][0](t) for t in arguments.threads} for name in arguments.peers},
            "rows": rows,
            "documents": {f"{name}, {threads} thread(s)": value for (name, threads), value in documents.items()},
            "failures": failures | ({} if arguments.nnrun else {NNRUN: missing}),
            "gemm": gemm,
        }
        arguments.json.write_text(json.dumps(document, indent=1) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
