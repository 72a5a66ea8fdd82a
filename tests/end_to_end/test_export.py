"""Nets as programs for elsewhere: C that any compiler takes, RISC-V assembly, a program for a bare machine, Venus, NumPy; all with the same
bits, and each of them says so itself."""

import json
import os
import re
import shutil
import struct
import subprocess
import unittest
import zipfile

import harness
from harness import PLAIN
from test_quantization import CONVOLUTIONS

SCHEMES = "[q16_16, q16_16_low, q12, int8, {int8: {per_channel: false}}]"
FILES = ["q16_16", "q16_16_low", "q12", "int8", "int8-2"]
RISCV = next((prefix for prefix in ("riscv64-linux-gnu-", "riscv64-unknown-elf-") if shutil.which(prefix + "as")), None)
RISCV_GCC = RISCV is not None and shutil.which(RISCV + "gcc") is not None
QEMU = shutil.which("qemu-system-riscv32")
RUN_VENUS = os.environ.get("NNRUN_RUN_VENUS")
COMPILERS = [compiler for compiler in ("gcc", "clang") if shutil.which(compiler)]


class Export(harness.Case):
    def train(self, *overrides):
        self.nnrun(PLAIN, *overrides, f"quantize={SCHEMES}")
        return self.run_folder(PLAIN)

    def run_command(self, *command, code=0, folder=None):
        done = subprocess.run([str(word) for word in command], cwd=folder or self.folder, capture_output=True, text=True, timeout=harness.PATIENCE)
        self.assertEqual(done.returncode, code, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def check_c(self, model):
        """Compiles it with everything that can be said against C99, and runs its vectors; then spoils it, to see that they tell."""
        self.nnrun("export", model, "{c99: {golden: 256}}")
        folder = model.parent / (model.stem + "-c99")
        strict = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
        self.assertTrue(COMPILERS)
        for compiler in COMPILERS:
            self.run_command(compiler, *strict, "net.c", "net_self_test.c", "-o", "self_test", folder=folder)
            self.assertEqual(self.run_command("./self_test", folder=folder), "256 of 256 golden vectors\n")
        # Nothing is asked of a library.
        self.run_command(COMPILERS[0], "-std=c99", "-O2", "-ffreestanding", "-fno-tree-loop-distribute-patterns", "-c", "net.c", folder=folder)
        self.assertEqual(self.run_command("nm", "-u", "net.o", folder=folder), "")
        source = (folder / "net.c").read_text()
        spoilt = re.sub(r"(static const \w+ bias_\d+\[\d+\] = \{\n  )-?[\d.e+-]+f?", r"\g<1>1000000", source, count=1)
        self.assertNotEqual(spoilt, source)
        (folder / "net.c").write_text(spoilt)
        self.run_command(COMPILERS[0], "-std=c99", "-O2", "net.c", "net_self_test.c", "-o", "self_test", folder=folder)
        self.run_command("./self_test", code=1, folder=folder)

    def check_assembly(self, model, golden):
        out = self.nnrun("export", model, f"{{riscv_assembly: {{golden: {golden}}}}}").stdout
        folder = model.parent / (model.stem + "-riscv_assembly")
        if RUN_VENUS:
            self.assertRegex(out, rf"{golden} golden vectors came out to the bit, [\d,]+( to [\d,]+)? instructions an inference, \d+ bytes of stack")
        # What is written assembles and links as it is.
        for file in ("net", "net_self_test"):
            self.run_command(RISCV + "as", "-march=rv32im", "-mabi=ilp32", f"{file}.S", "-o", f"{file}.o", folder=folder)
        self.run_command(RISCV + "ld", "-m", "elf32lriscv", "--no-relax", "-T", "net.ld", "net.o", "net_self_test.o", "-o", "net.elf", folder=folder)
        self.check_machine(folder / "net.elf", golden)
        self.nnrun("export", model, "riscv_elf", "--output", self.folder / "elf")
        self.assertTrue(os.access(self.folder / "elf/net.elf", os.X_OK))
        self.check_machine(self.folder / "elf/net.elf", 200)

    def check_machine(self, program, golden):
        if not QEMU:
            return
        out = self.run_command(QEMU, "-M", "virt", "-bios", "none", "-nographic", "-monitor", "none", "-kernel", program)
        self.assertEqual(out, f"{golden} of {golden} golden vectors\n")

    def check_venus(self, model):
        self.nnrun("export", model, "{venus: {golden: 3}}", "--output", self.folder / "venus")
        text = (self.folder / "venus/net.s").read_text()
        # What all versions of Venus know: an instruction or a directive a line, no computed operands.
        self.assertEqual(set(re.findall(r"^\s*(\.\w+)", text, re.MULTILINE)), {".text", ".data", ".globl", ".word"})
        for line in text.splitlines():
            code = line.split("#")[0]
            self.assertNotRegex(code, r";|<<|\*|//", line)
        if not RUN_VENUS:
            return
        folder = self.folder / "venus"
        self.run_command(RISCV + "as", "-march=rv32im", "-mabi=ilp32", "net.s", "-o", "net.o", folder=folder)
        self.run_command(RISCV + "ld", "-m", "elf32lriscv", "--no-relax", "-Ttext=0x10000", "-e", "main", "net.o", "-o", "net", folder=folder)
        self.assertEqual(self.run_command(RUN_VENUS, "net", folder=folder), "3 of 3 golden vectors\n")
        # One number of the last vector is spoilt: the program says so, and ends with 1.
        spoilt = re.sub(r"  \.word (-?\d+)\n*\Z", "  .word 123456789\n", text)
        (folder / "net.s").write_text(spoilt)
        self.run_command(RISCV + "as", "-march=rv32im", "-mabi=ilp32", "net.s", "-o", "net.o", folder=folder)
        self.run_command(RISCV + "ld", "-m", "elf32lriscv", "--no-relax", "-Ttext=0x10000", "-e", "main", "net.o", "-o", "net", folder=folder)
        self.assertEqual(self.run_command(RUN_VENUS, "net", folder=folder, code=1), "2 of 3 golden vectors\n")

    def check_all(self, folder, files=FILES):
        for name in files:
            with self.subTest(name):
                model = folder / f"{name}.safetensors"
                self.check_c(model)
                if RISCV:
                    self.check_assembly(model, 5)
                self.check_venus(model)

    def test_a_perceptron(self):
        self.check_all(self.train())

    def test_convolutions(self):
        self.check_all(self.train(f"model.layers={CONVOLUTIONS}"), ["q16_16", "int8", "int8-2"])

    def test_windows_groups_and_numbers_around_zero(self):
        # Zero points, padding on one side, strides, groups, dilation: bytes that stand for zero outside of the picture.
        layers = (
            "[{conv2d: {filters: 6, kernel: [3, 2], padding: [1, 0, 1, 0]}}, relu, {conv2d: {filters: 9, kernel: 3, stride: [2, 1], groups: 3, dilation: [1, 2]}},"
            " relu, {maxpool2d: {size: 3, stride: 2, padding: 1}}, flatten, {dense: {units: 10}}]"
        )
        self.check_all(
            self.train("data.transforms=[{scale: {divide_by: 255}}, {normalize: {mean: 0.25, deviation: 0.4}}]", f"model.layers={layers}"),
            ["q16_16_low", "q12", "int8"],
        )

    def test_floats(self):
        self.nnrun(PLAIN, f"model.layers={CONVOLUTIONS}")
        self.check_c(self.run_folder(PLAIN) / "last.safetensors")
        self.nnrun(PLAIN, "model.layers=[flatten, {dense: {units: 12, bias: false}}, relu, {dense: {units: 10}}, batchnorm]")
        self.check_c(self.run_folder(PLAIN, 2) / "last.safetensors")

    @staticmethod
    def shape_of(array):
        """Of a .npy file's bytes."""
        return [int(number) for number in re.search(rb"'shape': \(([^)]*)\)", array).group(1).decode().replace(" ", "").split(",") if number]

    def test_numpy(self):
        folder = self.train()
        for model in ("last", "int8"):
            self.nnrun("export", folder / f"{model}.safetensors", "{npz: {golden: 7, called: arrays}}", "--output", self.folder / model)
            tensors = self.weights(folder, f"{model}.safetensors")
            with zipfile.ZipFile(self.folder / model / "arrays.npz") as archive:
                self.assertIsNone(archive.testzip())
                arrays = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
            self.assertIn("input", arrays)
            for name, (shape, data) in tensors.items():
                if name.startswith("optimizer."):
                    continue
                array = arrays[name]
                (length,) = struct.unpack("<H", array[8:10])
                self.assertTrue(array[10 + length :] == data, name)
                self.assertEqual(self.shape_of(array), list(shape))
            outputs = [name for name in arrays if name.endswith(".output")]
            self.assertGreater(len(outputs), 3)
            self.assertEqual(self.shape_of(arrays["0.flatten.output" if model == "last" else "1.flatten.output"]), [7, 784])

    @unittest.skipUnless(RISCV_GCC and RUN_VENUS, "needs a compiler for RISC-V and nnrun's engine")
    def test_what_a_microcontroller_needs(self):
        folder = self.train("model.layers=[flatten, {dense: {units: 128}}, relu, {dense: {units: 10}}]", "train.epochs=1")
        for name, constants, memory in (("q16_16", 4 * (784 * 128 + 128 * 10 + 138), 4 * (784 + 128)), ("int8", 784 * 128 + 128 * 10 + 4 * (138 + 2 * 128), 4 * 128 + 128)):
            out = self.nnrun("export", folder / f"{name}.safetensors", "c99", "riscv_assembly").stdout
            self.assertIn(f"constants: {constants:,} bytes of flash; layers' results: {memory:,} bytes of RAM; no heap", out)
            sizes = re.findall(r"RV32IMAC, gcc (-O\w): ([\d,]+) bytes of code, ([\d,]+) bytes of stack, ([\d,]+)", out)
            self.assertEqual([size[0] for size in sizes], ["-Os", "-O2", "-O3"])
            self.assertLess(int(sizes[0][1].replace(",", "")), 8192)
            hand_written = int(re.search(r"came out to the bit, ([\d,]+)", out.split("riscv_assembly:")[1]).group(1).replace(",", ""))
            for size in sizes:
                self.assertLess(hand_written, int(size[3].replace(",", "")), "the compiler beats our assembly")

    @unittest.skipUnless(RISCV_GCC and RUN_VENUS, "needs a compiler for RISC-V and nnrun's engine")
    def test_instructions_and_bytes_compared_with_compiled_c(self):
        """784-128-10, to the last instruction and byte. All weights are equal, so that no machine's rounding shows."""
        dense = "{dense: {units: %d, bias: false, weights: {constant: {value: 0.01}}}}"
        self.nnrun(PLAIN, f"model.layers=[flatten, {dense % 128}, relu, {dense % 10}]", "train.optimizer={sgd: {learning_rate: 1.0e-30}}",
                   "train.epochs=1", "quantize=[q16_16, int8]")
        version = self.run_command(RISCV + "gcc", "-dumpfullversion").strip()
        measured = {"compiler": f"gcc {version}"}
        for name in ("q16_16", "int8"):
            out = self.nnrun("export", self.run_folder(PLAIN) / f"{name}.safetensors", "c99", "riscv_assembly").stdout
            rows = re.findall(r"RV32IMAC, (gcc -O\w): ([\d,]+) bytes of code, .*?, ([\d,]+) instructions an inference", out)
            rows.append(("hand-written", re.search(r"RV32IM: ([\d,]+) bytes of code", out).group(1), re.search(r"to the bit, ([\d,]+) instructions", out).group(1)))
            measured[name] = {way: {"bytes": int(size.replace(",", "")), "instructions": int(count.replace(",", ""))} for way, size, count in rows}
        golden = json.loads((harness.PROJECT / "tests/golden/compiled.json").read_text())
        if golden["compiler"] != measured["compiler"]:  # another compiler's code: ours alone is compared
            for figures in (golden, measured):
                figures["compiler"] = ""
                for name in ("q16_16", "int8"):
                    figures[name] = figures[name]["hand-written"]
        # Where code was changed on purpose, this is the new file.
        self.assertEqual(measured, golden, json.dumps(measured, indent=2))

    def test_without_tools(self):
        folder = self.train()
        self.environment["PATH"] = "/nonexistent"
        out = self.nnrun("export", folder / "int8.safetensors", "c99", "riscv_assembly").stdout
        self.assertIn("there is no compiler (Debian: gcc-riscv64-linux-gnu)", out)
        self.assertIn("there is no assembler (Debian: binutils-riscv64-linux-gnu)", out)
        self.assertIn("there is no RISC-V as on this machine", self.nnrun("export", folder / "int8.safetensors", "riscv_elf", code=2).stderr)
        self.assertFalse((folder / "int8-riscv_elf").exists())

    def test_what_is_refused(self):
        folder = self.train()
        model = folder / "int8.safetensors"
        self.assertIn("export to what?", self.nnrun("export", model, code=2).stderr)
        self.assertIn("unknown exporter 'cc'", self.nnrun("export", model, "cc", code=2).stderr)
        self.assertIn("is no identifier", self.nnrun("export", model, "{c99: {called: 7up}}", code=2).stderr)
        self.assertIn("golden", self.nnrun("export", model, "{c99: {golden: 0}}", code=2).stderr)
        self.assertIn("quantise it first", self.nnrun("export", folder / "last.safetensors", "venus", code=2).stderr)
        self.assertIn("nowhere.safetensors", self.nnrun("export", folder / "nowhere.safetensors", "c99", code=1).stderr)
        (self.folder / "file").write_text("mine")
        self.assertIn("file", self.nnrun("export", model, "c99", "--output", self.folder / "file", code=1).stderr)
        self.assertEqual((self.folder / "file").read_text(), "mine")
        self.nnrun(PLAIN, "model.layers=[flatten, {dense: {units: 12}}, sigmoid, {dense: {units: 10}}]")
        self.assertIn("2.sigmoid cannot be exported", self.nnrun("export", self.run_folder(PLAIN, 2) / "last.safetensors", "c99", code=2).stderr)


if __name__ == "__main__":
    harness.main()
