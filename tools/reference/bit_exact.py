#!/usr/bin/python3
"""Whether nets in fixed point say the same, to the bit, whatever computes them: every table of kernels on this machine, and NumPy.

    bit_exact.py runs/mnist_riscv/1/*.safetensors

Runs `nnrun eval --outputs` once for each net of integers and each table, the emulated ones too (riscv, rvv128, rvv256, rvv512: minutes for
all of MNIST), and fixed_point.py, and compares all outputs of all test samples with those of the scalar kernels. Fails where bits differ,
and where a layer of integers ran on another table than the one asked for. Nets of floats are passed over.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TABLES = ("avx2", "avx512", "avx512_vnni", "riscv", "rvv128", "rvv256", "rvv512")
# What emulated processors leave to the host: where floats become integers.
OF_THE_HOST = {"f32_to_u8"}
# Each table has the kernels that it makes faster; these have all kernels of integers.
WHOLE = ("riscv", "rvv128", "rvv256", "rvv512")


class Comparison:
    def __init__(self, options):
        self.nnrun, self.data, self.numpy = options.nnrun, options.data, options.numpy
        known = self.json("kernels")["kernels"]
        there = {provider["table"] for kernel in known for provider in kernel["providers"]}
        self.tables = [table for table in options.tables.split(",") if table in there]

    def json(self, *words):
        return json.loads(subprocess.run([self.nnrun, *words, "--json"], check=True, stdout=subprocess.PIPE, text=True).stdout)

    def outputs(self, checkpoint, table, folder):
        file = pathlib.Path(folder) / f"{table}.npy"
        data = ["--data", self.data] if self.data else []
        result = self.json("eval", checkpoint, "--outputs", str(file), f"run.kernels={table}", *data)
        for layer in result["layers"] if table in WHOLE else []:
            for kernel in layer["kernels"]:
                name, of = re.fullmatch(r"(\w+) \((\w+).*\)", kernel).groups()
                if name not in OF_THE_HOST and of != table:
                    raise SystemExit(f"{checkpoint}: {layer['name']} ran {kernel} under run.kernels={table}")
        return file.read_bytes(), result["samples"]

    def compare(self, checkpoint):
        """Whether all are the same; None of a net of floats."""
        if not any(layer["name"].endswith("fixed_output") for layer in self.json("plan", checkpoint)["layers"]):
            return None
        with tempfile.TemporaryDirectory() as folder:
            expected, samples = self.outputs(checkpoint, "scalar", folder)
            different = [table for table in self.tables if self.outputs(checkpoint, table, folder)[0] != expected]
            same = ["scalar"] + [table for table in self.tables if table not in different]
            if self.numpy:
                data = ["--data", str(pathlib.Path(self.data) / "mnist")] if self.data else []
                reference = pathlib.Path(__file__).with_name("fixed_point.py")
                done = subprocess.run([sys.executable, reference, checkpoint, f"{folder}/scalar.npy", *data], stdout=subprocess.PIPE)
                (same if done.returncode == 0 else different).append("NumPy")
        print(f"{checkpoint}: {samples:,} samples, SHA-256 of all outputs {hashlib.sha256(expected).hexdigest()[:16]}\n  same bits: {', '.join(same)}")
        if different:
            print(f"  OTHER BITS: {', '.join(different)}")
        sys.stdout.flush()
        return not different


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--nnrun", default=os.environ.get("NNRUN_PROGRAM", "nnrun"))
    parser.add_argument("--tables", default=",".join(TABLES), help="beside scalar; those that this machine lacks are left out")
    parser.add_argument("--data", help="as nnrun takes it; NumPy reads mnist/ in it")
    parser.add_argument("--no-numpy", dest="numpy", action="store_false", help="the tables alone")
    comparison = Comparison(parser.parse_args())
    results = [comparison.compare(checkpoint) for checkpoint in parser.parse_args().checkpoints]
    if all(result is None for result in results):
        raise SystemExit("none of these is a net of integers")
    sys.exit(1 if False in results else 0)


if __name__ == "__main__":
    main()
