"""The real MNIST, where NNRUN_DATA has it: accuracy, and the first losses beside those of the reference model."""

import json
import os
import unittest

import harness

CONFIGS = {"adam": "mnist_mlp", "sgd": "mnist_mlp_sgd", "momentum": "mnist_mlp_momentum"}


@unittest.skipUnless(harness.mnist_folder(), "SKIPPED: NNRUN_DATA names no folder with the real MNIST (datasets/fetch.sh)")
class Mnist(harness.Case):
    def setUp(self):
        super().setUp()
        self.environment = harness.clean_environment(NNRUN_DATA=os.path.abspath(harness.mnist_folder()))

    def config(self, name):
        return str(harness.PROJECT / "configs" / f"{name}.yaml")

    def test_two_epochs_are_enough_for_96_per_cent(self):
        config = self.config("mnist_mlp")
        out = self.nnrun(config, "train.epochs=2").stdout
        self.assertNotIn("DRAWN", out)
        verdict = self.verdict(self.run_folder(config))
        self.assertEqual(verdict["data"], "real")
        self.assertEqual(verdict["samples"], 10000)
        self.assertGreaterEqual(verdict["accuracy"], 0.96)

    def check_losses(self, optimizer, *overrides):
        golden = json.loads((harness.PROJECT / "tests/golden" / f"mnist_mlp_{optimizer}.json").read_text())
        config = self.config(CONFIGS[optimizer])
        process = self.start(config, f"seed={golden['seed']}", "train.epochs=1", *overrides)
        file = self.run_folder(config) / "metrics.jsonl"
        # The first batches are enough; a stopped run leaves all of its rows.
        self.wait_for(lambda: file.exists() and file.read_text().count('"batch"') > len(golden["losses"]) + 1, process)
        process.terminate()
        _, err = process.communicate(timeout=harness.PATIENCE)
        self.assertIn(process.returncode, (0, 143), err)
        rows = self.rows(self.run_folder(config), "batch")[: len(golden["losses"])]
        self.assertEqual(len(rows), len(golden["losses"]))
        for row, loss, tolerance in zip(rows, golden["losses"], golden["tolerances"]):
            self.assertLessEqual(abs(row["loss"] - loss), tolerance, f"{optimizer}, step {row['step']}")

    def test_first_losses_adam(self):
        self.check_losses("adam")

    def test_first_losses_sgd(self):
        self.check_losses("sgd")

    def test_first_losses_momentum(self):
        self.check_losses("momentum")

    def test_first_losses_with_scalar_kernels(self):
        self.check_losses("adam", "run.kernels=scalar")


if __name__ == "__main__":
    harness.main()
