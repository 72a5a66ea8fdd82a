"""A net of `repeat` and `residual`: it learns, the same bits for any number of threads, after a kill, and written out."""

import re
import signal

import harness
from harness import CONFIGS

RESIDUAL = str(CONFIGS / "residual.yaml")


class Groups(harness.Case):
    def test_it_learns_and_answers(self):
        self.nnrun(RESIDUAL, "run.threads=2", "train.epochs=8", "data.source.drawn_digits.count=2000")
        folder = self.run_folder(RESIDUAL)
        accuracy = self.verdict(folder)["accuracy"]
        self.assertGreaterEqual(accuracy, 0.8)
        # The checkpoint alone describes the net.
        evaluation = self.nnrun("eval", folder / "last.safetensors").stdout
        self.assertIn(f"{100 * accuracy:.2f}", evaluation)

    def test_any_number_of_threads(self):
        expected = None
        for number, threads in enumerate((1, 2, 3, 4, 8), start=1):
            with self.subTest(threads=threads):
                self.nnrun(RESIDUAL, f"run.threads={threads}", "train.epochs=1")
                folder = self.run_folder(RESIDUAL, number)
                if expected is None:
                    expected = folder
                self.check_same_run(folder, expected)

    def test_killed_and_resumed(self):
        self.nnrun(RESIDUAL, "run.folder=whole")
        process = self.start(RESIDUAL)
        folder = self.run_folder(RESIDUAL)
        self.wait_for(lambda: (folder / "last.safetensors").exists(), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.nnrun(RESIDUAL, "--resume", "run.threads=2")
        self.check_same_run(folder, self.run_folder(RESIDUAL, root="whole"))

    def test_another_number_of_repetitions_does_not_resume(self):
        self.nnrun(RESIDUAL, "train.epochs=1")
        refused = self.nnrun(RESIDUAL, "--resume", "train.epochs=2", "model.layers[1].repeat.times=3", code=1)
        self.assertIn("model.layers[1].repeat.times", refused.stderr)

    def test_the_resolved_config_is_the_same_run(self):
        self.nnrun(RESIDUAL, "train.epochs=1")
        resolved = self.run_folder(RESIDUAL) / "config.yaml"
        self.nnrun(resolved)
        again = self.run_folder(resolved)
        self.check_same_run(again, self.run_folder(RESIDUAL))
        self.assertEqual((again / "config.yaml").read_text(), resolved.read_text())

    def test_a_repeat_is_what_it_is_written_out(self):
        short, long = self.folder / "short.yaml", self.folder / "long.yaml"
        rest = (CONFIGS / "residual.yaml").read_text()
        head, tail = rest[: rest.index("model:")], rest[rest.index("\ntrain:") :]
        block = ["- conv2d: {filters: 6, kernel: 3, padding: same}", "- batchnorm", "- relu", "- dropout: {rate: 0.1}"]
        end = "    - global_avgpool\n    - dense: {units: 10}\n"
        indented = "".join(f"          {line}\n" for line in block)
        short.write_text(f"{head}model:\n  layers:\n    - repeat:\n        times: 3\n        layers:\n{indented}{end}{tail}")
        long.write_text(f"{head}model:\n  layers:\n" + "".join(f"    {line}\n" for line in block) * 3 + end + tail)
        for config in (short, long):
            self.nnrun(config, "train.epochs=1")
        self.check_same_run(self.run_folder(short), self.run_folder(long))

    def test_plan_shows_repetitions_and_branches(self):
        plan = self.nnrun("plan", RESIDUAL).stdout
        rows = [re.split(r"  +", line)[:2] for line in plan.splitlines()]
        self.assertIn(["body-2", "2 of 2"], rows)
        self.assertIn(["block-2 of 12.conv2d, 7.relu", "2 of 2"], rows)
        self.assertTrue(any(row[0] == "17.conv2d of 14.relu" for row in rows), plan)


if __name__ == "__main__":
    harness.main()
