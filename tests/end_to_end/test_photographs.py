"""The cat and dog net with augmentation and dropout: the same bits for any number of threads and after kill -9, with its pictures kept in
memory or decoded in the background."""

import os
import pathlib
import signal
import unittest

import harness
from test_images import write_pictures

CONFIG = str(harness.CONFIGS / "photographs.yaml")
NOT_KEPT = "data.source.image_folder.cache=none"
KEPT = "data.source.image_folder.cache=memory"


class SameBits:
    """`words` choose the pictures."""

    words = []
    threads = (1, 2, 3, 4, 8)

    def test_any_number_of_threads_kept_in_memory_or_not(self):
        expected = None
        runs = [(threads, cache) for threads in self.threads for cache in (KEPT, NOT_KEPT)]
        for number, (threads, cache) in enumerate(runs, start=1):
            with self.subTest(threads=threads, cache=cache):
                self.nnrun(CONFIG, *self.words, f"run.threads={threads}", cache)
                folder = self.run_folder(CONFIG, number)
                expected = expected or folder
                self.check_same_run(folder, expected)

    def test_killed_and_resumed(self):
        for root, cache in (("kept", KEPT), ("not_kept", NOT_KEPT)):
            with self.subTest(cache):
                words = [*self.words, cache, "run.threads=2"]
                self.nnrun(CONFIG, *words, "run.folder=whole_" + root)
                words.append("run.folder=" + root)
                process = self.start(CONFIG, *words)
                folder = self.run_folder(CONFIG, root=root)
                self.wait_for(lambda: (folder / "last.safetensors").exists(), process)
                process.send_signal(signal.SIGKILL)
                process.wait()
                self.nnrun(CONFIG, *words, "--resume")
                self.check_same_run(folder, self.run_folder(CONFIG, root="whole_" + root))


class MadeUp(SameBits, harness.Case):
    def setUp(self):
        super().setUp()
        write_pictures(self.folder / "datasets/pets/train.tar", 60)
        write_pictures(self.folder / "datasets/pets/test.tar", 10, first=70)


@unittest.skipUnless(
    (pathlib.Path(os.environ.get("NNRUN_DATA", "/")) / "catdog/test.tar").exists(),
    "SKIPPED: NNRUN_DATA names no folder with the cat and dog photographs",
)
class Real(SameBits, harness.Case):
    # Large enough that decoding them is worth doing ahead.
    threads = (1, 3)
    words = ["data.train=catdog/train.tar", "data.test=catdog/test.tar", "data.source.image_folder.limit=40", "train.epochs=2",
             "data.source.image_folder.size=[128, 128]", "model.layers[0].conv2d.stride=4"]

    def setUp(self):
        super().setUp()
        self.environment = harness.clean_environment(NNRUN_DATA=os.path.abspath(os.environ["NNRUN_DATA"]))


if __name__ == "__main__":
    harness.main()
