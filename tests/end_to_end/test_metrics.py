"""metrics.jsonl, log.txt and config.yaml of a run."""

import math

import harness
from harness import PLAIN, RICH


class Metrics(harness.Case):
    def test_rows(self):
        self.nnrun(RICH)
        folder = self.run_folder(RICH)
        rows = [harness.json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        events = [row["event"] for row in rows]
        self.assertEqual(events[0], "start")
        self.assertEqual(events[-1], "end")
        self.assertEqual(set(events), {"start", "batch", "epoch", "test", "end"})
        self.assertEqual(events.count("test"), 1)
        self.assertEqual(events.count("epoch"), 3)
        batches = [row for row in rows if row["event"] == "batch"]
        self.assertEqual([row["step"] for row in batches], list(range(1, 3 * 43 + 1)))
        self.assertEqual([row["epoch"] for row in batches], [epoch for epoch in (1, 2, 3) for _ in range(43)])
        for row in batches:
            self.assertEqual(row["steps_per_epoch"], 43)
            for key in ("loss", "learning_rate", "samples_per_s"):
                self.assertGreater(row[key], 0, row)
        for epoch, row in enumerate((row for row in rows if row["event"] == "epoch"), start=1):
            self.assertEqual(row["epoch"], epoch)
            self.assertTrue(0 <= row["validation_accuracy"] <= 1)
            # The mean over the epoch's samples; the last batch has 6.
            own = [(b["loss"], 6 if b["step"] % 43 == 0 else 32) for b in batches if b["epoch"] == epoch]
            mean = sum(loss * count for loss, count in own) / sum(count for _, count in own)
            self.assertTrue(math.isclose(row["train_loss"], mean, rel_tol=1e-9))
            self.assertTrue(math.isclose(row["learning_rate"], 0.002 * 0.9 ** (epoch - 1), rel_tol=1e-9))
        verdict = self.verdict(folder)
        self.assertEqual(verdict["samples"], 250)
        self.assertEqual(verdict["data"], "drawn")
        self.assertEqual(verdict["weights"], "best")
        self.assertRegex(verdict["weights_sha256"], "^[0-9a-f]{64}$")
        self.assertTrue(0 <= verdict["accuracy"] <= 1)

    def test_files_of_a_run(self):
        self.nnrun(PLAIN)
        names = {path.name for path in self.run_folder(PLAIN).iterdir()}
        self.assertLessEqual({"config.yaml", "log.txt", "metrics.jsonl", "last.safetensors"}, names)
        self.assertFalse([name for name in names if name.endswith(".tmp")])
        self.assertIn("weights_sha256", (self.run_folder(PLAIN) / "log.txt").read_text())
        config = (self.run_folder(PLAIN) / "config.yaml").read_text()
        for default in ("shuffle: true", "beta1: 0.9", "seed: 7"):
            self.assertIn(default, config)

    def test_each_seed_is_another_run_and_the_same_seed_the_same(self):
        for number, seed in enumerate((1, 1, 2), start=1):
            self.nnrun(PLAIN, f"seed={seed}", "train.epochs=1")
        first, second, third = (self.figures(self.run_folder(PLAIN, number)) for number in (1, 2, 3))
        self.assertEqual(first, second)
        self.assertNotEqual(first, third)

    def test_without_shuffling(self):
        self.nnrun(PLAIN, "train.shuffle=false", "train.optimizer={sgd: {learning_rate: 1e-30}}", "train.epochs=2")
        losses = [row["loss"] for row in self.rows(self.run_folder(PLAIN), "batch")]
        self.assertEqual(losses[: len(losses) // 2], losses[len(losses) // 2 :])

    def test_without_observers(self):
        result = self.nnrun(PLAIN, "run.observers=[]")
        self.assertEqual(result.stdout, "")
        self.assertFalse((self.run_folder(PLAIN) / "metrics.jsonl").exists())
        self.assertTrue((self.run_folder(PLAIN) / "last.safetensors").exists())


if __name__ == "__main__":
    harness.main()
