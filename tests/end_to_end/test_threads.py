"""The same bits for any number of threads."""

import harness
from harness import AVERAGED, PLAIN, RICH


class Threads(harness.Case):
    def results(self, config, *overrides):
        for number, threads in enumerate((1, 2, 3, 4, 8), start=1):
            self.nnrun(config, f"run.threads={threads}", *overrides)
            folder = self.run_folder(config, number)
            yield threads, self.verdict(folder)["weights_sha256"], self.figures(folder), self.weights(folder)

    def check(self, config, *overrides):
        results = list(self.results(config, *overrides))
        _, sha256, figures, weights = results[0]
        self.assertTrue(any(row["event"] == "batch" for row in figures))
        for threads, other_sha256, other_figures, other_weights in results[1:]:
            with self.subTest(threads=threads):
                self.assertEqual(other_sha256, sha256)
                self.assertEqual(other_figures, figures)
                self.assertEqual(other_weights, weights)  # optimizer states, too

    def test_plain(self):
        self.check(PLAIN)

    def test_dropout_batchnorm_and_augmentation(self):
        self.check(RICH)

    def test_averaged_clipped_and_accumulated(self):
        self.check(AVERAGED)

    def test_scalar_kernels(self):
        self.check(PLAIN, "run.kernels=scalar", "train.epochs=1")

    def test_wide_layers_and_odd_sizes(self):
        self.check(RICH, "model.layers[1].dense.units=333", "model.layers[5].dense.units=129", "train.batch=77", "train.epochs=1",
                   "train.optimizer=momentum")


if __name__ == "__main__":
    harness.main()
