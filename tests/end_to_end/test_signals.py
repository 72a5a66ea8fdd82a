"""SIGINT and SIGTERM: finish the step, save, say so; a second one stops at once."""

import signal

import harness
from harness import RICH, SLOW_STEP


class Signals(harness.Case):
    def check(self, number, code):
        self.nnrun(RICH, "run.folder=whole", "train.epochs=8")
        folder = self.run_folder(RICH, root="stopped")
        process = self.start(RICH, "run.folder=stopped", "train.epochs=8")
        self.wait_for((folder / "last.safetensors").exists, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=harness.PATIENCE)
        self.assertEqual(process.returncode, code, err)
        self.assertIn(f"stopped by signal {int(number)}", err)
        self.assertIn("--resume", err)
        self.assertIn("interrupted", out)
        self.assertEqual(self.rows(folder, "test"), [])
        rows = self.rows(folder, "batch")
        state = harness.json.loads(harness.read_safetensors(folder / "last.safetensors")[0]["training"])
        self.assertEqual(state["step"], rows[-1]["step"])  # no step is lost
        self.assertFalse(state["finished"])

        self.nnrun(RICH, "run.folder=stopped", "train.epochs=8", "--resume")
        expected = self.run_folder(RICH, root="whole")
        self.check_same_run(folder, expected)

    def test_interrupt(self):
        self.check(signal.SIGINT, 130)

    def test_terminate(self):
        self.check(signal.SIGTERM, 143)

    def test_a_second_signal_stops_at_once(self):
        folder = self.run_folder(SLOW_STEP)
        process = self.start(SLOW_STEP)
        self.wait_for(lambda: (folder / "metrics.jsonl").exists() and (folder / "metrics.jsonl").stat().st_size > 0, process)
        process.send_signal(signal.SIGINT)
        harness.time.sleep(0.05)  # two at the same moment would count as one
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=harness.PATIENCE)
        self.assertEqual(process.returncode, 143, err)
        self.assertNotIn("saved", err)
        self.assertFalse((folder / "last.safetensors").exists())
        # Nothing to go on from: the same folder, from the start.
        self.nnrun(SLOW_STEP, "--resume", "model.layers=[flatten, {dense: {units: 10}}]", "train.epochs=1")
        self.assertEqual(self.verdict(folder)["samples"], 333)


if __name__ == "__main__":
    harness.main()
