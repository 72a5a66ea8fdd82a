"""Early stopping, averaged weights."""

import harness
from harness import AVERAGED, RICH


class Training(harness.Case):
    def test_early_stopping(self):
        # Nothing improves by that much: the first epoch stays the best.
        words = ("train.epochs=9", "train.early_stopping={patience: 2, minimum_improvement: 10, metric: loss}")
        self.nnrun(RICH, *words)
        folder = self.run_folder(RICH)
        self.assertEqual([row["epoch"] for row in self.rows(folder, "epoch")], [1, 2, 3])
        notes = [row["text"] for row in self.rows(folder, "note")]
        self.assertRegex(notes[-1], r"^stopped early, behind epoch 3 of 9: validation loss has not improved on [0-9.]+ for 2 epochs$")
        verdict = self.verdict(folder)
        # It stays stopped.
        self.nnrun(RICH, *words, "--resume")
        self.assertEqual(self.verdict(folder), verdict)
        self.assertEqual(len(self.rows(folder, "epoch")), 3)

    def test_a_metric_that_improves_goes_on(self):
        self.nnrun(RICH, "train.epochs=3", "train.early_stopping={patience: 3}")
        self.assertEqual(len(self.rows(self.run_folder(RICH), "epoch")), 3)

    def test_averaged_weights_are_what_is_tested_and_predicts(self):
        self.nnrun(AVERAGED)
        folder = self.run_folder(AVERAGED)
        verdict = self.verdict(folder)
        self.assertEqual(verdict["weights"], "best averaged")
        matrix = verdict["confusion_matrix"]
        self.assertEqual([len(row) for row in matrix], [10] * 10)
        self.assertAlmostEqual(sum(matrix[i][i] for i in range(10)) / verdict["samples"], verdict["accuracy"])
        last, best = self.weights(folder), self.weights(folder, "best.safetensors")
        # Both the average and what training goes on from.
        self.assertIn("1.dense.weights", best)
        self.assertNotIn("training.1.dense.weights", best)
        self.assertIn("training.2.batchnorm.running_mean", last)
        self.assertNotEqual(last["training.1.dense.weights"], last["1.dense.weights"])
        evaluated = self.nnrun("eval", folder / "best.safetensors").stdout
        self.assertIn(f"{verdict['accuracy'] * 100:.2f}", evaluated)
        # The gradients' norms are told where they are clipped.
        self.assertTrue(all(row["gradient_norm"] > 0 for row in self.rows(folder, "batch")))

    def test_start_from_another_run_with_a_layer_frozen(self):
        self.nnrun(RICH, "seed=1", "train.epochs=1", "run.folder=first")
        checkpoint = self.run_folder(RICH, root="first") / "best.safetensors"
        words = (f"model.start_from={{checkpoint: {checkpoint.relative_to(self.folder)}, layers: [1.dense, 2.batchnorm]}}",
                 "model.layers[1].freeze=true", "model.layers[2].freeze=true", "train.epochs=2")
        self.nnrun(RICH, *words, "run.folder=whole")
        whole = self.run_folder(RICH, root="whole")
        notes = [row["text"] for row in self.rows(whole, "note")]
        self.assertIn(f"started from {checkpoint}: 6 tensors taken; not taken: 5.dense.weights, 5.dense.bias, 7.dense.weights, 7.dense.bias", notes)
        before, after = self.weights(whole.parents[1].parent / "first" / "rich" / "1", "best.safetensors"), self.weights(whole)
        for name in before:
            self.assertEqual(before[name] == after[name], name.startswith(("1.", "2.")), name)
        # Resumed, and without the file that it started from.
        self.nnrun(RICH, *words[:3], "train.epochs=1")
        checkpoint.unlink()
        self.nnrun(RICH, *words, "--resume")
        self.check_same_run(self.run_folder(RICH), whole)
        self.nnrun("eval", whole / "best.safetensors")


if __name__ == "__main__":
    harness.main()
