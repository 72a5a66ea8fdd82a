"""The real photographs of cats and dogs, where NNRUN_DATA has them: the small net learns them, and answers for a single one."""

import os
import pathlib
import tarfile
import unittest

import harness

ROOT = pathlib.Path(os.environ.get("NNRUN_DATA", "/"))
CONFIG = str(harness.PROJECT / "configs/catdog_small.yaml")
# A tenth of the photographs, and so few epochs: about a minute.
SHORT = ("data.source.image_folder.limit=900", "train.epochs=6", "train.batch=32")


@unittest.skipUnless(
    all((ROOT / "catdog" / name).exists() for name in ("train.tar", "test.tar")),
    "SKIPPED: NNRUN_DATA names no folder with the cat and dog photographs (datasets/fetch.sh catdog)",
)
class CatDog(harness.Case):
    def setUp(self):
        super().setUp()
        self.environment = harness.clean_environment(NNRUN_DATA=str(ROOT.absolute()))

    def test_a_minute_is_enough_to_tell_most_cats_from_dogs(self):
        out = self.nnrun(CONFIG, *SHORT).stdout
        self.assertNotIn("DRAWN", out)
        folder = self.run_folder(CONFIG)
        verdict = self.verdict(folder)
        self.assertEqual(verdict["data"], "real")
        self.assertEqual(verdict["samples"], 1800)
        self.assertGreaterEqual(verdict["accuracy"], 0.65)
        self.assertTrue((folder / "report.html").exists())

        # One photograph, as a file of its own.
        with tarfile.open(ROOT / "catdog/test.tar") as archive:
            member = next(m for m in archive if m.isfile())
            photograph = self.folder / "photograph.jpg"
            photograph.write_bytes(archive.extractfile(member).read())
        answer = self.nnrun("predict", str(folder / "last.safetensors"), str(photograph)).stdout
        self.assertRegex(answer, r"(?i)(cat|dog)")


if __name__ == "__main__":
    harness.main()
