"""Runs beside each other, and places that cannot be written."""

import harness
from harness import PLAIN, SLOW_STEP


class Folders(harness.Case):
    def test_started_at_once_each_has_its_own(self):
        processes = [self.start(PLAIN) for _ in range(4)]
        for process in processes:
            _, err = process.communicate(timeout=harness.PATIENCE)
            self.assertEqual(process.returncode, 0, err)
        folders = [self.run_folder(PLAIN, number) for number in range(1, 5)]
        for folder in folders:
            self.check_same_run(folder, folders[0])
        self.assertFalse(self.run_folder(PLAIN, 5).exists())

    def test_a_run_that_is_being_written_to_is_not_resumed(self):
        folder = self.run_folder(SLOW_STEP)
        process = self.start(SLOW_STEP)
        self.wait_for((folder / "metrics.jsonl").exists, process)
        before = (folder / "metrics.jsonl").read_bytes()
        err = self.nnrun(SLOW_STEP, "--resume", code=1).stderr
        self.assertIn("another nnrun is writing to", err)
        self.assertIn(str(folder.relative_to(self.folder)), err)
        self.assertTrue((folder / "metrics.jsonl").read_bytes().startswith(before))
        self.assertIsNone(process.poll())

    def test_folders_that_cannot_be_made(self):
        (self.folder / "file").write_text("x")
        for folder in ("/proc/nnrun", "file", "file/below"):
            with self.subTest(folder=folder):
                err = self.nnrun(PLAIN, f"run.folder={folder}", code=1).stderr
                self.assertIn("cannot make the folder", err)
                self.assertIn("run.folder=", err)
        self.assertEqual((self.folder / "file").read_text(), "x")

    def test_a_wrong_config_leaves_no_run_behind(self):
        for override in ("train.keep=best", "model.layers=[flatten, {dense: {units: 9}}]", "model.layers=[relu, {dense: {units: 10}}]"):
            with self.subTest(override=override):
                self.nnrun(PLAIN, override, code=2)
                self.assertFalse(self.run_folder(PLAIN).exists())

    def test_a_full_disk(self):
        self.nnrun(PLAIN, "train.epochs=3", "run.folder=whole")
        self.nnrun(PLAIN, "train.epochs=1")
        folder = self.run_folder(PLAIN)
        before = (folder / "last.safetensors").read_bytes()
        err = self.nnrun(PLAIN, "train.epochs=3", "--resume", code=1, preexec_fn=harness.limit_file_size(100_000)).stderr
        self.assertIn("cannot write", err)
        self.assertIn("last.safetensors", err)
        self.assertIn("too large", err)
        self.assertEqual((folder / "last.safetensors").read_bytes(), before)
        self.assertFalse((folder / "last.safetensors.tmp").exists())
        self.nnrun("eval", folder / "last.safetensors")
        self.nnrun(PLAIN, "train.epochs=3", "--resume")
        whole = self.run_folder(PLAIN, root="whole")
        self.check_same_run(folder, whole)

    def test_a_disk_that_is_full_from_the_start(self):
        # 1024 bytes are what LLVM's OpenMP, in builds by clang, needs for a file of its own before it begins.
        err = self.nnrun(PLAIN, code=1, preexec_fn=harness.limit_file_size(1024)).stderr
        self.assertIn("cannot write", err)
        self.nnrun(PLAIN, "--resume")
        self.assertEqual(self.run_folder(PLAIN).name, "1")

    def test_a_disk_that_is_full_for_the_rows_alone(self):
        # A checkpoint is smaller than the rows of an epoch: these are the first that find no room.
        small = (PLAIN, "model.layers=[flatten, {dense: {units: 10}}]", "train.optimizer=sgd", "train.batch=3", "train.epochs=2")
        self.nnrun(*small, "run.folder=whole")
        for limit in (45_001, 50_001, 60_007):
            with self.subTest(limit=limit):
                root = f"runs{limit}"
                err = self.nnrun(*small, f"run.folder={root}", code=1, preexec_fn=harness.limit_file_size(limit)).stderr
                self.assertIn("metrics", err)
                self.nnrun(*small, f"run.folder={root}", "--resume")
                self.check_same_run(self.run_folder(PLAIN, root=root), self.run_folder(PLAIN, root="whole"))


if __name__ == "__main__":
    harness.main()
