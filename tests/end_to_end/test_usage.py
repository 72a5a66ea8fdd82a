"""The command line: help, and what is wrong with it."""

import harness
from harness import PLAIN


class Usage(harness.Case):
    def test_help_and_version(self):
        for words in (["--help"], ["-h"], ["train", "--help"], ["plan", "--help"], ["eval", "--help"], ["predict", "--help"]):
            with self.subTest(words=words):
                result = self.nnrun(*words)
                self.assertIn("nnrun", result.stdout)
                self.assertEqual(result.stderr, "")
        self.assertRegex(self.nnrun("--version").stdout, r"^nnrun \d+\.\d+\.\d+\n$")
        for verb in ("train", "plan", "eval", "predict", "plugins", "kernels", "explain"):
            self.assertIn(verb, self.nnrun("--help").stdout)

    def test_wrong_words(self):
        for words in (
            ["train"],
            ["plan"],
            ["eval"],
            ["predict"],
            ["missing.yaml"],
            ["train", "missing.yaml"],
            ["plan", "missing.yaml"],
            ["trane", PLAIN],
            [PLAIN, "--no-such-option"],
            [PLAIN, "not_an_override"],
            [PLAIN, "train.batch"],
            [PLAIN, "train.batch=many"],
            [PLAIN, "train.batch=0"],
            [PLAIN, "train.bach=5"],
            [PLAIN, "=5"],
            [PLAIN, "train.optimizer=adamm"],
            [PLAIN, "train.optimizer.sgd.learning_rate=1"],
            [PLAIN, "model.layers[9].dense.units=1"],
            [PLAIN, "run.kernels=avx5"],
            [PLAIN, "run.threads=0"],
            [PLAIN, "--data", "/no/such/folder", "data.source=idx", "data.train=a", "data.test=b"],
            ["bench", PLAIN, "--seconds", "-1"],
            ["predict", "x", "y", "--index", "-1"],
            ["plugins", "extra"],
        ):
            with self.subTest(words=words):
                result = self.nnrun(*words, code=2)
                self.assertNotEqual(result.stderr + result.stdout, "")
        self.assertFalse((self.folder / "runs").exists())

    def test_suggestions(self):
        for words, suggestion in (
            ([PLAIN, "train.bach=5"], "batch"),
            ([PLAIN, "train.optimizer=adamm"], "adam"),
            ([PLAIN, "run.kernels=scaler"], "scalar"),
            ([PLAIN, "model.layers=[flaten]"], "flatten"),
            (["evl", "x.safetensors"], "eval"),
            (["plann", PLAIN], "plan"),
        ):
            with self.subTest(words=words):
                err = self.nnrun(*words, code=2).stderr
                self.assertIn("did you mean", err)
                self.assertIn(suggestion, err)

    def test_errors_of_a_file_have_a_place(self):
        (self.folder / "bad.yaml").write_text("seed: 1\ntrain:\n  epoch: 5\n  batch: x\n")
        err = self.nnrun("bad.yaml", code=2).stderr
        self.assertIn("bad.yaml:3:3: error:", err)
        self.assertIn("bad.yaml:4:10: error:", err)  # all at once

    def test_kernels_that_the_build_left_out(self):
        # Beside the libraries lies a line of text in place of each that could not be built.
        (self.folder / "plugins").mkdir(mode=0o755)
        (self.folder / "plugins/libnnrun_kernels_abacus.left_out").write_text("there were no beads (Debian: libbeads-dev)\n")
        note = "libnnrun_kernels_abacus.so was left out of this build: there were no beads (Debian: libbeads-dev)"
        err = self.nnrun("plan", PLAIN, "run.kernels=abacus", "--plugin-path", "plugins", code=2).stderr
        self.assertIn("unknown kernels 'abacus'", err)
        self.assertIn("note: " + note, err)
        self.assertNotIn("beads", self.nnrun("plan", PLAIN, "run.kernels=avx5", "--plugin-path", "plugins", code=2).stderr)
        self.assertIn("left out of this build: there were no beads", self.nnrun("kernels", "--plugin-path", "plugins").stdout)

    def test_a_missing_model(self):
        self.assertIn("no such file", self.nnrun("eval", "missing.safetensors", code=1).stderr)
        self.assertIn("no such file", self.nnrun("predict", "missing.safetensors", "x.pgm", code=1).stderr)
        self.nnrun("eval", ".", code=1)

    def test_numbers_that_are_not_finite(self):
        for optimizer in ("adam", "sgd", "momentum"):
            with self.subTest(optimizer=optimizer):
                err = self.nnrun(PLAIN, f"train.optimizer={optimizer}", f"train.optimizer.{optimizer}.learning_rate=1e30",
                                 f"run.folder={optimizer}", code=1).stderr
                self.assertRegex(err, r"\d\.dense")
                self.assertRegex(err, r"step \d+ \(epoch 1\)")
                self.assertIn("learning_rate", err)


if __name__ == "__main__":
    harness.main()
