"""What the end-to-end tests share: running nnrun in a folder of its own, and reading what a run leaves."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = os.environ.get("NNRUN_PROGRAM", "")
HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
CONFIGS = HERE / "configs"
PLAIN = str(CONFIGS / "plain.yaml")
RICH = str(CONFIGS / "rich.yaml")
AVERAGED = str(CONFIGS / "averaged.yaml")
STAND_INS = str(CONFIGS / "stand_ins.yaml")
SLOW_STEP = str(CONFIGS / "slow_step.yaml")

# Only against a program that hangs; sanitizers are slow.
PATIENCE = 900

# What differs between two runs of the same.
TIMES = {"seconds", "samples_per_s", "seconds_left"}

SKIPPED = 77


def clean_environment(**more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NNRUN_") and k not in ("NO_COLOR", "TERM")}
    # Tests share the CPUs with each other: threads that wait shall not spin.
    environment["OMP_WAIT_POLICY"] = "passive"
    environment.update(more)
    return environment


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nnrun_e2e_"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = clean_environment()

    def start(self, *words, **options):
        """nnrun in the background; ended with the test at the latest."""
        options.setdefault("env", self.environment)
        options.setdefault("stdout", subprocess.PIPE)
        process = subprocess.Popen(
            [PROGRAM, *map(str, words)],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def nnrun(self, *words, code=0, **options):
        """Runs nnrun to its end and checks its exit code."""
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, code, f"nnrun {' '.join(map(str, words))}\n{out}\n{err}")
        return subprocess.CompletedProcess(words, process.returncode, out or "", err)

    def wait_for(self, condition, process):
        """Until `condition` holds; fails where the process ends before."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if process.poll() is not None and not condition():
                self.fail(f"nnrun ended too early: {process.communicate()}")
            self.assertLess(time.monotonic(), end, "nnrun hangs")
            time.sleep(0.002)

    def run_folder(self, config, number=1, root="runs"):
        return self.folder / root / pathlib.Path(config).stem / str(number)

    def rows(self, folder, event=None):
        """The rows of metrics.jsonl, without what is of the clock."""
        text = (folder / "metrics.jsonl").read_text()
        self.assertTrue(text.endswith("\n"), "metrics.jsonl ends in the middle of a row")
        rows = [json.loads(line) for line in text.splitlines()]
        return [without_times(row) for row in rows if event in (None, row["event"])]

    def figures(self, folder):
        """What two runs of the same must have in common, one of them continued with more epochs or not."""
        rows = [row for row in self.rows(folder) if row["event"] in ("batch", "epoch", "test")]
        return [{key: value for key, value in row.items() if key not in ("steps", "epochs")} for row in rows]

    def check_same_run(self, folder, expected):
        """Rows and weights are equal; else the first row that is not."""
        figures, others = self.figures(folder), self.figures(expected)
        for row, other in zip(figures, others):
            self.assertEqual(row, other)
        self.assertEqual(len(figures), len(others))
        self.assertTrue(self.weights(folder) == self.weights(expected), "the weights differ")

    def verdict(self, folder):
        tests = self.rows(folder, "test")
        self.assertEqual(len(tests), 1, tests)
        return tests[0]

    def weights(self, folder, name="last.safetensors"):
        return read_safetensors(folder / name)[1]


def without_times(row):
    return {key: value for key, value in row.items() if key not in TIMES}


DTYPE_BYTES = {"F32": 4, "I32": 4, "I8": 1, "U8": 1}


def read_safetensors(path):
    """(metadata, {name: (shape, bytes)}): the format as it is published, nothing of nnrun's but the checksum."""
    raw = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length].decode())
    data = raw[8 + length :]
    metadata = header.pop("__metadata__", {})
    tensors, ends = {}, []
    for name, entry in header.items():
        assert entry["dtype"] in DTYPE_BYTES, name
        begin, end = entry["data_offsets"]
        count = 1
        for size in entry["shape"]:
            count *= size
        assert end - begin == DTYPE_BYTES[entry["dtype"]] * count, name
        tensors[name] = (tuple(entry["shape"]), data[begin:end])
        ends.append((begin, end))
    at = 0
    for begin, end in sorted(ends):
        assert begin == at, "a hole, or an overlap"
        at = end
    assert at == len(data), "bytes behind the last tensor"
    given = metadata.pop("checksum")
    canonical = json.dumps({"__metadata__": metadata, **header}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(canonical.encode() + data).hexdigest() == given, "the checksum is wrong"
    return metadata, tensors


def write_idx(folder, stem, count, side=28):
    """`count` pictures with a bright bar in a row that tells the label: easy to learn, and not drawn by nnrun."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = bytearray()
    for i in range(count):
        label = i % 10
        for row in range(side):
            value = 200 + (i * 7 + row) % 50 if row // 2 == label + 1 else (i * 13 + row * 5) % 20
            pixels += bytes([value]) * side
    images = struct.pack(">IIII", 0x803, count, side, side) + bytes(pixels)
    labels = struct.pack(">II", 0x801, count) + bytes(i % 10 for i in range(count))
    (folder / f"{stem}-images-idx3-ubyte").write_bytes(images)
    (folder / f"{stem}-labels-idx1-ubyte").write_bytes(labels)


def write_pgm(path, label=3, side=28):
    rows = [bytes([220 if row // 2 == label + 1 else 5]) * side for row in range(side)]
    path.write_bytes(f"P5\n# a comment\n{side} {side}\n255\n".encode() + b"".join(rows))


def mnist_folder():
    """The data root with the real MNIST, or None."""
    root = os.environ.get("NNRUN_DATA", "")
    names = [f"{part}-ubyte.gz" for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")]
    if root and all((pathlib.Path(root) / "mnist" / name).exists() for name in names):
        return root
    return None


def limit_file_size(size):
    """For preexec_fn: no file may grow beyond `size` bytes, and writing more is an error, as on a full disk."""
    import resource

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def main():
    if not PROGRAM:
        sys.exit("NNRUN_PROGRAM must name the nnrun to test; ctest sets it")
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun and len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)
