"""Nets of integers: made in a run and by the verb, tested again, the same bits on every instruction set, refused where they could wrap."""

import json

import harness
from harness import PLAIN

SCHEMES = "[q16_16, q16_16_low, q12, q8, int8, {int8: {per_channel: false}}, {int8: {weight_bits: 4}}]"
FILES = ["q16_16", "q16_16_low", "q12", "q8", "int8", "int8-2", "int8-3"]
CONVOLUTIONS = (
    "[{conv2d: {filters: 6, kernel: 3, padding: same}}, batchnorm, relu, {maxpool2d: {size: 2}}, {conv2d: {filters: 9, kernel: 3, stride: 2}},"
    " {maxpool2d: {size: 2}}, relu, dropout, flatten, {dense: {units: 20}}, relu, {dense: {units: 10}}]"
)


class Quantization(harness.Case):
    def figures(self, folder):
        return json.loads((folder / "quantization.json").read_text())

    def outputs(self, checkpoint, *overrides):
        file = self.folder / "outputs.npy"
        self.nnrun("eval", checkpoint, "--outputs", file, *overrides)
        return file.read_bytes()

    def check_all(self, folder):
        figures = self.figures(folder)
        self.assertEqual([f["checkpoint"] for f in figures], [name + ".safetensors" for name in FILES])
        for f in figures:
            with self.subTest(f["checkpoint"]):
                self.assertGreater(f["quantized"]["accuracy"], f["float"]["accuracy"] - (0.05 if f["checkpoint"] == "int8-3.safetensors" else 0.02))
                # Again, from the file alone.
                result = json.loads(self.nnrun("eval", folder / f["checkpoint"], "--json").stdout)
                self.assertEqual(result["accuracy"], f["quantized"]["accuracy"])
                self.assertEqual(result["loss"], f["quantized"]["loss"])
                # To the bit, whatever computes it.
                outputs = self.outputs(folder / f["checkpoint"], "run.kernels=scalar")
                for kernels in self.tables():
                    self.assertTrue(self.outputs(folder / f["checkpoint"], f"run.kernels={kernels}", "run.threads=3") == outputs, kernels)
                if f["scheme"] != "int8":
                    for change in f["changed"]:
                        self.assertLess(change["margin"], f["margin_bound"])
        self.assertIn("margin_bound", figures[0])

    def tables(self):
        tables = {entry["table"] for kernel in json.loads(self.nnrun("kernels", "--json").stdout)["kernels"] for entry in kernel["providers"]}
        return sorted(tables & {"avx2", "avx512", "avx512_vnni"}) + ["auto"]

    def test_a_perceptron(self):
        out = self.nnrun(PLAIN, f"quantize={SCHEMES}").stdout
        for scheme in ("q16_16", "q16_16_low", "q12", "q8", "int8"):
            self.assertIn(f"\n{scheme}: accuracy ", out)
        self.check_all(self.run_folder(PLAIN))

    def test_convolutions(self):
        self.nnrun(PLAIN, f"model.layers={CONVOLUTIONS}", f"quantize={SCHEMES}")
        self.check_all(self.run_folder(PLAIN))

    def test_inputs_that_are_no_pixels(self):
        # Around 0, so that bytes need a zero point, and places outside of the picture too.
        self.nnrun(PLAIN, "data.transforms=[{scale: {divide_by: 255}}, {normalize: {mean: 0.25, deviation: 0.4}}]", f"model.layers={CONVOLUTIONS}",
                   f"quantize={SCHEMES}")
        self.check_all(self.run_folder(PLAIN))

    def test_the_verb(self):
        self.nnrun(PLAIN)
        folder = self.run_folder(PLAIN)
        out = self.nnrun("quantize", folder / "last.safetensors", "int8", "{int8: {weight_bits: 6}}").stdout
        self.assertEqual(out.count("int8: accuracy"), 2)
        tensors = json.loads(self.nnrun("inspect", folder / "int8-2.safetensors", "--json").stdout)["tensors"]
        weights = next(t for t in tensors if t["name"] == "2.fixed_dense.weights")
        self.assertEqual(weights["shape"], [24, 784])
        self.assertLessEqual(max(-weights["min"], weights["max"]), 31)
        activations = json.loads(self.nnrun("inspect", folder / "int8-2.safetensors", "--input", "ones", "--json").stdout)["tensors"]
        bytes_in = next(t for t in activations if t["name"].startswith("0.fixed_input"))
        self.assertEqual((bytes_in["min"], bytes_in["max"]), (255, 255))
        bench = json.loads(self.nnrun("bench", folder / "int8.safetensors", "--seconds", "0.02", "--json").stdout)
        self.assertEqual([f["batch"] for f in bench["inference"]], [1, 16, 64])

    def test_what_is_refused(self):
        large = "model.layers=[flatten, {dense: {units: 24, weights: {constant: {value: 300}}}}, relu, {dense: {units: 10}}]"
        error = self.nnrun(PLAIN, large, "train.optimizer={sgd: {learning_rate: 1e-9}}", "quantize=[q16_16_low, int8]", code=2).stderr
        self.assertRegex(error, r"q16_16_low: 1\.dense cannot be proved not to overflow: a product can reach [\d.e+]+, the limit is 2\^31")
        figures = self.figures(self.run_folder(PLAIN))
        self.assertIn("refused", figures[0])
        self.assertIn("quantized", figures[1])  # the others get their turn

        error = self.nnrun(PLAIN, "model.layers=[flatten, {dense: {units: 24}}, sigmoid, {dense: {units: 10}}]", "quantize=[q16_16]", code=2).stderr
        self.assertIn("q16_16: 2.sigmoid cannot be had in fixed point", error)
        error = self.nnrun(PLAIN, "quantize=[q17]", code=2).stderr
        self.assertIn("unknown quantizer 'q17'", error)
        self.nnrun(PLAIN)
        model = self.run_folder(PLAIN, 3) / "last.safetensors"
        self.assertIn("names no scheme", self.nnrun("quantize", model, code=1).stderr)
        self.assertIn("unknown quantizer 'int9'", self.nnrun("quantize", model, "int9", code=2).stderr)
        self.nnrun("quantize", model, "int8")
        # A net of integers does not train.
        self.assertIn("cannot", self.nnrun("quantize", model.parent / "int8.safetensors", "int8", code=2).stderr)


if __name__ == "__main__":
    harness.main()
