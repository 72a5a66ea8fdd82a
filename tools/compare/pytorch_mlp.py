#!/usr/bin/python3
"""PyTorch in three manners (--settings):

    default   as it comes: nn.Sequential, torch.optim with default arguments, eager inference under no_grad
    best      as a user who tunes would have it. Training: the forward pass through torch.jit.trace, and optimizers with
              foreach, or all parameters as views of one tensor, which the optimizer steps over at once. Inference: traced and
              frozen, optimized for inference (oneDNN), or weights in oneDNN's own layout.
    by_hand   forward and backward written out with addmm and mm into kept buffers, without autograd: hardly PyTorch as its
              users know it, but the most that its kernels give

Where there are several ways each is tried briefly, and the quickest is measured. Except by default, denormals are flushed.
The rest is environment, which compare.py sets before the start: malloc (without the tunables Adam runs at half
speed: its temporaries are mapped and faulted in anew at every step), AVX-512 kernels, threads.
"""

import copy

import torch
import torch.nn.functional as functional
from torch.utils import mkldnn

import measuring
from agreement import demand_agreement
from fixture import BATCH, SAMPLES, STEPS, Fixture, reference

Momentum, Adam, Sgd = reference.Momentum, reference.Adam, reference.Sgd
BATCHES = SAMPLES // BATCH


def split(flat, sizes):
    """The flat fixture as (weights (in, out), bias) of each layer."""
    start = 0
    for inputs, outputs in zip(sizes, sizes[1:]):
        middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
        yield flat[start:middle].view(inputs, outputs), flat[middle:end]
        start = end


def make_model(flat, sizes):
    layers = []
    for i, (w, b) in enumerate(split(flat, sizes)):
        linear = torch.nn.Linear(*w.shape)
        linear.weight.data.copy_(w.t())
        linear.bias.data.copy_(b)
        layers += [linear] + ([torch.nn.ReLU()] if i + 2 < len(sizes) else [])
    return torch.nn.Sequential(*layers)


def make_optimizer(name, parameters, **more):
    if name == "sgd":
        return torch.optim.SGD(parameters, Sgd.rate, **more)
    if name == "momentum":
        return torch.optim.SGD(parameters, Momentum.rate, Momentum.beta, **more)
    return torch.optim.Adam(parameters, Adam.rate, (Adam.beta1, Adam.beta2), Adam.epsilon, **more)


class AutogradStep:
    def __init__(self, data, flat, sizes, optimizer, traced=False, flattened=False):
        self.data = data
        model = make_model(flat, sizes)
        parameters = list(model.parameters())
        self.gradient = None
        if flattened:
            parameters = [self.flatten(parameters)]
        self.optimizer = make_optimizer(optimizer, parameters, **({"foreach": True} if traced and not flattened else {}))
        self.model = torch.jit.trace(model, data[0][0]) if traced else model

    def flatten(self, parameters):
        """Makes parameters and gradients views of one tensor each."""
        size = sum(parameter.numel() for parameter in parameters)
        whole, self.gradient = torch.empty(size), torch.zeros(size)
        start = 0
        for parameter in parameters:
            part = slice(start, start + parameter.numel())
            whole[part] = parameter.data.reshape(-1)
            parameter.data = whole[part].view_as(parameter)
            parameter.grad = self.gradient[part].view_as(parameter)
            start = part.stop
        whole = torch.nn.Parameter(whole)
        whole.grad = self.gradient
        return whole

    def __call__(self, i):
        x, labels = self.data[i % BATCHES]
        loss = functional.cross_entropy(self.model(x), labels)
        if self.gradient is None:
            self.optimizer.zero_grad(set_to_none=True)
        else:
            self.gradient.zero_()
        loss.backward()
        self.optimizer.step()
        return loss


class HandwrittenStep:
    """Weights are (in, out) views of one tensor, as are their gradients."""

    def __init__(self, data, flat, sizes, optimizer):
        self.data, self.last = data, len(sizes) - 2
        self.w, self.g = flat.clone(), torch.zeros_like(flat)
        self.weights, self.gradients = list(split(self.w, sizes)), list(split(self.g, sizes))
        self.mean, self.square, self.scratch = (torch.zeros_like(flat) for _ in range(3))
        self.y, self.dy = ([torch.empty(BATCH, size) for size in sizes] for _ in range(2))
        self.rows = torch.arange(BATCH)
        self.update = getattr(self, optimizer)
        self.steps = 0

    @torch.no_grad()
    def __call__(self, i):
        y = self.y
        y[0], labels = self.data[i % BATCHES]
        for layer, (w, b) in enumerate(self.weights):
            torch.addmm(b, y[layer], w, out=y[layer + 1])
            if layer < self.last:
                y[layer + 1].relu_()
        logarithms = torch.log_softmax(y[-1], 1)
        loss = functional.nll_loss(logarithms, labels)
        dy = logarithms.exp_()
        dy[self.rows, labels] -= 1
        dy.mul_(1 / BATCH)
        for layer in range(self.last, -1, -1):
            torch.mm(y[layer].t(), dy, out=self.gradients[layer][0])
            torch.sum(dy, 0, out=self.gradients[layer][1])
            if layer:
                torch.mm(dy, self.weights[layer][0].t(), out=self.dy[layer])
                dy = torch.ops.aten.threshold_backward(self.dy[layer], y[layer], 0)
        self.steps += 1
        self.update()
        return loss

    def sgd(self):
        self.w.add_(self.g, alpha=-Sgd.rate)

    def momentum(self):
        self.mean.mul_(Momentum.beta).add_(self.g)
        self.w.add_(self.mean, alpha=-Momentum.rate)

    def adam(self):
        root = (1 - Adam.beta2**self.steps) ** 0.5
        rate = Adam.rate * root / (1 - Adam.beta1**self.steps)
        self.mean.mul_(Adam.beta1).add_(self.g, alpha=1 - Adam.beta1)
        self.square.mul_(Adam.beta2).addcmul_(self.g, self.g, value=1 - Adam.beta2)
        torch.sqrt(self.square, out=self.scratch)
        self.scratch.add_(Adam.epsilon * root)
        self.w.addcdiv_(self.mean, self.scratch, value=-rate)


def training_ways(settings, data, flat, sizes, optimizer):
    if settings == "default":
        return {"eager": AutogradStep(data, flat, sizes, optimizer)}
    if settings == "by_hand":
        return {"by hand": HandwrittenStep(data, flat, sizes, optimizer)}
    return {
        "traced": AutogradStep(data, flat, sizes, optimizer, traced=True),
        "flat": AutogradStep(data, flat, sizes, optimizer, traced=True, flattened=True),
    }


def handwritten_inference(flat, sizes, batch):
    weights = [(w.clone(), b.clone()) for w, b in split(flat, sizes)]
    outputs = [torch.empty(batch, size) for size in sizes[1:]]

    def infer(x):
        for layer, ((w, b), y) in enumerate(zip(weights, outputs)):
            torch.addmm(b, x, w, out=y)
            x = y.relu_() if layer + 2 < len(sizes) else y
        return x

    return infer


def inference_ways(settings, flat, sizes, example):
    if settings == "by_hand":
        return {"by hand": handwritten_inference(flat, sizes, len(example))}
    model = make_model(flat, sizes).eval()
    if settings == "default":
        return {"eager": model}
    freeze = lambda: torch.jit.freeze(torch.jit.trace(model, example))
    packed = mkldnn.to_mkldnn(copy.deepcopy(model))
    return {
        "frozen": freeze(),
        "optimized": torch.jit.optimize_for_inference(freeze()),
        "oneDNN layout": lambda x: packed(x.to_mkldnn()).to_dense(),
    }


def main():
    arguments = measuring.parser().parse_args()
    default = arguments.settings == "default"
    if not default:
        torch.set_flush_denormal(True)
    fixture = Fixture(arguments.fixture)
    flat = torch.from_numpy(fixture.flat_weights)
    data = []
    for number in range(BATCHES):
        x, labels = fixture.batch(number)
        data.append((torch.from_numpy(x), torch.from_numpy(labels).long()))
    settings = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    train, inference, off = {}, {}, 0.0
    for optimizer in fixture.losses:
        ways = training_ways(arguments.settings, data, flat, fixture.sizes, optimizer)
        for name, way in ways.items():
            losses = [float(way(i)) for i in range(STEPS)]
            off = max(off, demand_agreement(f"loss, {name} with {optimizer}", losses, fixture.losses[optimizer]))
        settings[optimizer], rate = measuring.quickest(ways, arguments.seconds)
        train[optimizer] = rate * BATCH
    samples = torch.from_numpy(fixture.samples)
    with torch.no_grad() if default else torch.inference_mode():
        for batch in fixture.inference_batches:
            ways = inference_ways(arguments.settings, flat, fixture.sizes, samples[:batch])
            for name, way in ways.items():
                for _ in range(3):  # the jit settles in its first calls
                    logits = way(samples[:batch])
                off = max(off, demand_agreement(f"logits, {name}", logits.numpy(), fixture.logits[:batch]))
            calls = {name: lambda i, way=way, x=samples[:batch]: way(x) for name, way in ways.items()}
            settings[f"inference {batch}"], rate = measuring.quickest(calls, arguments.seconds)
            inference[batch] = rate * batch
    measuring.report(f"pytorch_{arguments.settings}", arguments.threads, settings, train, inference, off)


if __name__ == "__main__":
    main()
