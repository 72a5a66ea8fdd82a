"""A convolutional net learns, gives the same bits for any number of threads, and goes on to the same bits after a kill."""

import json
import signal

import harness
from harness import CONFIGS

CONVNET = str(CONFIGS / "convnet.yaml")


class Convnet(harness.Case):
    def test_it_learns(self):
        self.nnrun(CONVNET, "run.threads=2", "train.epochs=6", "data.source.drawn_digits.count=2000")
        verdict = self.verdict(self.run_folder(CONVNET))
        self.assertGreaterEqual(verdict["accuracy"], 0.85)

    def test_any_number_of_threads(self):
        expected = None
        for number, threads in enumerate((1, 2, 3, 4, 8), start=1):
            with self.subTest(threads=threads):
                self.nnrun(CONVNET, f"run.threads={threads}", "train.epochs=1")
                folder = self.run_folder(CONVNET, number)
                if expected is None:
                    expected = folder
                self.check_same_run(folder, expected)

    def test_scalar_kernels_come_to_nearly_the_same(self):
        losses = []
        for number, kernels in enumerate(("auto", "scalar"), start=1):
            self.nnrun(CONVNET, f"run.kernels={kernels}", "run.threads=2", "train.epochs=1")
            losses.append([row["loss"] for row in self.rows(self.run_folder(CONVNET, number), "batch")])
        self.assertEqual(len(losses[0]), len(losses[1]))
        for loss, scalar in zip(losses[0][:5], losses[1][:5]):
            self.assertLessEqual(abs(loss - scalar), 1e-4 * max(1.0, abs(scalar)))

    def test_a_frozen_convolution_lets_gradients_through(self):
        # One step: below the frozen layer, the same as without freezing.
        weights = []
        for number, words in enumerate(([], ["model.layers[7].freeze=true"]), start=1):
            self.nnrun(CONVNET, "train.batch=630", "train.epochs=1", *words)
            weights.append(self.weights(self.run_folder(CONVNET, number)))
        free, frozen = weights
        for name in ("0.conv2d.weights", "3.conv2d.weights", "6.conv2d.bias"):
            self.assertEqual(free[name], frozen[name], name)
        self.assertNotEqual(free["7.conv2d.weights"], frozen["7.conv2d.weights"])

    def test_evaluation_folds_the_batch_norm(self):
        apart = json.loads(self.nnrun("plan", CONVNET, "--json").stdout)
        folded = json.loads(self.nnrun("plan", CONVNET, "--json", "--inference").stdout)
        layer = next(layer for layer in folded["layers"] if "batchnorm" in layer["absorbed"])
        self.assertEqual(layer["absorbed"], ["batchnorm", "relu"])
        self.assertFalse(any("batchnorm" in layer["absorbed"] for layer in apart["layers"]))
        self.assertEqual(folded["parameters"], apart["parameters"])
        self.assertEqual(sum(layer["parameters"] for layer in folded["layers"]), apart["parameters"])
        self.assertLess(folded["inference_bytes"], apart["training_bytes"])
        # Checkpoints keep what was trained.
        self.nnrun(CONVNET, "train.epochs=1")
        weights = self.weights(self.run_folder(CONVNET))
        self.assertIn("4.batchnorm.gamma", weights)
        self.assertNotIn("3.conv2d.bias", weights)

    def test_killed_and_resumed(self):
        self.nnrun(CONVNET, "run.folder=whole")
        process = self.start(CONVNET)
        folder = self.run_folder(CONVNET)
        self.wait_for(lambda: (folder / "last.safetensors").exists(), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.nnrun(CONVNET, "--resume", "run.threads=2")
        self.check_same_run(folder, self.run_folder(CONVNET, root="whole"))


if __name__ == "__main__":
    harness.main()
