"""Nets of integers on RISC-V: the same bits as everywhere else, every layer of integers on the engine, and what it takes in instructions."""

import json
import random
import shutil
import struct
import subprocess
import sys

import harness

SCHEMES = "[q16_16, q16_16_low, q12, q8, int8, {int8: {per_channel: false}}, {int8: {weight_bits: 4}}]"
FILES = ["q16_16", "q16_16_low", "q12", "q8", "int8", "int8-2", "int8-3"]
CONFIG = """
data:
  source: idx
  train: mnist/train
  test: mnist/t10k
  transforms: [{scale: {divide_by: 255}}]
model:
  layers: %s
train:
  epochs: 1
  batch: 20
  loss: softmax_cross_entropy
  optimizer: adam
  metrics: [accuracy]
run: {threads: 1}
"""
PERCEPTRON = "[flatten, {dense: {units: 22}}, relu, {dense: {units: 10}}]"
CONVOLUTIONS = (
    "[{conv2d: {filters: 3, kernel: 3, stride: 2, padding: same, bias: false}}, batchnorm, relu, {maxpool2d: {size: 2}},"
    " {conv2d: {filters: 5, kernel: 3}}, relu, flatten, {dense: {units: 10}}]"
)
EMULATED = ["riscv", "rvv128", "rvv256", "rvv512"]


def python_with_numpy():
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 0:
            return python
    return None


def write_test_images(folder, count, side=28):
    """Half of them digits' bars, half of them noise from the blackest to the whitest: what is proved and clipped is for any picture."""
    numbers = random.Random(5)
    images = (folder / "t10k-images-idx3-ubyte").read_bytes()[: 16 + count // 2 * side * side]
    noise = bytes(numbers.choice((0, 255, numbers.randrange(256))) for _ in range((count - count // 2) * side * side))
    (folder / "t10k-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, count, side, side) + images[16:] + noise)


class Riscv(harness.Case):
    def setUp(self):
        super().setUp()
        tables = {entry["table"] for kernel in json.loads(self.nnrun("kernels", "--json").stdout)["kernels"] for entry in kernel["providers"]}
        if "riscv" not in tables:
            self.skipTest("built without RISC-V kernels")
        self.tables = [t for t in ("avx2", "avx512", "avx512_vnni") if t in tables]
        self.emulated = [t for t in EMULATED if t in tables and (t == "riscv" or shutil.which("qemu-riscv64"))]
        self.environment["NNRUN_DATA"] = str(self.folder)
        harness.write_idx(self.folder / "mnist", "train", 240)
        harness.write_idx(self.folder / "mnist", "t10k", 24)
        write_test_images(self.folder / "mnist", 24)

    def quantized(self, layers, schemes):
        config = self.folder / "net.yaml"
        config.write_text(CONFIG % layers)
        self.nnrun(config, f"quantize={schemes}")
        return self.run_folder(config)

    def check_bits(self, folder, files):
        python = python_with_numpy()
        numpy = [] if python else ["--no-numpy"]
        tables = self.tables + self.emulated
        words = [harness.PROJECT / "tools/reference/bit_exact.py", *numpy, "--tables", ",".join(tables), *(folder / f"{f}.safetensors" for f in files)]
        done = subprocess.run([python or sys.executable, *map(str, words)], env=self.environment | {"NNRUN_PROGRAM": harness.PROGRAM},
                              cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        same = ", ".join(["scalar", *tables] + (["NumPy"] if python else []))
        self.assertEqual(done.stdout.count(f"  same bits: {same}\n"), len(files), done.stdout)
        self.assertEqual(done.stdout.count(": 24 samples, "), len(files), done.stdout)

    def test_bits_of_a_perceptron(self):
        self.check_bits(self.quantized(PERCEPTRON, SCHEMES), FILES)

    def test_bits_of_convolutions(self):
        self.check_bits(self.quantized(CONVOLUTIONS, SCHEMES), FILES)

    def test_bits_that_differ_are_found(self):
        # The comparison itself: another net's outputs are not the same.
        python = python_with_numpy()
        if not python:
            self.skipTest("no NumPy")
        folder = self.quantized(PERCEPTRON, "[int8, q12]")
        self.nnrun("eval", folder / "q12.safetensors", "--outputs", "q12.npy")
        reference = harness.PROJECT / "tools/reference/fixed_point.py"
        done = subprocess.run([python, reference, folder / "int8.safetensors", "q12.npy"], env=self.environment, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("24 images, 24 with other bits", done.stdout)

    def test_plan_and_eval_say_which_kernels_run(self):
        folder = self.quantized(CONVOLUTIONS, "[int8]")
        plan = json.loads(self.nnrun("plan", folder / "int8.safetensors", "run.kernels=riscv", "--json").stdout)
        expected = {"0.fixed_input": ["f32_to_u8 (scalar)"], "1.fixed_conv2d": ["conv2d_s8 (riscv)"], "2.requantize": ["requantize (riscv)"],
                    "3.fixed_maxpool2d": ["maxpool2d_u8 (riscv)"], "4.fixed_conv2d": ["conv2d_s8 (riscv)"], "5.requantize": ["requantize (riscv)"],
                    "6.flatten": [], "7.fixed_dense": ["matmul_s8 (riscv)"], "8.fixed_output": []}
        self.assertEqual({layer["name"]: layer["kernels"] for layer in plan["layers"]}, expected)
        self.assertEqual(plan["parameters"], 3 * 9 + 3 + 2 * 3 + 5 * 27 + 5 + 2 * 5 + 125 * 10 + 10)
        result = json.loads(self.nnrun("eval", folder / "int8.safetensors", "run.kernels=riscv", "--json").stdout)
        self.assertEqual({layer["name"]: layer["kernels"] for layer in result["layers"]}, expected)
        self.assertIn("\nkernels: f32_to_u8 (scalar), conv2d_s8 (riscv), requantize (riscv), maxpool2d_u8 (riscv), matmul_s8 (riscv)\n",
                      self.nnrun("eval", folder / "int8.safetensors", "run.kernels=riscv").stdout)

    def test_the_configs(self):
        for config, schemes in (("mnist_riscv", 5), ("mnist_cnn_int8", 1)):
            with self.subTest(config):
                # A few digits of the test's own, one epoch: the recipes are for real ones.
                self.nnrun(harness.PROJECT / f"configs/{config}.yaml", "train.epochs=1", "train.batch=16", "run.threads=1")
                folder = self.run_folder(config)
                figures = json.loads((folder / "quantization.json").read_text())
                self.assertEqual([f["quantized"]["samples"] for f in figures], [24] * schemes)
                for f in figures:
                    result = json.loads(self.nnrun("eval", folder / f["checkpoint"], "run.kernels=riscv", "--json").stdout)
                    self.assertEqual(result["accuracy"], f["quantized"]["accuracy"], f["checkpoint"])
                    # The loss is of floats: only with the same kernels has it the same bits.
                    scalar = json.loads(self.nnrun("eval", folder / f["checkpoint"], "run.kernels=scalar", "--json").stdout)
                    self.assertEqual(result["loss"], scalar["loss"], f["checkpoint"])
                    self.assertEqual({k for layer in result["layers"] for k in layer["kernels"] if not k.endswith(" (riscv)")}, {"f32_to_u8 (scalar)"})

    def check_profile(self, profile):
        kinds = ["arithmetic", "multiply", "load", "store", "branch", "jump", "system"]
        total = profile["total"]["instructions"]
        self.assertGreater(total, 0)
        for rows in ([profile["total"]], profile["layers"], profile["functions"]):
            self.assertEqual(sum(row["instructions"] for row in rows), total)
            for row in rows:
                self.assertEqual(sum(row[kind] for kind in kinds), row["instructions"], row["name"] if "name" in row else "total")
        for f in profile["functions"]:
            self.assertEqual(f["reached"] + len(f["never_reached"]), f["instructions_of_code"])
            loop = f["hottest_loop"]
            self.assertEqual(sum(line["count"] for line in loop["lines"]), loop["instructions"])
            self.assertLessEqual(loop["instructions"], f["instructions"])
            addresses = [line["address"] for line in loop["lines"]]
            self.assertEqual(addresses, sorted(set(addresses)))

    def test_profile(self):
        folder = self.quantized(PERCEPTRON, "[q16_16]")
        model = folder / "q16_16.safetensors"
        profile = json.loads(self.nnrun("profile", model, "--index", "3", "--json").stdout)
        self.check_profile(profile)
        self.assertEqual((profile["kernels"], profile["sample"]), ("riscv", 3))
        counts = {layer["name"]: layer["instructions"] for layer in profile["layers"]}
        self.assertEqual(counts["0.fixed_input"], 0)  # the host's
        dense = next(layer for layer in profile["layers"] if layer["name"] == "3.fixed_dense")
        # 784 * 22 products: a mul and a mulh each, a weight each, and every x for four of them and for each of the two left over.
        self.assertEqual(dense["multiply"], 2 * 784 * 22)
        self.assertGreaterEqual(dense["load"], 784 * (22 + 5 + 2))
        self.assertEqual(profile["functions"][0]["name"], "matmul_q16")
        self.assertIn("mulh", " ".join(line["text"] for line in profile["functions"][0]["hottest_loop"]["lines"]))
        self.assertEqual(profile, json.loads(self.nnrun("profile", model, "--index", "3", "--json").stdout))  # exact: the same each time

        text = self.nnrun("profile", model).stdout
        self.assertRegex(text, r"\n3\.fixed_dense +matmul_q16 \(riscv\) +[\d,]+ ")
        self.assertIn("the hottest loop, in matmul_q16: ", text)
        self.assertRegex(text, r"\nmatmul_q16 +[0-9a-f]+ li a0,1 ")  # what refuses bad dimensions

    def test_profile_of_convolutions(self):
        folder = self.quantized(CONVOLUTIONS, "[int8]")
        for table in self.emulated:
            with self.subTest(table):
                profile = json.loads(self.nnrun("profile", folder / "int8.safetensors", f"run.kernels={table}", "--json").stdout)
                self.check_profile(profile)
                self.assertEqual({f["name"] for f in profile["functions"]}, {"conv2d_s8", "matmul_s8", "maxpool2d_u8", "requantize"})

    def test_what_profile_refuses(self):
        folder = self.quantized(PERCEPTRON, "[int8]")
        model = folder / "int8.safetensors"
        self.assertIn("the kernels 'scalar' cannot count their instructions", self.nnrun("profile", model, "run.kernels=scalar", code=1).stderr)
        self.assertIn("there is no test sample 24: there are 24", self.nnrun("profile", model, "--index", "24", code=1).stderr)
        self.assertIn("no kernel of 'riscv' ran: it has those for integers", self.nnrun("profile", folder / "last.safetensors", code=1).stderr)


if __name__ == "__main__":
    harness.main()
