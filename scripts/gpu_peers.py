"""PyTorch beside zerofive on the same work, in turns: prints a JSON object a line, as GpuTimings steps does.

    gpu_peers.py MNIST ROUNDS EPOCHS DEADLINE COMMAND...

MNIST is the folder with its raw files; COMMAND starts GpuTimings steps. Each round trains every model by every way for
EPOCHS epochs. torch.compile comes last and ends DEADLINE seconds after the start of this script, so that it can take
nothing else's time. PyTorch's data is on the GPU as float32 and its batches are slices; nothing is shuffled or gathered, which
zerofive does.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import torch
from torch import nn

BATCH = 256
RATE = 0.5
WARM_UP_EPOCHS = 3
MODELS = {"linear": [], "mlp:30": [30], "mlp:512,256": [512, 256], "mlp:2048": [2048]}
OURS = ["own graph", "own stepwise", "cublas graph", "cublas stepwise"]


def mnist(folder):
    """Zeros and fives of the training set: [n, 784] in [0, 1], and [n, 1] with 1 for a zero."""
    images = (folder / "train-images-idx3-ubyte").read_bytes()[16:]
    labels = (folder / "train-labels-idx1-ubyte").read_bytes()[8:]
    labels = torch.frombuffer(bytearray(labels), dtype=torch.uint8)
    images = torch.frombuffer(bytearray(images), dtype=torch.uint8).view(-1, 784)
    wanted = (labels == 0) | (labels == 5)
    x = images[wanted].float().div(255).cuda()
    y = (labels[wanted] == 0).float().view(-1, 1).cuda()
    return x, y


class Training:
    """A model and its optimiser; an epoch is one call of step for each batch."""

    def __init__(self, hidden, x, y, compiled):
        layers = []
        width = x.shape[1]
        for units in hidden:
            layers += [nn.Linear(width, units), nn.ReLU()]
            width = units
        self.model = nn.Sequential(*layers, nn.Linear(width, 1)).cuda()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=RATE)
        self.batches = list(zip(x.split(BATCH), y.split(BATCH)))
        self.loss_sum = torch.zeros((), device="cuda")
        self.loss = torch.compile(self.mean_loss, dynamic=False) if compiled else self.mean_loss

    def mean_loss(self, x, y):
        return nn.functional.binary_cross_entropy_with_logits(self.model(x), y)

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(x, y)
        loss.backward()
        self.optimizer.step()
        self.loss_sum += loss.detach() * len(x)

    def epoch(self):
        self.loss_sum.zero_()
        for x, y in self.batches:
            self.step(x, y)


class StepGraph(Training):
    """The step as a CUDA graph over a batch that stays in place; the short last batch has its own."""

    def __init__(self, hidden, x, y):
        super().__init__(hidden, x, y, compiled=False)
        warm_up(super().epoch)
        self.graphs = {}
        for x, y in self.batches:
            if len(x) not in self.graphs:
                place = (x.clone(), y.clone())
                self.graphs[len(x)] = (*place, capture(lambda place=place: self.step(*place)))

    def epoch(self):
        self.loss_sum.zero_()
        for x, y in self.batches:
            x_place, y_place, graph = self.graphs[len(x)]
            x_place.copy_(x)
            y_place.copy_(y)
            graph.replay()


class EpochGraph(Training):
    """All steps of an epoch as one CUDA graph, as zerofive has it."""

    def __init__(self, hidden, x, y):
        super().__init__(hidden, x, y, compiled=False)
        warm_up(super().epoch)
        self.graph = capture(super().epoch)

    def epoch(self):
        self.graph.replay()


def warm_up(epoch):
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP_EPOCHS):
            epoch()
    torch.cuda.current_stream().wait_stream(stream)


def capture(work):
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph


def measure(training, epochs):
    """Microseconds a step of each epoch, with the download of its loss."""
    result = []
    for _ in range(epochs):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        training.epoch()
        training.loss_sum.item()
        result.append((time.perf_counter() - begin) * 1e6 / len(training.batches))
    return result


def say(line):
    print(json.dumps({"timing": "steps", **line}), flush=True)


def prepared(model, who, make):
    """A training that has run some epochs; None, and a line, where this way fails: it must not hide the others."""
    try:
        training = make(MODELS[model])
        measure(training, WARM_UP_EPOCHS)
        return training
    except Exception as error:
        say({"model": model, "who": who, "missing": f"{type(error).__name__}: {error}"[:500]})
        return None


def say_epochs(training, model, who, epochs):
    say({"model": model, "who": who, "microseconds_per_step": measure(training, epochs)})


def stop(signum, frame):
    raise TimeoutError("the deadline is over")


def main():
    start = time.monotonic()
    folder, rounds, epochs, deadline, command = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5:]
    x, y = mnist(pathlib.Path(folder))
    say({"torch": torch.__version__, "cuda": torch.version.cuda, "gpu": torch.cuda.get_device_name()})
    makers = {
        "torch eager": lambda hidden: Training(hidden, x, y, compiled=False),
        "torch graph of the step": lambda hidden: StepGraph(hidden, x, y),
        "torch graph of the epoch": lambda hidden: EpochGraph(hidden, x, y),
    }
    peers = {(model, who): prepared(model, who, make) for model in MODELS for who, make in makers.items()}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ours:
        for _ in range(rounds):
            for model in MODELS:
                for way in OURS:
                    ours.stdin.write(f"{model} {way} {epochs}\n")
                    ours.stdin.flush()
                    answer = ours.stdout.readline()
                    if not answer:
                        sys.exit("zerofive ended before it answered")
                    print(answer, end="", flush=True)
                for who in makers:
                    if peers[model, who] is not None:
                        say_epochs(peers[model, who], model, who, epochs)
        ours.stdin.close()
    signal.signal(signal.SIGALRM, stop)
    for model in MODELS:
        signal.alarm(max(1, int(deadline - (time.monotonic() - start))))
        compiled = prepared(model, "torch compile", lambda hidden: Training(hidden, x, y, compiled=True))
        signal.alarm(0)
        if compiled is not None:
            for _ in range(rounds):
                say_epochs(compiled, model, "torch compile", epochs)
    # A compiler's threads and processes may not end by themselves.
    os._exit(0)


main()
