"""csv and npy, classes and numbers: train, eval, predict."""

import array
import json
import math
import random
import struct

import harness

TABLE = """seed: 3
data:
  source: {csv: {label: kind, leave_out: id}}
  train: table/train.csv
  test: table/test.csv
  validation: {from: train, share: 0.2}
  transforms: [{normalize: {mean: [5], deviation: [3]}}]
model:
  layers:
    - dense: {units: 16}
    - relu
    - dense: {units: 3}
train: {epochs: 30, batch: 20, loss: softmax_cross_entropy, optimizer: {adam: {learning_rate: 0.02}}, metrics: [accuracy]}
"""
NUMBERS = """seed: 3
data:
  source: {csv: {label: 'price, rent', task: regression, separator: tab}}
  train: table/train.tsv
  test: table/test.tsv
model:
  layers:
    - dense: {units: 2}
train: {epochs: 60, batch: 20, loss: mean_squared_error, optimizer: {adam: {learning_rate: 0.05}}}
"""
ARRAYS = """seed: 3
data:
  source: npy
  train: arrays/train
  test: arrays/test
  transforms: [{scale: {divide_by: 255}}]
model:
  layers:
    - flatten
    - dense: {units: 2}
train: {epochs: 40, batch: 16, loss: softmax_cross_entropy, optimizer: {adam: {learning_rate: 0.02}}, metrics: [accuracy]}
"""
CURVE = """seed: 3
data:
  source: npy
  train: arrays/curve
  test: arrays/curve
model:
  layers:
    - dense: {units: 24}
    - tanh
    - dense: {units: 1}
train: {epochs: 150, batch: 25, loss: mean_squared_error, optimizer: {adam: {learning_rate: 0.02}}}
"""
PAIRS = """seed: 3
data:
  source: npy
  train: arrays/pairs
  test: arrays/pairs
  transforms: [{mixup: {alpha: 1}}]
model:
  layers:
    - dense: {units: 3}
train: {epochs: 20, batch: 8, accumulate: 2, shuffle: false, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 0.2}}}
"""


def npy(descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


class Tables(harness.Case):
    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
        return path

    def train(self, yaml, *words):
        config = self.write("net.yaml", yaml)
        out = self.nnrun(config, *words).stdout
        folder = self.run_folder(config)
        return folder, self.verdict(folder), out

    def evaluated(self, folder):
        return json.loads(self.nnrun("eval", folder / "last.safetensors", "--json").stdout)

    def write_kinds(self, name, count, seed):
        draw = random.Random(seed)
        rows = ["id,length,width,kind"]
        for i in range(count):
            kind, length, width = draw.choice((("fir", 8, 2), ("oak", 5, 5), ("elm, old", 2, 8)))
            rows.append(f'{i},{draw.gauss(length, 0.7):.3f},{draw.gauss(width, 0.7):.3f},"{kind}"')
        self.write(f"datasets/table/{name}.csv", "\n".join(rows) + "\n")

    def test_csv_classes(self):
        self.write_kinds("train", 200, 1)
        self.write_kinds("test", 60, 2)
        folder, verdict, _ = self.train(TABLE)
        self.assertGreaterEqual(verdict["accuracy"], 0.95)
        self.assertEqual(verdict["samples"], 60)
        start = self.rows(folder, "start")[0]
        self.assertEqual((start["train_samples"], start["validation_samples"]), (160, 40))
        figures = self.evaluated(folder)
        self.assertEqual(figures["accuracy"], verdict["accuracy"])
        # With and without the columns that are no features.
        model = folder / "last.safetensors"
        self.write("rows.csv", "id,length,width\n1,8.1,2.2\n2,2.1,7.8\n")
        self.assertRegex(self.nnrun("predict", model, "rows.csv").stdout, r"^rows.csv: fir \(\d+\.\d %\)$")
        self.assertIn("rows.csv: elm, old (", self.nnrun("predict", model, "rows.csv", "--index", 1).stdout)
        self.write("bare.csv", "length,width\n5,5\n")
        self.assertIn("bare.csv: oak (", self.nnrun("predict", model, "bare.csv").stdout)
        self.write("short.csv", "length\n5\n")
        done = self.nnrun("predict", model, "rows.csv", "short.csv", "bare.csv", code=1)
        self.assertIn("short.csv has 1 columns of features, expected 2", done.stderr)
        self.assertIn("bare.csv: oak (", done.stdout)
        err = self.nnrun("predict", model, "rows.csv", "--index", 2, code=1).stderr
        self.assertIn("rows.csv has 2 rows: there is no number 2", err)

    def test_csv_numbers(self):
        for name, count in (("train", 200), ("test", 40)):
            draw = random.Random(name)
            rows = ["area\trooms\tprice\trent"]
            for _ in range(count):
                area, rooms = draw.uniform(-1, 1), draw.uniform(-1, 1)
                rows.append(f"{area}\t{rooms}\t{3 * area - rooms + 0.5}\t{area + 2 * rooms - 1}")
            self.write(f"datasets/table/{name}.tsv", "\n".join(rows) + "\n")
        folder, verdict, _ = self.train(NUMBERS)
        self.assertLess(verdict["loss"], 1e-3)
        self.assertAlmostEqual(self.evaluated(folder)["loss"], verdict["loss"], places=9)
        _, tensors = harness.read_safetensors(folder / "last.safetensors")
        weights = array.array("f", tensors["0.dense.weights"][1])
        for found, right in zip(weights, (3, 1, -1, 2)):
            self.assertAlmostEqual(found, right, delta=0.05)
        self.write("flat.tsv", "area\trooms\n0\t0\n")
        price, rent = self.nnrun("predict", folder / "last.safetensors", "flat.tsv").stdout.removeprefix("flat.tsv:").split()
        self.assertAlmostEqual(float(price), 0.5, delta=0.05)
        self.assertAlmostEqual(float(rent), -1, delta=0.05)
        answers = json.loads(self.nnrun("predict", folder / "last.safetensors", "flat.tsv", "--json").stdout)
        self.assertEqual(set(answers[0]), {"file", "values"})

    def test_csv_other_columns_to_test(self):
        self.write_kinds("train", 60, 1)
        self.write("datasets/table/test.csv", "id,width,length,kind\n1,2,3,fir\n")
        config = self.write("net.yaml", TABLE)
        err = self.nnrun(config, code=2).stderr
        self.assertIn("net.yaml:5:9: error: csv: ", err)
        self.assertIn("test.csv has other columns than the table to train, or in another order", err)
        self.write("datasets/table/test.csv", "id,length,width,kind\n1,2,3,fir\n2,x,3,fir\n")
        err = self.nnrun(config, code=2).stderr
        self.assertIn("test.csv:3:3: column length: expected a number, got 'x'", err)

    def write_pictures(self, name, count, seed):
        draw = random.Random(seed)
        pixels, labels = bytearray(), array.array("q")
        for _ in range(count):
            label = draw.randrange(2)
            picture = [[draw.randrange(60) for _ in range(6)] for _ in range(6)]
            for i in range(6):  # a bright row, or a bright column
                picture[2 if label else i][i if label else 2] = 230
            pixels += bytes(value for row in picture for value in row)
            labels.append(label)
        self.write(f"datasets/arrays/{name}-features.npy", npy("|u1", f"({count}, 6, 6)", bytes(pixels)))
        self.write(f"datasets/arrays/{name}-labels.npy", npy("<i8", f"({count},)", labels.tobytes()))

    def test_npy_classes(self):
        self.write_pictures("train", 200, 1)
        self.write_pictures("test", 50, 2)
        folder, verdict, _ = self.train(ARRAYS)
        self.assertGreaterEqual(verdict["accuracy"], 0.95)
        self.assertEqual(self.evaluated(folder)["accuracy"], verdict["accuracy"])
        features = "datasets/arrays/test-features.npy"
        labels = array.array("q", (self.folder / "datasets/arrays/test-labels.npy").read_bytes()[-400:])
        right = 0
        for index in range(10):
            out = self.nnrun("predict", folder / "last.safetensors", features, "--index", index).stdout
            right += out.startswith(f"{features}: {labels[index]} (")
        self.assertGreaterEqual(right, 9)
        self.write("other.npy", npy("<f4", "(1, 6, 6)", bytes(144)))
        err = self.nnrun("predict", folder / "last.safetensors", "other.npy", code=1).stderr
        self.assertIn("other.npy has samples of (6, 6) numbers, expected (6, 6) bytes", err)
        err = self.nnrun("predict", folder / "last.safetensors", features, "--index", 50, code=1).stderr
        self.assertIn("has 50 samples: there is no number 50", err)

    def test_npy_numbers(self):
        xs = [i / 50 - 1 for i in range(100)]
        self.write("datasets/arrays/curve-features.npy", npy("<f8", "(100, 1)", array.array("d", xs).tobytes()))
        self.write("datasets/arrays/curve-labels.npy", npy("<f4", "(100,)", array.array("f", [math.sin(3 * x) for x in xs]).tobytes()))
        folder, verdict, _ = self.train(CURVE)
        self.assertLess(verdict["loss"], 5e-3)
        self.assertAlmostEqual(self.evaluated(folder)["loss"], verdict["loss"], places=9)

    def test_npy_that_do_not_belong_together(self):
        self.write_pictures("train", 20, 1)
        self.write_pictures("test", 10, 1)
        self.write("datasets/arrays/test-labels.npy", npy("<i8", "(9,)", bytes(72)))
        err = self.nnrun(self.write("net.yaml", ARRAYS), code=2).stderr
        self.assertIn("net.yaml:5:9: error: npy: ", err)
        self.assertIn("test-features.npy holds 10 samples, but", err)
        self.assertIn("test-labels.npy holds 9 labels: they do not belong together", err)

    def test_mixup_pairs_within_each_accumulated_batch(self):
        """Batches of 8 whose k-th sample from the front and from the back are equal: mixing these changes nothing, any others would."""
        draw = random.Random(5)
        rows, labels = [], []
        for _ in range(4):
            half = [([draw.uniform(-1, 1) for _ in range(5)], draw.randrange(3)) for _ in range(4)]
            for row, label in half + half[::-1]:
                rows += row
                labels.append(label)
        self.write("datasets/arrays/pairs-features.npy", npy("<f4", "(32, 5)", array.array("f", rows).tobytes()))
        self.write("datasets/arrays/pairs-labels.npy", npy("<i4", "(32,)", array.array("i", labels).tobytes()))
        config = self.write("net.yaml", PAIRS)
        runs = [["data.transforms=[]"], [], ["run.threads=3"], ["train.batch=16", "train.accumulate=1"], ["train.batch=4"]]
        weights = []
        for number, words in enumerate(runs, start=1):
            self.nnrun(config, *words)
            weights.append(array.array("f", self.weights(self.run_folder(config, number))["0.dense.weights"][1]))
        plain, mixed, threads, unpaired, halved = weights
        self.assertEqual(mixed, threads)
        distance = lambda others: max(abs(a - b) for a, b in zip(plain, others))
        self.assertLess(distance(mixed), 1e-5)
        # In batches of 16 and of 4, other samples meet.
        self.assertGreater(distance(unpaired), 1e-3)
        self.assertGreater(distance(halved), 1e-3)


if __name__ == "__main__":
    harness.main()
