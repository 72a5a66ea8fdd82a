"""report.html: well-formed, sufficient unto itself, and of the figures that metrics.jsonl has. Looked at in Chromium, where it is."""

import array
import html.parser
import re
import shutil
import struct
import subprocess
import zlib
import base64

import harness
from harness import AVERAGED, PLAIN, RICH, STAND_INS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "link", "img", "br"}
if not CHROMIUM:
    print("!!! Chromium is not installed: report.html is not looked at in a browser (apt-get install chromium)")


class Page(html.parser.HTMLParser):
    """Checks that tags close, and collects what the tests ask for."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.ids, self.figures, self.pictures, self.addresses, self.texts = [], set(), [], [], [], []
        self.svgs = 0
        self.feed(text)
        self.close()
        assert not self.stack, f"not closed: {self.stack}"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.stack.append(tag)
        self.svgs += tag == "svg"
        self.ids.add(attrs.get("id"))
        if "data-figure" in attrs:
            self.figures.append((attrs["data-figure"], attrs["data-value"]))
        if tag == "img":
            self.pictures.append((attrs["alt"], attrs["src"]))
        self.addresses += [attrs[name] for name in ("src", "href", "action", "srcset") if name in attrs]

    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1] == tag, f"</{tag}> closes {self.stack[-1:]} in line {self.getpos()[0]}"
        self.stack.pop()

    def handle_startendtag(self, tag, attrs):
        assert tag in ("line", "path"), tag

    def handle_data(self, text):
        self.texts.append(text)


def read_png(uri):
    """(width, height, channels) of a PNG whose checksums and pixels are whole."""
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"), validate=True)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, pixels = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        if kind == b"IDAT":
            pixels += body
        at += 12 + length
    channels = {0: 1, 2: 3}[colour]
    assert depth == 8 and len(zlib.decompress(pixels)) == height * (1 + width * channels)
    return width, height, channels


def read_pixels(uri):
    """The rows of an 8-bit PNG, each a list of bytes, its line filters undone."""
    width, height, channels = read_png(uri)
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    packed, at = b"", 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        packed += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride = zlib.decompress(packed), width * channels
    above, rows = [0] * stride, []
    for r in range(height):
        line = raw[r * (stride + 1) : (r + 1) * (stride + 1)]
        row = []
        for i in range(stride):
            a, b, c = (row[i - channels], above[i], above[i - channels]) if i >= channels else (0, above[i], 0)
            near = min((a, b, c), key=lambda v: abs(a + b - c - v))
            row.append((line[1 + i] + (0, a, b, (a + b) // 2, near)[line[0]]) % 256)
        rows.append(row)
        above = row
    return rows


class Report(harness.Case):
    def page(self, folder):
        text = (folder / "report.html").read_text()
        self.assertFalse((folder / "report.html.tmp").exists())
        return Page(text), text

    def check_figures(self, page, folder):
        test, epochs = self.verdict(folder), self.rows(folder, "epoch")
        values = {}
        for name, value in page.figures:
            values.setdefault(name, []).append(value)
        self.assertEqual([float(v) for v in values["test.loss"]], [test["loss"]])
        self.assertEqual([float(v) for v in values["test.accuracy"]], [test["accuracy"]])
        for key in epochs[0]:
            if isinstance(epochs[0][key], (int, float)) and key != "epochs":
                self.assertEqual([float(v) for v in values["epoch." + key]], [row[key] for row in epochs], key)

    def test_a_run(self):
        self.nnrun(RICH)
        folder = self.run_folder(RICH)
        page, text = self.page(folder)
        self.check_figures(page, folder)
        self.assertLessEqual({"curves", "confusion", "mistakes", "filters", "layers", "epochs", "run", "machine", "config"}, page.ids)
        self.assertEqual(page.svgs, 3)  # loss, accuracy, learning rate
        self.assertTrue(page.pictures)
        for name, source in page.pictures:
            width, height, channels = read_png(source)
            self.assertEqual((width, height), (28, 28))
            self.assertEqual(channels, 3 if name.startswith("filter") else 1)
        self.assertEqual(sum(name.startswith("filter") for name, _ in page.pictures), 40)
        # Nothing from elsewhere, and nothing that runs.
        for address in page.addresses:
            self.assertTrue(address.startswith("data:"), address)
        self.assertIsNone(re.search(r"https?://|url\(|@import|<script|\bon\w+=", text.split('<details id="config">')[0]))
        # The verdict is the net's: as many mistakes as the accuracy says.
        test = self.verdict(folder)
        wrong = round((1 - test["accuracy"]) * test["samples"])
        self.assertIn(f"{wrong} of {test['samples']} test samples are wrong", text)
        self.assertIn(test["weights_sha256"], text)
        self.assertIn("dropout", text)
        self.assertNotIn("http-equiv", text)

    def test_filters_are_those_that_were_tested(self):
        # Large steps, so that the average is far from the weights.
        self.nnrun(AVERAGED, "train.epochs=1", "train.optimizer={adamw: {learning_rate: 0.1}}")
        folder = self.run_folder(AVERAGED)
        page, _ = self.page(folder)
        filters = [source for name, source in page.pictures if name.startswith("filter")]
        weights = self.weights(folder)
        name = next(n for n, (shape, _) in weights.items() if len(shape) == 2 and shape[0] == 784)
        distances = []
        for key in (name, "training." + name):
            (_, units), raw = weights[key]
            values = array.array("f", raw)
            greatest = 0.0
            for number, source in enumerate(filters[:3]):
                own = [abs(values[i * units + number]) for i in range(784)]
                pixels = [pixel for row in read_pixels(source) for pixel in row]
                # From white at 0 to (178, 24, 43) above and (33, 102, 172) below.
                colours = [pixels[3 * i : 3 * i + 3] for i in range(784)]
                strength = [(255 - green) / 231 if red > blue else (255 - red) / 222 for red, green, blue in colours]
                shares = zip(own, strength)
                greatest = max(greatest, *(abs(w / max(own) - s / max(strength)) for w, s in shares))
            distances.append(greatest)
        tested, trained = distances
        self.assertLess(tested, 0.008)  # half a level of 222, and its maximum
        self.assertGreater(trained, 2 * tested)

    def test_drawn_data_is_said_first_and_last(self):
        self.nnrun(STAND_INS)
        _, text = self.page(self.run_folder(STAND_INS))
        self.assertEqual(text.count("DRAWN DATA"), 2)
        self.assertLess(text.index("DRAWN DATA"), text.index('class="tiles"'))
        self.assertGreater(text.rindex("DRAWN DATA"), text.index('id="config"'))
        harness.write_idx(self.folder / "datasets/digits", "train", 200)
        harness.write_idx(self.folder / "datasets/digits", "test", 40)
        self.nnrun(STAND_INS)
        self.assertNotIn("DRAWN", self.page(self.run_folder(STAND_INS, 2))[1])

    def test_after_a_resume_the_curves_are_whole(self):
        self.nnrun(RICH, "train.epochs=2")
        folder = self.run_folder(RICH)
        self.nnrun(RICH, "train.epochs=4", "--resume")
        page, text = self.page(folder)
        self.assertEqual(len([name for name, _ in page.figures if name == "epoch.epoch"]), 4)
        self.check_figures(page, folder)
        self.assertIn("finished after", text)

    def test_without_the_rows(self):
        self.nnrun(PLAIN, "run.observers=[report]")
        page, text = self.page(self.run_folder(PLAIN))
        self.assertIn("finished after", text)
        self.assertEqual(len([name for name, _ in page.figures if name == "epoch.epoch"]), 2)
        self.assertIn("test.accuracy", [name for name, _ in page.figures])

    def test_before_the_observer_of_the_rows(self):
        self.nnrun(PLAIN, "run.observers=[report, metrics]")
        folder = self.run_folder(PLAIN)
        self.check_figures(self.page(folder)[0], folder)

    def test_without_it(self):
        self.nnrun(PLAIN, "run.observers=[console, metrics]")
        self.assertFalse((self.run_folder(PLAIN) / "report.html").exists())

    def test_a_run_that_fails_leaves_what_there_is(self):
        err = self.nnrun(PLAIN, "train.optimizer.adam.learning_rate=1e30", "train.epochs=5", code=1).stderr
        self.assertIn("not finite", err)
        _, text = self.page(self.run_folder(PLAIN))
        self.assertIn("running, 0 of 5 epochs", text)

    def test_a_report_that_cannot_be_written_is_a_warning(self):
        self.nnrun(PLAIN, "train.epochs=1", "run.observers=[metrics]")
        folder = self.run_folder(PLAIN)
        (folder / "report.html").mkdir()
        self.nnrun(PLAIN, "train.epochs=2", "run.observers=[metrics, report]", "--resume")
        self.assertIn("cannot write", (folder / "log.txt").read_text())
        self.assertIn("goes on without its report", (folder / "log.txt").read_text())
        self.assertFalse((folder / "report.html.tmp").exists())
        self.assertEqual(len(self.rows(folder, "epoch")), 2)

    def test_text_of_the_config_is_no_html(self):
        config = (self.folder / "a<b>&.yaml")
        config.write_text(f"extends: {PLAIN}\n")
        self.nnrun(config)
        _, text = self.page(self.folder / "runs/a<b>&/1")
        self.assertNotIn("<b>&", text)
        self.assertIn("a&lt;b&gt;&amp;.yaml", text)

    @harness.unittest.skipUnless(CHROMIUM, "!!! Chromium is not installed: report.html is not looked at in a browser")
    def test_in_a_browser(self):
        self.nnrun(RICH)
        file = self.run_folder(RICH) / "report.html"
        picture = self.folder / "report.png"
        words = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,2600",
                 f"--user-data-dir={self.folder / 'profile'}", "--enable-logging=stderr"]
        shown = subprocess.run([*words, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=harness.PATIENCE)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertNotIn("CONSOLE", shown.stderr)
        self.assertIn('id="mistakes"', shown.stdout)
        subprocess.run([*words, f"--screenshot={picture}", file.as_uri()], capture_output=True, timeout=harness.PATIENCE, check=True)
        self.assertGreater(picture.stat().st_size, 50_000)  # an empty page has some thousand bytes


if __name__ == "__main__":
    harness.main()
