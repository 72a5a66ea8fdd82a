#!/usr/bin/python3
"""JPEG files out of an archive to batches of 16 as PyTorch's users load them: PIL decodes, NumPy scales to 0..1, torch stacks; on
several threads a DataLoader with as many worker processes. The files are in memory; batches are channels last, and shuffled."""

import argparse
import io
import pathlib
import tarfile
import time

import numpy
import torch
from PIL import Image

import measuring

BATCH, SIDE, FILES = 16, 128, 2048


def decode(data):
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    if picture.size != (SIDE, SIDE):
        picture = picture.resize((SIDE, SIDE), Image.BILINEAR)
    return numpy.asarray(picture, numpy.float32) * numpy.float32(1 / 255)


class Pictures(torch.utils.data.Dataset):
    def __init__(self, path):
        with tarfile.open(path) as archive:
            members = [member for member in archive if member.isfile()]
            self.files = [archive.extractfile(member).read() for member in members[:: max(1, len(members) // FILES)]]

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return torch.from_numpy(decode(self.files[index])).permute(2, 0, 1)


def rate_of(pictures, threads, seconds):
    workers = 0 if threads == 1 else threads
    loader = torch.utils.data.DataLoader(pictures, BATCH, shuffle=True, drop_last=True, num_workers=workers)
    count = 0
    start = end = None
    while end is None:
        for batch in loader:
            if start is None:
                start = time.perf_counter()  # the workers run
                continue
            count += len(batch)
            if time.perf_counter() - start > seconds and count >= 20 * BATCH:
                end = time.perf_counter()
                break
    return count / (end - start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--write", metavar="DIR", type=pathlib.Path, help="write one picture, and what comes of it, and no more")
    arguments = parser.parse_args()
    pictures = Pictures(arguments.archive)
    if arguments.write:
        (arguments.write / "picture.jpg").write_bytes(pictures.files[0])
        numpy.save(arguments.write / "picture.npy", decode(pictures.files[0])[None])
        return
    torch.set_num_threads(1)
    rate = rate_of(pictures, arguments.threads, arguments.seconds)
    measuring.report("pytorch", arguments.threads, {"torch": torch.__version__}, {}, {}, 0.0, loading={"jpeg": rate})


if __name__ == "__main__":
    main()
