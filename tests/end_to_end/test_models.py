"""What a run leaves can be tested again, asked, and read by others."""

import hashlib
import json

import harness
from harness import PLAIN, RICH, STAND_INS


class Models(harness.Case):
    def test_eval_gives_the_verdict_again(self):
        for config, weights in ((PLAIN, "last.safetensors"), (RICH, "best.safetensors")):
            with self.subTest(config=config):
                self.nnrun(config)
                folder = self.run_folder(config)
                verdict = self.verdict(folder)
                result = json.loads(self.nnrun("eval", folder / weights, "--json").stdout)
                for key in ("loss", "accuracy", "samples", "data", "weights_sha256"):
                    self.assertEqual(result[key], verdict[key], key)
                for override in ("run.threads=3",):
                    again = json.loads(self.nnrun("eval", folder / weights, override, "--json").stdout)
                    self.assertEqual(again, result)
                plain = self.nnrun("eval", folder / weights).stdout
                self.assertIn(verdict["weights_sha256"], plain)
                self.assertIn(f"{100 * verdict['accuracy']:.2f} %", plain)

    def test_kept_weights_are_what_the_verdict_says(self):
        self.nnrun(RICH)
        folder = self.run_folder(RICH)
        self.assertEqual(self.verdict(folder)["weights"], "best")
        epochs = self.rows(folder, "epoch")
        best = max(range(len(epochs)), key=lambda i: (epochs[i]["validation_accuracy"], -i))
        state = json.loads(harness.read_safetensors(folder / "best.safetensors")[0]["training"])
        self.assertEqual(state["epoch"], best + 1)
        self.assertEqual(state["best_score"], epochs[best]["validation_accuracy"])

    def test_checkpoints_are_plain_safetensors(self):
        self.nnrun(PLAIN)
        metadata, tensors = harness.read_safetensors(self.run_folder(PLAIN) / "last.safetensors")
        self.assertEqual(tensors["1.dense.weights"][0], (784, 24))
        self.assertEqual(tensors["3.dense.bias"][0], (10,))
        self.assertEqual(metadata["format"], "nnrun")
        self.assertIn("drawn_digits", metadata["config"])
        names = [name for name in tensors if not name.startswith("optimizer.")]
        sha256 = hashlib.sha256(b"".join(tensors[name][1] for name in names)).hexdigest()
        self.assertEqual(sha256, metadata["weights_sha256"])
        self.assertEqual(sha256, self.verdict(self.run_folder(PLAIN))["weights_sha256"])

    def test_the_config_of_a_run_runs_again(self):
        self.nnrun(PLAIN)
        self.nnrun(self.run_folder(PLAIN) / "config.yaml", "run.folder=again")
        self.assertEqual(self.verdict(self.folder / "again/config/1"), self.verdict(self.run_folder(PLAIN)))


class Predict(harness.Case):
    def setUp(self):
        super().setUp()
        harness.write_idx(self.folder / "datasets/digits", "train", 400)
        harness.write_idx(self.folder / "datasets/digits", "test", 50)
        self.nnrun(STAND_INS, "train.epochs=10")
        folder = self.run_folder(STAND_INS)
        self.model = folder / "last.safetensors"
        self.assertEqual(self.verdict(folder)["data"], "real")
        self.assertGreater(self.verdict(folder)["accuracy"], 0.95)

    def test_pictures(self):
        for label in range(10):
            harness.write_pgm(self.folder / f"{label}.pgm", label)
        files = [f"{label}.pgm" for label in range(10)]
        answers = json.loads(self.nnrun("predict", self.model, *files, "--json").stdout)
        self.assertEqual([answer["class"] for answer in answers], [str(label) for label in range(10)])
        for answer in answers:
            self.assertEqual(len(answer["probabilities"]), 10)
            self.assertAlmostEqual(sum(answer["probabilities"]), 1, places=5)
            self.assertEqual(answer["probability"], max(answer["probabilities"]))
        lines = self.nnrun("predict", self.model, *files).stdout.splitlines()
        self.assertEqual([line.split(" (")[0] for line in lines], [f"{label}.pgm: {label}" for label in range(10)])

    def test_one_of_an_idx_file(self):
        file = self.folder / "datasets/digits/test-images-idx3-ubyte"
        for index in (0, 7, 49):
            answers = json.loads(self.nnrun("predict", self.model, file, "--index", index, "--json").stdout)
            self.assertEqual(answers[0]["class"], str(index % 10))
        self.assertIn("0 to 49", self.nnrun("predict", self.model, file, "--index", 50, code=1).stderr)

    def test_bad_files_do_not_keep_the_others_from_an_answer(self):
        good = self.folder / "good.pgm"
        harness.write_pgm(good, 4)
        bad = {
            "missing.pgm": None,
            "empty.pgm": b"",
            "text.pgm": b"hello",
            "cut.pgm": good.read_bytes()[:-10],
            "small.pgm": b"P5 2 2 255\n0123",
            "huge.pgm": b"P5 99999999 99999999 255\n",
            "no_number.pgm": b"P5 x",
        }
        for name, content in bad.items():
            if content is not None:
                (self.folder / name).write_bytes(content)
        (self.folder / "folder.pgm").mkdir()
        names = [*bad, "folder.pgm"]
        result = self.nnrun("predict", self.model, *names, "good.pgm", code=1)
        self.assertIn("good.pgm: 4", result.stdout)
        for name in names:
            self.assertIn(name, result.stderr)
        answers = json.loads(self.nnrun("predict", self.model, *names, "good.pgm", "--json", code=1).stdout)
        self.assertEqual([("error" in answer) for answer in answers], [True] * len(names) + [False])

    def test_a_model_needs_nothing_but_its_file(self):
        moved = self.folder / "elsewhere.safetensors"
        moved.write_bytes(self.model.read_bytes())
        harness.shutil.rmtree(self.folder / "datasets")
        harness.shutil.rmtree(self.folder / "runs")
        harness.write_pgm(self.folder / "6.pgm", 6)
        self.assertIn("6.pgm: 6", self.nnrun("predict", moved, "6.pgm").stdout)

    def test_without_files(self):
        self.assertIn("at least one file", self.nnrun("predict", self.model, code=1).stderr)


if __name__ == "__main__":
    harness.main()
