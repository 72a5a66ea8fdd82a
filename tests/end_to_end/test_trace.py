"""nnrun trace: every tensor of a step, against the scalar kernels and against NumPy's files. NumPy itself is not needed."""

import json
import os
import struct
import zipfile

import harness
from harness import PLAIN, RICH

TEST_PLUGINS = os.environ["NNRUN_TEST_PLUGINS"]


def npy(shape, values, descr="<f4", order=False, version=1):
    kinds = {"<f4": "f", "<f8": "d", "|u1": "B", "<i8": "q", "|b1": "?"}
    text = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {tuple(shape)}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode() + struct.pack(f"<{len(values)}{kinds[descr]}", *values)


def read_npy(data):
    assert data[:8] == b"\x93NUMPY\x01\x00"
    (length,) = struct.unpack("<H", data[8:10])
    header = eval(data[10 : 10 + length].decode(), {})
    assert header["descr"] == "<f4" and not header["fortran_order"] and (10 + length) % 64 == 0
    count = 1
    for size in header["shape"]:
        count *= size
    assert len(data) == 10 + length + 4 * count
    return header["shape"], struct.unpack(f"<{count}f", data[10 + length :])


class Trace(harness.Case):
    def npz(self, name, compression=zipfile.ZIP_STORED, **arrays):
        with zipfile.ZipFile(self.folder / name, "w", compression) as file:
            for key, data in arrays.items():
                with file.open(key + ".npy", "w", force_zip64=True) as entry:  # as NumPy does
                    entry.write(data)
        return name

    def document(self, *words, **options):
        return json.loads(self.nnrun("trace", *words, "--json", **options).stdout)

    def test_what_it_prints(self):
        out = self.nnrun("trace", PLAIN).stdout
        self.assertIn("training sample 0 through the net; loss ", out)
        for name in ("input", "0.flatten.output", "2.relu.output", "3.dense.output_gradient", "1.dense.weights.gradient"):
            self.assertIn(f"\n{name} ", out)
        self.assertFalse((self.folder / "runs").exists())

    def test_against_scalar(self):
        for words in ([], ["--fused"], ["--inference"]):
            with self.subTest(words=words):
                document = self.document(RICH, "--batch", "16", "--against", "scalar", *words)
                self.assertNotIn("first_difference", document)
                names = [tensor["name"] for tensor in document["tensors"]]
                self.assertEqual("5.dense.output" in names, "--fused" not in words)
                self.assertEqual("1.dense.weights.gradient" in names, "--inference" not in words)
                for tensor in document["tensors"]:
                    self.assertLess(tensor["difference"], 1e-4)

    def test_a_model(self):
        self.nnrun(PLAIN)
        model = self.run_folder(PLAIN) / "last.safetensors"
        loss = self.document(model)["loss"]
        self.assertLess(loss, self.document(PLAIN)["loss"])
        document = self.document(model, "--input", "ones", "--against", "scalar")
        self.assertNotIn("loss", document)
        self.assertIn("loss", self.document(model, "--input", "ones", "--label", "3"))

    def test_save_and_compare(self):
        self.nnrun("trace", PLAIN, "--save", "all.npz")
        with zipfile.ZipFile(self.folder / "all.npz") as file:
            self.assertIsNone(file.testzip())
            arrays = {name.removesuffix(".npy"): read_npy(file.read(name)) for name in file.namelist()}
        self.assertEqual(arrays["input"][0], (1, 28, 28, 1))
        self.assertEqual(arrays["1.dense.weights"][0], (784, 24))
        output = arrays["2.relu.output"]
        self.assertEqual(output[0], (1, 24))
        # Input and weights are taken from the file: another seed makes no difference.
        gradients = ("1.dense.", "3.dense.", "input", "0.flatten.output", "2.relu.output")
        forward = {k: npy(*v) for k, v in arrays.items() if k.startswith(gradients) and "gradient" not in k}
        self.npz("same.npz", zipfile.ZIP_DEFLATED, **forward)
        out = self.nnrun("trace", PLAIN, "--against", "same.npz", "seed=99").stdout
        self.assertIn("with 4 weights of same.npz", out)
        self.assertIn("no difference above 0.0001", out)
        # One number changed is found, by tensor, index and both values.
        changed = list(output[1])
        changed[17] += 0.5
        self.npz("changed.npz", **{**forward, "2.relu.output": npy(output[0], changed)})
        document = self.document(PLAIN, "--against", "changed.npz", code=1)
        difference = document["first_difference"]
        self.assertEqual((difference["tensor"], difference["index"], difference["count"]), ("2.relu.output", [0, 17], 1))
        self.assertAlmostEqual(difference["value"], output[1][17], 5)
        self.assertAlmostEqual(difference["expected"], changed[17], 5)
        out = self.nnrun("trace", PLAIN, "--against", "changed.npz", code=1).stdout
        self.assertIn("first difference: 2.relu.output [0, 17] is ", out)
        self.assertIn("1 numbers of this tensor differ", out)
        self.nnrun("trace", PLAIN, "--against", "changed.npz", "--tolerance", "100")

    def test_npy_files(self):
        shape = (28, 28, 1)
        ramp = [k % 251 for k in range(784)]
        (self.folder / "f8.npy").write_bytes(npy(shape, ramp, "<f8"))
        (self.folder / "u1.npy").write_bytes(npy((1, *shape), ramp, "|u1", version=2))
        columns = [ramp[28 * row + column] for column in range(28) for row in range(28)]
        (self.folder / "order.npy").write_bytes(npy(shape, columns, "<i8", order=True))
        (self.folder / "two.npy").write_bytes(npy((2, *shape), ramp * 2))
        expected = self.document(PLAIN, "--input", "f8.npy")["tensors"]
        for name in ("u1.npy", "order.npy"):
            self.assertEqual(self.document(PLAIN, "--input", name)["tensors"], expected)
        two = self.document(PLAIN, "--input", "two.npy")["tensors"]
        self.assertEqual(two[2]["shape"], [2, 24])
        self.assertEqual(two[2]["max"], expected[2]["max"])

    def test_without_data(self):
        (self.folder / "net.yaml").write_text("model: {input: [8], layers: [{dense: {units: 5}}, relu]}\n")
        out = self.nnrun("trace", "net.yaml").stdout
        self.assertIn("ramp through the net", out)
        self.assertIn("backward from ones: the gradient of the outputs' sum", out)
        self.assertIn("no data.source", self.nnrun("trace", "net.yaml", "--input", "cat.jpg", code=1).stderr)

    def test_not_finite_numbers_are_seen(self):
        (self.folder / "nan.npy").write_bytes(npy((28, 28, 1), [float("nan")] + [1.0] * 783))
        self.assertIn("24 NaN, 0 infinite", self.nnrun("trace", PLAIN, "--input", "nan.npy").stdout)
        tensors = self.document(PLAIN, "--input", "nan.npy", "--against", "scalar")["tensors"]
        self.assertEqual(tensors[0]["nans"], 1)

    def test_a_model_of_one_sample_batch_norm_refuses(self):
        self.assertIn("no variance", self.nnrun("trace", RICH, code=2).stderr)
        self.nnrun("trace", RICH, "--inference")

    def test_bad_input(self):
        good = npy((28, 28, 1), [0.0] * 784)
        files = {
            "shape.npy": npy((28, 28), [0.0] * 784),
            "short.npy": good[:-1],
            "cut.npy": good[:40],
            "empty.npy": b"",
            "text.npy": b"hello, this is no array",
            "version.npy": good[:6] + b"\x09" + good[7:],
            "complex.npy": good.replace(b"<f4", b"<c8"),
            "big.npy": good.replace(b"<f4", b">f4"),
            "records.npy": good.replace(b"'<f4'", b"[(1)]"),
            "huge.npy": good.replace(b"(28, 28, 1), }", b"(99999999999,9)"[:14]),
            "none.npy": good.replace(b"'shape'", b"'shade'"),
        }
        for name, data in files.items():
            with self.subTest(name=name):
                (self.folder / name).write_bytes(data)
                err = self.nnrun("trace", PLAIN, "--input", name, code=1).stderr
                self.assertIn(name, err)
        self.assertIn("the net takes (28, 28, 1)", self.nnrun("trace", PLAIN, "--input", "shape.npy", code=1).stderr)

    def test_bad_references(self):
        (self.folder / "text.npz").write_bytes(b"hello, this is no zip")
        (self.folder / "cut.npz").write_bytes(b"PK\x03\x04\x14\x00")
        self.npz("empty.npz")
        self.npz("unknown.npz", **{"2.relu.outputs": npy((1, 24), [0.0] * 24)})
        self.npz("shape.npz", **{"2.relu.output": npy((24,), [0.0] * 24)})
        self.npz("weights.npz", **{"1.dense.weights": npy((24, 784), [0.0] * 24 * 784)})
        self.npz("damaged.npz", **{"2.relu.output": b"not an array"})
        for name, message in (
            ("missing.npz", "cannot read missing.npz"),
            ("text.npz", "not a .npz file"),
            ("cut.npz", "cut.npz"),
            ("empty.npz", "empty.npz"),
            ("unknown.npz", "did you mean '2.relu.output'?"),
            ("shape.npz", "has the shape (24), the net's has (1, 24)"),
            ("weights.npz", "has the shape (24, 784), the net has (784, 24)"),
            ("damaged.npz", "damaged.npz: 2.relu.output.npy is not a .npy file"),
        ):
            with self.subTest(name=name):
                self.assertIn(message, self.nnrun("trace", PLAIN, "--against", name, code=1).stderr)

    def test_bad_words(self):
        self.assertIn("numbered from 0", self.nnrun("trace", PLAIN, "--index", "99999999", code=1).stderr)
        self.assertIn("the data has 10", self.nnrun("trace", PLAIN, "--label", "10", code=1).stderr)
        self.assertIn("single files", self.nnrun("trace", PLAIN, "--input", "cat.jpg", code=1).stderr)
        self.nnrun("trace", "missing.safetensors", code=1)
        for words in (["--batch", "0"], ["--index", "-1"], ["--tolerance", "x"], ["train.bach=3"]):
            self.nnrun("trace", PLAIN, *words, code=2)


if __name__ == "__main__":
    harness.main()
