"""Real data where it is; drawn stand-ins, and loudly so, where it may be missing; an error where it must not."""

import json

import harness
from harness import STAND_INS


class Data(harness.Case):
    def write(self, root):
        harness.write_idx(root / "digits", "train", 200)
        harness.write_idx(root / "digits", "test", 40)

    def data_of(self, number=1):
        return self.verdict(self.run_folder(STAND_INS, number))["data"]

    def test_stand_ins_are_said_first_and_last(self):
        out = self.nnrun(STAND_INS).stdout
        lines = [line for line in out.splitlines() if line.strip()]
        loud = [i for i, line in enumerate(lines) if "DRAWN" in line]
        self.assertTrue(loud and loud[0] <= 2, out)
        self.assertTrue(loud[-1] >= len(lines) - 3, out)
        self.assertIn("nothing about the real data", out)
        folder = self.run_folder(STAND_INS)
        self.assertEqual(self.data_of(), "drawn")
        self.assertTrue(any("stand-ins" in row["text"] for row in self.rows(folder, "note")))
        self.assertIn("DRAWN", self.nnrun("eval", folder / "last.safetensors").stdout)
        self.assertEqual(json.loads(self.nnrun("eval", folder / "last.safetensors", "--json").stdout)["data"], "drawn")

    def test_real_data_in_the_default_place(self):
        self.write(self.folder / "datasets")
        out = self.nnrun(STAND_INS).stdout
        self.assertNotIn("DRAWN", out)
        self.assertEqual(self.data_of(), "real")
        self.assertEqual(self.rows(self.run_folder(STAND_INS), "note"), [])

    def test_real_data_by_variable_and_by_option(self):
        self.write(self.folder / "elsewhere")
        self.nnrun(STAND_INS, env=harness.clean_environment(NNRUN_DATA=str(self.folder / "elsewhere")))
        self.nnrun(STAND_INS, "--data", self.folder / "elsewhere")
        self.nnrun(STAND_INS, "--data", "elsewhere")
        self.nnrun(STAND_INS, f"data.train={self.folder}/elsewhere/digits/train", f"data.test={self.folder}/elsewhere/digits/test")
        for number in (1, 2, 3, 4):
            self.assertEqual(self.data_of(number), "real")

    def test_the_variable_may_point_to_nothing(self):
        self.nnrun(STAND_INS, env=harness.clean_environment(NNRUN_DATA=str(self.folder / "nothing")))
        self.assertEqual(self.data_of(), "drawn")

    def test_an_explicit_place_without_the_set_is_an_error(self):
        (self.folder / "empty").mkdir()
        for words in (["--data", "empty"], ["--data", "no/such"], [f"data.train={self.folder}/empty/train"]):
            with self.subTest(words=words):
                self.assertIn("there is neither", self.nnrun(STAND_INS, *words, code=2).stderr)
        self.assertFalse((self.folder / "runs").exists())

    def test_a_damaged_set_is_an_error(self):
        files = [f"{part}-{kind}-ubyte" for part in ("train", "test") for kind in ("images-idx3", "labels-idx1")]
        for file in files:
            with self.subTest(missing=file):
                self.write(self.folder / "datasets")
                (self.folder / "datasets/digits" / file).unlink()
                self.assertIn(file.split("-ubyte")[0], self.nnrun(STAND_INS, code=2).stderr)
            with self.subTest(cut=file):
                self.write(self.folder / "datasets")
                path = self.folder / "datasets/digits" / file
                path.write_bytes(path.read_bytes()[:-3])
                self.assertIn(file, self.nnrun(STAND_INS, code=2).stderr)
            with self.subTest(empty=file):
                self.write(self.folder / "datasets")
                (self.folder / "datasets/digits" / file).write_bytes(b"")
                self.nnrun(STAND_INS, code=2)
        self.assertFalse((self.folder / "runs").exists())

    def test_a_run_does_not_change_its_data(self):
        self.nnrun(STAND_INS, "train.epochs=1")
        self.write(self.folder / "datasets")
        folder = self.run_folder(STAND_INS)
        before = self.rows(folder)
        self.assertIn("drawn", self.nnrun(STAND_INS, "train.epochs=2", "--resume", code=1).stderr)
        self.assertEqual(self.rows(folder), before)

    def test_validation_from_test_is_said_to_overlap(self):
        self.write(self.folder / "datasets")
        self.nnrun(STAND_INS, "data.validation={from: test, range: [10, 30]}")
        self.assertTrue(any("overlap" in row["text"] for row in self.rows(self.run_folder(STAND_INS), "note")))
        self.assertIn("range", self.nnrun(STAND_INS, "data.validation={from: test, range: [10, 41]}", code=2).stderr)


if __name__ == "__main__":
    harness.main()
