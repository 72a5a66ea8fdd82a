"""Running the programs that are compared: with clean settings, on their own cores, again where other work disturbed them."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Settings of OpenBLAS, OpenMP and the like that a user or a container left behind would hamper peers (OPENBLAS_CORETYPE=Haswell
# halves OpenBLAS on a CPU with AVX-512): all go, and each peer gets its own.
FOREIGN_SETTINGS = ("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "ATEN_", "GLIBC_TUNABLES", "NNRUN_KERNELS")


class Failure(Exception):
    """A program that could not be run, or did not agree with the reference; its complaint."""


def shout(text):
    line = "!" * 100
    print(f"\n{line}\n{text}\n{line}\n", file=sys.stderr, flush=True)


def clean_environment(settings):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_SETTINGS)}
    return kept | settings | {"PYTHONDONTWRITEBYTECODE": "1"}


def run(command, settings, threads=None):
    """What a command prints. With `threads`, on so many cores: a thread that loads beside the others gets none of its own."""
    words = [str(word) for word in command]
    cores = sorted(os.sched_getaffinity(0))
    own = set(cores[-threads:]) if threads else set(cores)
    try:
        done = subprocess.run(
            words,
            env=clean_environment(settings),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=900,
            preexec_fn=lambda: os.sched_setaffinity(0, own),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Failure(f"{' '.join(words)}: {error}") from error
    if done.returncode != 0:
        raise Failure(f"{' '.join(words)}: exit code {done.returncode}\n{(done.stderr.strip() or done.stdout.strip())[-2000:]}")
    return done.stdout


def run_json(command, settings, threads=None):
    text = run(command, settings, threads)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Failure(f"{' '.join(map(str, command))}: no JSON: {error}") from error


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


def undisturbed(measure, threads, attempts):
    """The document that measure() makes, with "foreign_cpus" and "disturbed"; again where others took the time that it needed."""
    for _ in range(attempts):
        watch = Watch()
        document = measure()
        document["foreign_cpus"] = round(watch.foreign_cpus(), 2)
        document["disturbed"] = document["foreign_cpus"] > os.cpu_count() - threads + 0.1
        if not document["disturbed"]:
            break
        print(f"  disturbed: others took {document['foreign_cpus']} CPUs", file=sys.stderr, flush=True)
    return document
