"""What --resume takes, what it refuses."""

import harness
from harness import PLAIN, RICH


class Resume(harness.Case):
    def test_without_a_run_it_starts_anew(self):
        self.nnrun(PLAIN, "--resume")
        self.nnrun(PLAIN, "run.folder=other")
        self.check_same_run(self.run_folder(PLAIN), self.run_folder(PLAIN, root="other"))

    def test_a_finished_run_repeats_its_verdict(self):
        for config in (PLAIN, RICH):
            with self.subTest(config=config):
                first = self.nnrun(config)
                folder = self.run_folder(config)
                figures, weights = self.figures(folder), self.weights(folder)
                for _ in range(3):
                    again = self.nnrun(config, "--resume")
                    self.assertEqual(verdict_lines(again.stdout), verdict_lines(first.stdout))
                    self.assertEqual(self.figures(folder), figures)
                    self.assertEqual(self.weights(folder), weights)
                self.assertFalse(self.run_folder(config, 2).exists())

    def test_more_epochs(self):
        for config in (PLAIN, RICH):
            with self.subTest(config=config):
                self.nnrun(config, "train.epochs=3", "run.folder=whole")
                self.nnrun(config, "train.epochs=1")
                self.nnrun(config, "train.epochs=3", "--resume")
                folder, whole = self.run_folder(config), self.run_folder(config, root="whole")
                self.check_same_run(folder, whole)
                # And the run's config is the new one.
                self.assertIn("epochs: 3", (folder / "config.yaml").read_text())

    def test_threads_and_checkpoints_may_change(self):
        self.nnrun(RICH, "train.epochs=2", "run.folder=whole")
        self.nnrun(RICH, "train.epochs=1")
        self.nnrun(RICH, "train.epochs=2", "run.threads=3", "train.checkpoint.seconds=0", "--resume")
        self.check_same_run(self.run_folder(RICH), self.run_folder(RICH, root="whole"))

    def test_observers_may_change(self):
        self.nnrun(PLAIN, "train.epochs=2", "run.folder=whole")
        expected = self.run_folder(PLAIN, root="whole")
        for number, (first, second) in enumerate((("[console, metrics]", "[metrics]"), ("[metrics]", "[console, metrics]")), start=1):
            with self.subTest(first=first, second=second):
                folder = self.run_folder(PLAIN, number)
                self.nnrun(PLAIN, "train.epochs=1", f"run.observers={first}")
                self.nnrun(PLAIN, "train.epochs=2", f"run.observers={second}", "--resume")
                self.check_same_run(folder, expected)

    def test_what_changes_the_result_is_refused_by_name(self):
        self.nnrun(PLAIN)
        before = (self.run_folder(PLAIN) / "last.safetensors").read_bytes()
        for override, path in (
            ("train.batch=16", "train.batch"),
            ("seed=8", "seed"),
            ("train.epochs=1", "train.epochs"),
            ("train.optimizer=sgd", "train.optimizer"),
            ("train.optimizer.adam.learning_rate=0.1", "train.optimizer.adam.learning_rate"),
            ("model.layers[1].dense.units=25", "model.layers[1].dense.units"),
            ("model.layers=[flatten, {dense: {units: 10}}]", "model.layers"),
            ("data.source.drawn_digits.count=3000", "data.source.drawn_digits.count"),
            ("data.transforms=[{scale: {divide_by: 256}}]", "data.transforms[0].scale.divide_by"),
            ("train.keep=last", None),  # the default: no change
            ("train.shuffle=false", "train.shuffle"),
            ("run.kernels=scalar", "run.kernels"),
        ):
            with self.subTest(override=override):
                result = self.nnrun(PLAIN, override, "--resume", code=0 if path is None else 1)
                if path is not None:
                    self.assertIn(path, result.stderr)
                    self.assertIn("have changed", result.stderr)
        self.assertEqual(len(self.rows(self.run_folder(PLAIN), "test")), 1)
        with self.subTest("several at once"):
            err = self.nnrun(PLAIN, "seed=8", "train.batch=16", "--resume", code=1).stderr
            self.assertIn("seed", err)
            self.assertIn("train.batch", err)
        self.assertEqual(harness.read_safetensors(self.run_folder(PLAIN) / "last.safetensors")[1].keys(),
                         {"1.dense.weights", "1.dense.bias", "3.dense.weights", "3.dense.bias"}
                         | {f"optimizer.{s}.{i}.dense.{w}" for s in "mv" for i in (1, 3) for w in ("weights", "bias")})
        self.assertTrue(before)

    def test_a_run_by_number_and_by_folder(self):
        for _ in range(2):
            self.nnrun(PLAIN, "train.epochs=1")
        self.nnrun(PLAIN, "train.epochs=2", "--resume", "1")
        self.assertEqual(len(self.rows(self.run_folder(PLAIN, 1), "epoch")), 2)
        self.assertEqual(len(self.rows(self.run_folder(PLAIN, 2), "epoch")), 1)
        self.nnrun(PLAIN, "train.epochs=2", "--resume", self.run_folder(PLAIN, 2))
        self.assertEqual(len(self.rows(self.run_folder(PLAIN, 2), "epoch")), 2)
        self.assertIn("no run", self.nnrun(PLAIN, "--resume", "9", code=1).stderr)

    def test_resume_before_overrides_and_config(self):
        self.nnrun(PLAIN, "train.epochs=1")
        self.nnrun(PLAIN, "--resume", "train.epochs=2")
        self.assertEqual(len(self.rows(self.run_folder(PLAIN), "epoch")), 2)
        self.nnrun("--resume", PLAIN, "train.epochs=3")
        self.assertEqual(len(self.rows(self.run_folder(PLAIN), "epoch")), 3)

    def test_other_kernels_are_refused(self):
        self.nnrun(PLAIN, "train.epochs=1")
        result = self.nnrun(PLAIN, "train.epochs=2", "--resume", env=self.environment | {"NNRUN_KERNELS": "scalar"}, code=1)
        self.assertIn("other kernels", result.stderr)
        self.assertIn("(scalar)", result.stderr)

    def test_damaged_checkpoints_are_refused_and_left_alone(self):
        self.nnrun(PLAIN)
        file = self.run_folder(PLAIN) / "last.safetensors"
        good = file.read_bytes()
        for name, bad in (
            ("empty", b""),
            ("cut", good[:-100]),
            ("longer", good + b"1234"),
            ("a bit", good[:-50] + bytes([good[-50] ^ 4]) + good[-49:]),
            ("a counter", good.replace(b'\\"epoch\\":2', b'\\"epoch\\":1')),
            ("text", b"not a checkpoint at all"),
        ):
            with self.subTest(name):
                self.assertNotEqual(bad, good)
                file.write_bytes(bad)
                err = self.nnrun(PLAIN, "--resume", code=1).stderr
                self.assertIn("last.safetensors is not a usable checkpoint", err)
                self.assertEqual(file.read_bytes(), bad)
                self.assertIn("not a usable checkpoint", self.nnrun("eval", file, code=1).stderr)
                self.assertIn("not a usable checkpoint", self.nnrun("predict", file, "x.pgm", code=1).stderr)


def verdict_lines(text):
    return [line for line in text.splitlines() if line.startswith("test ")]


if __name__ == "__main__":
    harness.main()
