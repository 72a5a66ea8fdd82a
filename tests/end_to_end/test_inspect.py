"""nnrun inspect: weights and activations of a checkpoint, as figures, .npy files and pictures."""

import base64
import json
import struct

import harness
from harness import PLAIN, RICH
from test_report import read_png
from test_trace import npy, read_npy


class Inspect(harness.Case):
    def model(self, config=PLAIN):
        self.nnrun(config, "train.epochs=1", "run.observers=[metrics]")
        return self.run_folder(config) / "last.safetensors"

    def png(self, name):
        return read_png("data:image/png;base64," + base64.b64encode((self.folder / name).read_bytes()).decode())

    def test_all_weights(self):
        model = self.model(RICH)
        out = self.nnrun("inspect", model).stdout
        for name in ("1.dense.weights", "2.batchnorm.running_variance", "7.dense.bias"):
            self.assertIn(f"\n{name} ", out)
        self.assertNotIn("optimizer", out)
        self.assertIn("█", out)
        document = json.loads(self.nnrun("inspect", model, "--json").stdout)
        weights = {name: value for name, value in self.weights(model.parent).items() if not name.startswith("optimizer")}
        self.assertEqual({t["name"]: tuple(t["shape"]) for t in document["tensors"]}, {n: shape for n, (shape, _) in weights.items()})
        for tensor in document["tensors"]:
            values = struct.unpack(f"<{tensor['count']}f", weights[tensor["name"]][1])
            self.assertEqual((tensor["min"], tensor["max"]), (min(values), max(values)))
            self.assertAlmostEqual(tensor["mean"], sum(values) / len(values), 6)
            self.assertEqual(tensor["zeros"], values.count(0))
            self.assertEqual(sum(tensor["histogram"]), tensor["count"])

    def test_one_layer_and_one_tensor(self):
        model = self.model()
        out = self.nnrun("inspect", model, "3.dense").stdout
        self.assertIn("3.dense.weights, 240 numbers", out)
        self.assertIn("3.dense.bias, 10 numbers", out)
        self.assertNotIn("1.dense", out)
        self.assertNotIn("bias", self.nnrun("inspect", model, "3.dense.weights").stdout)

    def test_npy(self):
        model = self.model()
        self.nnrun("inspect", model, "--npy", "out/weights")
        files = sorted(path.name for path in (self.folder / "out/weights").iterdir())
        self.assertEqual(files, ["1.dense.bias.npy", "1.dense.weights.npy", "3.dense.bias.npy", "3.dense.weights.npy"])
        shape, values = read_npy((self.folder / "out/weights/3.dense.weights.npy").read_bytes())
        self.assertEqual(shape, (24, 10))
        self.assertEqual(struct.pack("<240f", *values), self.weights(model.parent)["3.dense.weights"][1])

    def test_activations(self):
        model = self.model()
        (self.folder / "x.npy").write_bytes(npy((28, 28, 1), [k % 7 / 7 for k in range(784)]))
        for source in ("x.npy", "ones", "ramp"):
            out = self.nnrun("inspect", model, "--input", source).stdout
            self.assertIn(f"activations for {source}", out)
            self.assertIn("2.relu.output", out)
        document = json.loads(self.nnrun("inspect", model, "2.relu", "--input", "x.npy", "--json").stdout)
        self.assertEqual([tensor["name"] for tensor in document["tensors"]], ["2.relu.output"])
        trace = json.loads(self.nnrun("trace", model, "--inference", "--input", "x.npy", "--json").stdout)
        self.assertEqual(document["tensors"][0]["max"], next(t["max"] for t in trace["tensors"] if t["name"] == "2.relu.output"))

    def test_pictures(self):
        model = self.model()
        self.nnrun("inspect", model, "3.dense", "--picture", "weights.png")
        self.assertEqual(self.png("weights.png"), (10 + 2, 24 + 2, 3))
        self.nnrun("inspect", model, "input", "--input", "ones", "--picture", "input.png")
        self.assertEqual(self.png("input.png"), (28 + 2, 28 + 2, 3))
        self.assertIn("nothing here is a picture", self.nnrun("inspect", model, "3.dense.bias", "--picture", "x.png", code=1).stderr)
        self.assertFalse((self.folder / "x.png").exists())

    def test_wrong_words(self):
        model = self.model()
        self.assertIn("did you mean '3.dense'?", self.nnrun("inspect", model, "3.dens", code=1).stderr)
        self.assertIn("there are: 1.dense", self.nnrun("inspect", model, "zzzzzzzzzz", code=1).stderr)
        self.assertIn("besides", self.nnrun("inspect", model, "1.dense", "3.dense", code=1).stderr)
        self.assertIn("cannot read", self.nnrun("inspect", "missing.safetensors", code=1).stderr)
        self.assertIn("checkpoint", self.nnrun("inspect", PLAIN, code=1).stderr)
        (self.folder / "shape.npy").write_bytes(npy((28, 28), [0.0] * 784))
        self.assertIn("the net takes (28, 28, 1)", self.nnrun("inspect", model, "--input", "shape.npy", code=1).stderr)
        self.assertIn("cannot make the folder", self.nnrun("inspect", model, "--npy", "/proc/x", code=1).stderr)
        self.assertIn("cannot write", self.nnrun("inspect", model, "--picture", "/proc/x.png", code=1).stderr)
        self.nnrun("inspect", code=2)


if __name__ == "__main__":
    harness.main()
