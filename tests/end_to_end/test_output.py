"""Output: to a terminal, to a pipe, and to nobody."""

import os
import pty
import subprocess

import harness
from harness import PLAIN


class Output(harness.Case):
    def test_a_pipe_gets_plain_lines(self):
        result = self.nnrun(PLAIN)
        for character in "\r\x1b":
            self.assertNotIn(character, result.stdout)
        self.assertIn("epoch", result.stdout)
        self.assertEqual(result.stderr, "")

    def on_terminal(self, *words, **environment):
        """What a terminal would get."""
        master, slave = pty.openpty()
        try:
            process = self.start(*words, stdout=slave, env=harness.clean_environment(**environment))
            os.close(slave)
            slave = -1
            shown = b""
            while True:
                try:
                    part = os.read(master, 65536)
                except OSError:  # the other side is closed
                    break
                if not part:
                    break
                shown += part
            err = process.stderr.read()
            self.assertEqual(process.wait(harness.PATIENCE), 0, err)
        finally:
            os.close(master)
            if slave >= 0:
                os.close(slave)
        return shown.decode(errors="replace")

    # An epoch long enough for a bar, which is drawn some times a second.
    LONG = (PLAIN, "train.epochs=1", "data.source.drawn_digits.count=1500", "model.layers[1].dense.units=300", "run.kernels=scalar")

    def test_a_terminal_gets_a_bar(self):
        shown = self.on_terminal(*self.LONG, TERM="xterm", LC_ALL="C")
        self.assertIn("\r\x1b[K", shown)
        self.assertIn("left", shown)
        self.assertRegex(shown, "[#-]{10}")
        self.assertIn("finished", shown)

    def test_a_terminal_without_colour(self):
        for environment in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}):
            with self.subTest(environment=environment):
                shown = self.on_terminal(*self.LONG, **environment)
                self.assertNotIn("\x1b", shown)
                self.assertNotIn("\r\x1b[K", shown)

    def test_errors_are_coloured_on_a_terminal_only(self):
        self.assertNotIn("\x1b", self.nnrun(PLAIN, "seed=x", code=2).stderr)

    def closed_pipe(self):
        read, write = os.pipe()
        os.close(read)
        return write

    def test_a_closed_pipe_does_not_end_a_training(self):
        write = self.closed_pipe()
        try:
            result = self.nnrun(PLAIN, stdout=write, code=0)
        finally:
            os.close(write)
        self.assertEqual(result.stderr, "")
        self.assertEqual(self.verdict(self.run_folder(PLAIN))["samples"], 333)

    def test_a_closed_pipe_is_an_error_where_output_is_all(self):
        for words in (["plan", PLAIN], ["plugins"], ["kernels", "--json"], ["--help"]):
            with self.subTest(words=words):
                write = self.closed_pipe()
                try:
                    process = self.start(*words, stdout=write)
                    process.communicate(timeout=harness.PATIENCE)
                finally:
                    os.close(write)
                self.assertIn(process.returncode, (0, 1))  # no signal

    def test_a_full_device(self):
        with open("/dev/full", "w") as full:
            self.assertIn("standard output", self.nnrun("plan", PLAIN, stdout=full, code=1).stderr)
            self.nnrun(PLAIN, stdout=full, code=0)

    def test_head(self):
        shell = subprocess.run(f"'{harness.PROGRAM}' plugins --json | head -n 1", shell=True, cwd=self.folder, env=self.environment,
                               capture_output=True, text=True, check=False)
        self.assertEqual(shell.stdout, "{\n")


if __name__ == "__main__":
    harness.main()
