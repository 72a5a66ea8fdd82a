"""Photographs: a folder or an archive of pictures, damaged ones among them, from training to predict."""

import io
import os
import pathlib
import tarfile
import unittest

import harness

CONFIG = str(harness.CONFIGS / "pictures.yaml")


def ppm(red, number, side=12):
    pixels = bytes(v for i in range(side * side) for v in (red, (i * 7 + number * 13) % 90, (i + number) % 50))
    return f"P6\n{side} {side}\n255\n".encode() + pixels


def write_pictures(path, each, first=0, damaged=()):
    """A tar with `each` pictures a class, in the order of classes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, red in (("cat", 40), ("dog", 200)):
            for i in range(first, first + each):
                data = ppm(red, i)
                member = tarfile.TarInfo(f"{name}/{i:03}.ppm")
                data = data[:100] if member.name in damaged else data
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


class Images(harness.Case):
    def write(self, damaged=()):
        write_pictures(self.folder / "datasets/pets/train.tar", 40, damaged=damaged)
        write_pictures(self.folder / "datasets/pets/test.tar", 10, first=50)

    def test_damaged_pictures_are_reported_everywhere(self):
        self.write(damaged=("cat/003.ppm", "dog/010.ppm"))
        out = self.nnrun(CONFIG).stdout
        folder = self.run_folder(CONFIG)
        start = self.rows(folder, "start")[0]
        self.assertEqual((start["train_samples"], start["validation_samples"], start["test_samples"]), (62, 16, 20))
        notes = [row["text"] for row in self.rows(folder, "note")]
        self.assertEqual(len(notes), 1, notes)
        self.assertIn("2 of 80 pictures", notes[0])
        self.assertIn("2 of 80 pictures", out)
        log = (folder / "log.txt").read_text()
        for name in ("cat/003.ppm", "dog/010.ppm"):
            self.assertIn(f"train.tar: {name} is cut off", log)
        self.assertEqual(self.verdict(folder)["accuracy"], 1.0)

    def test_strict_is_an_error_before_the_run(self):
        self.write(damaged=("cat/003.ppm",))
        err = self.nnrun(CONFIG, "data.source.image_folder.strict=true", code=2).stderr
        self.assertIn("cat/003.ppm is cut off", err)
        self.assertIn("pictures.yaml:7:", err)
        self.assertFalse((self.folder / "runs").exists())

    def test_the_cache_and_the_threads_change_nothing(self):
        self.write(damaged=("cat/003.ppm",))
        self.nnrun(CONFIG)
        for number, words in enumerate((["cache=none"], ["cache=none", "run.threads=3"], ["cache=memory", "run.threads=2"]), 2):
            words = [f"data.source.image_folder.{word}" if word.startswith("cache") else word for word in words]
            self.nnrun(CONFIG, *words)
            self.check_same_run(self.run_folder(CONFIG, number), self.run_folder(CONFIG, 1))

    def test_one_folder_is_cut_into_train_and_test(self):
        self.write()
        config = ["data.test=pets/train.tar", "data.source.image_folder.train_share=0.75"]
        self.nnrun(CONFIG, *config)
        start = self.rows(self.run_folder(CONFIG), "start")[0]
        self.assertEqual((start["train_samples"], start["validation_samples"], start["test_samples"]), (48, 12, 20))

    def test_predict_takes_a_picture_of_any_size(self):
        self.write()
        self.nnrun(CONFIG)
        for side in (5, 12, 61):
            (self.folder / "photo.ppm").write_bytes(ppm(205, 3, side))
            out = self.nnrun("predict", self.run_folder(CONFIG) / "last.safetensors", "photo.ppm").stdout
            self.assertIn("photo.ppm: dog", out)
        (self.folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no photo")
        err = self.nnrun("predict", self.run_folder(CONFIG) / "last.safetensors", "broken.jpg", code=1).stderr
        self.assertIn("broken.jpg cannot be decoded", err)


class DrawnPets(harness.Case):
    def test_a_linear_model_cannot_tell_them(self):
        (self.folder / "linear.yaml").write_text(
            """data:
  source: {drawn_pets: {count: 1500}}
  transforms: [{scale: {divide_by: 255}}]
model: {layers: [flatten, {dense: {units: 1}}]}
train: {epochs: 15, batch: 32, loss: sigmoid_cross_entropy, optimizer: {adam: {learning_rate: 0.0003}}, metrics: [accuracy]}
"""
        )
        self.nnrun("linear.yaml")
        self.assertLess(self.verdict(self.run_folder("linear.yaml"))["accuracy"], 0.75)


@unittest.skipUnless(
    (pathlib.Path(os.environ.get("NNRUN_DATA", "/")) / "catdog/test.tar").exists(),
    "SKIPPED: NNRUN_DATA names no folder with the cat and dog photographs",
)
class RealPhotographs(harness.Case):
    def test_all_are_read(self):
        self.environment = harness.clean_environment(NNRUN_DATA=os.path.abspath(os.environ["NNRUN_DATA"]))
        words = ["data.train=catdog/train.tar", "data.test=catdog/test.tar", "data.source.image_folder.limit=500", "train.epochs=1"]
        self.nnrun(CONFIG, *words)
        start = self.rows(self.run_folder(CONFIG), "start")[0]
        self.assertEqual((start["train_samples"], start["validation_samples"], start["test_samples"]), (800, 200, 1000))
        self.assertEqual(self.rows(self.run_folder(CONFIG), "note"), [])


if __name__ == "__main__":
    harness.main()
