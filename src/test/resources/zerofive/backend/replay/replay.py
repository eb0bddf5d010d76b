"""The notebook's training in float64, for ReplayTest: a start, and what every epoch must give.

Run, from the repository's root (numpy only; some seconds):

    python3 src/test/resources/zerofive/backend/replay/replay.py

It reads the bundled MNIST and writes, beside itself,
    net-start.safetensors, net-losses.csv          784-30-1
    linear-start.safetensors, linear-losses.csv    784-1

Recipe: digits 0 (positive) and 5, all zeros first and then all fives, in file order; batches of 256;
loss "mnist": 1 - s where the target is 1, else s, with s = sigmoid(logit); plain SGD, 40 epochs.
Pixels are float32(byte) / 255 and the learning rate is float32(0.1), as the program holds them;
everything after that is float64. Starts are uniform in +-1/sqrt(fan-in), rounded to float32.

Columns: train_loss is the mean over all examples of the loss each had when its batch was used;
valid_loss and errors are measured after the epoch; logits above 0 mean the digit 0.
"""

import gzip
import json
import pathlib
import struct

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
MNIST = HERE.parents[4] / "main" / "resources" / "zerofive" / "data" / "mnist"
EPOCHS = 40
BATCH = 256
RATE = float(np.float32(0.1))


def idx(name):
    raw = gzip.decompress((MNIST / (name + ".gz")).read_bytes())
    dimensions = raw[3]
    shape = struct.unpack(">" + "I" * dimensions, raw[4 : 4 + 4 * dimensions])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def digits(part):
    images, labels = idx(part + "-images-idx3-ubyte"), idx(part + "-labels-idx1-ubyte")
    order = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 5)])
    x = images[order].reshape(len(order), -1).astype(np.float32) / np.float32(255)
    return x.astype(np.float64), (labels[order] == 0).reshape(-1, 1)


def sigmoid(z):
    return np.exp(-np.logaddexp(0.0, -z))


def losses(z, positive):
    return np.where(positive, sigmoid(-z), sigmoid(z))


def run(x, layers):
    """Inputs of every layer, and the logits."""
    inputs = [x]
    for number, (weight, bias) in enumerate(layers):
        z = inputs[-1] @ weight.T + bias
        inputs.append(z if number == len(layers) - 1 else np.maximum(z, 0.0))
    return inputs


def step(x, positive, layers):
    """One step in place; returns the examples' losses before it."""
    inputs = run(x, layers)
    z = inputs[-1]
    delta = np.where(positive, -1.0, 1.0) * sigmoid(z) * sigmoid(-z) / len(x)
    for number in reversed(range(len(layers))):
        weight, bias = layers[number]
        weight_slope, bias_slope = delta.T @ inputs[number], delta.sum(axis=0)
        if number > 0:
            delta = (delta @ weight) * (inputs[number] > 0)
        weight -= RATE * weight_slope
        bias -= RATE * bias_slope
    return losses(z, positive)


def start(widths, seed):
    random = np.random.default_rng(seed)
    layers = []
    for fan_in, outputs in zip(widths, widths[1:]):
        bound = 1 / np.sqrt(fan_in)
        layers.append(
            [random.uniform(-bound, bound, shape).astype(np.float32) for shape in ((outputs, fan_in), (outputs,))]
        )
    return layers


def write_safetensors(path, layers):
    header, body = {}, b""
    for number, layer in enumerate(layers):
        prefix = "" if len(layers) == 1 else f"{2 * number}."
        for name, values in zip(("weight", "bias"), layer):
            data = values.astype("<f4").tobytes()
            header[prefix + name] = {
                "dtype": "F32",
                "shape": list(values.shape),
                "data_offsets": [len(body), len(body) + len(data)],
            }
            body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def replay(name, widths, seed, train, valid):
    layers = start(widths, seed)
    write_safetensors(HERE / (name + "-start.safetensors"), layers)
    layers = [[values.astype(np.float64) for values in layer] for layer in layers]
    lines = ["epoch,train_loss,valid_loss,errors"]
    for epoch in range(1, EPOCHS + 1):
        x, positive = train
        total = 0.0
        for first in range(0, len(x), BATCH):
            total += step(x[first : first + BATCH], positive[first : first + BATCH], layers).sum()
        z = run(valid[0], layers)[-1]
        valid_loss = losses(z, valid[1]).mean()
        errors = int(((z > 0) != valid[1]).sum())
        lines.append(f"{epoch},{total / len(x):.17g},{valid_loss:.17g},{errors}")
    (HERE / (name + "-losses.csv")).write_text("\n".join(lines) + "\n")
    print(name, lines[-1])


if __name__ == "__main__":
    data = digits("train"), digits("t10k")
    replay("net", (784, 30, 1), 5, *data)
    replay("linear", (784, 1), 6, *data)
