"""kill -9 at any time, then --resume: as if nothing had happened."""

import random
import time

import harness
from harness import AVERAGED, PLAIN, RICH

KILLS = 20


class Kill(harness.Case):
    def check(self, config, seed, kills, *overrides):
        overrides = (*overrides, "run.folder=killed")
        whole = (*overrides, "run.folder=whole")
        started = time.monotonic()
        self.nnrun(config, *whole)
        duration = time.monotonic() - started
        expected = self.run_folder(config, root="whole")
        draw = random.Random(seed)
        number, killed = 1, 0
        while killed < kills:
            # The first attempt of each run has nothing to resume, and starts anew.
            self.nnrun_resumed(config, draw, duration, overrides)
            killed += 1
            if draw.random() < 0.3:
                number = self.finish(config, number, overrides, expected)
        self.finish(config, number, overrides, expected)

    def nnrun_resumed(self, config, draw, duration, overrides):
        process = self.start(config, *overrides, "--resume")
        # A finished run would be over sooner; its end is a moment to be killed at, too.
        time.sleep(draw.uniform(0, duration * 0.7))
        process.kill()
        _, err = process.communicate()
        self.assertIn(process.returncode, (-9, 0), err)

    def finish(self, config, number, overrides, expected):
        self.nnrun(config, *overrides, "--resume")
        folder = self.run_folder(config, number, root="killed")
        self.assertEqual(self.verdict(folder), self.verdict(expected))
        self.check_same_run(folder, expected)
        steps = [row["step"] for row in self.rows(folder, "batch")]
        self.assertEqual(steps, list(range(1, len(steps) + 1)))
        # The next kills are of a new run.
        (self.run_folder(config, number + 1, root="killed")).mkdir()
        return number + 1

    def test_all_that_keeps_state(self):
        self.check(RICH, 1, KILLS)

    def test_all_that_changes_how_weights_are_trained(self):
        self.check(AVERAGED, 3, KILLS)

    def test_a_checkpoint_each_step(self):
        self.check(PLAIN, 2, KILLS // 2, "train.checkpoint.seconds=0", "train.batch=64", "run.threads=2")


if __name__ == "__main__":
    harness.main()
