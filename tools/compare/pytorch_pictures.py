#!/usr/bin/python3
"""PyTorch on the nets for photographs in two manners (--settings):

    default   as it comes: contiguous (N, C, H, W), torch.optim with default arguments, eager inference under no_grad
    best      as a user who tunes would have it: channels last or not, traced or eager, whichever is quicker; optimizers with foreach.
              Inference: traced, frozen and optimized for inference (oneDNN), or frozen alone, in either layout

The environment (malloc's settings above all, threads) comes from compare.py. Batches are ready float32 tensors in the layout that is
wanted; nothing is loaded.
"""

import pathlib

import numpy
import torch

import measuring
import pictures
from agreement import demand_agreement

LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}


def read(folder, name, dtype=numpy.float32):
    return numpy.fromfile(folder / name, dtype)


class Step:
    def __init__(self, net, state, x, labels, layout, traced, foreach, dropout):
        model = net.make()
        model.load_state_dict(state)
        if not dropout:
            pictures.without_dropout(model)
        model = model.to(memory_format=LAYOUTS[layout])
        self.optimizer = net.make_optimizer(model.parameters(), **({"foreach": True} if foreach else {}))
        x = x.contiguous(memory_format=LAYOUTS[layout])
        self.batches = [(x[i : i + net.batch], labels[i : i + net.batch]) for i in range(0, len(x), net.batch)]
        # Checking a trace would compare two runs of the dropout.
        self.model = torch.jit.trace(model, self.batches[0][0], check_trace=False) if traced else model

    def __call__(self, i):
        x, labels = self.batches[i % len(self.batches)]
        loss = pictures.loss_of(self.model, x, labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss


def training_ways(settings):
    if settings == "default":
        return {"eager": {"layout": "contiguous", "traced": False, "foreach": False}}
    return {
        f"{layout}, {'traced' if traced else 'eager'}": {"layout": layout, "traced": traced, "foreach": True}
        for layout in LAYOUTS
        for traced in (False, True)
    }


def inference_ways(settings, net, state, x):
    model = net.make()
    model.load_state_dict(state)
    model.eval()
    if settings == "default":
        x = x.contiguous()
        return {"eager": lambda: model(x)}
    ways = {}
    for layout, memory_format in LAYOUTS.items():
        model = model.to(memory_format=memory_format)
        example = x.contiguous(memory_format=memory_format)
        freeze = lambda: torch.jit.freeze(torch.jit.trace(model, example))
        for name, way in {"frozen": freeze(), "optimized": torch.jit.optimize_for_inference(freeze())}.items():
            ways[f"{layout}, {name}"] = lambda way=way, example=example: way(example)
    return ways


def main():
    parser = measuring.parser()
    parser.add_argument("--net", choices=pictures.NETS, required=True)
    arguments = parser.parse_args()
    if arguments.settings != "default":
        torch.set_flush_denormal(True)
    folder, net = pathlib.Path(arguments.fixture), pictures.NETS[arguments.net]
    x = pictures.as_input(read(folder, "samples.f32").reshape(-1, pictures.SIDE, pictures.SIDE, 3))
    labels = torch.from_numpy(read(folder, "labels.i32", numpy.int32)).float()
    state = torch.load(folder / "model.pt")
    settings = {"torch": torch.__version__, "threads": torch.get_num_threads()}

    off, train, inference, timed = 0.0, {}, {}, {}
    expected = read(folder, f"losses_{net.optimizer}.f32")
    for name, way in training_ways(arguments.settings).items():
        step = Step(net, state, x, labels, dropout=False, **way)
        losses = [float(step(i)) for i in range(net.steps)]
        off = max(off, demand_agreement(f"loss, {name}", losses, expected, net.tolerance))
        timed[name] = Step(net, state, x, labels, dropout=True, **way)
    settings["training"], rate = measuring.quickest(timed, arguments.seconds)
    train[net.optimizer] = rate * net.batch

    logits = read(folder, "logits.f32")
    with torch.no_grad() if arguments.settings == "default" else torch.inference_mode():
        for batch in pictures.INFERENCE_BATCHES:
            ways = inference_ways(arguments.settings, net, state, x[:batch])
            for name, way in ways.items():
                for _ in range(3):  # the jit settles in its first calls
                    got = way()
                off = max(off, demand_agreement(f"logits, {name}", got[:, 0].numpy(), logits[:batch]))
            calls = {name: lambda i, way=way: way() for name, way in ways.items()}
            settings[f"inference {batch}"], rate = measuring.quickest(calls, arguments.seconds)
            inference[batch] = rate * batch
    measuring.report(f"pytorch_{arguments.settings}", arguments.threads, settings, train, inference, off)


if __name__ == "__main__":
    main()
