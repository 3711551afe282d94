"""Trains and exports the sign family: about half an hour of one core. This line reruns everything; data go to --work:

npx tsc -p tsconfig.json && MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000 python examples/signs/train.py --work /tmp/signs

The two MALLOC variables keep glibc from returning every activation to the system: depthwise layers train four times
faster. Needs torch, onnx, onnxruntime and numpy; nothing else here does: data.js renders, and dnnc needs no Python.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import time

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F

import networks

here = pathlib.Path(__file__).resolve().parent
tasks = {'shape': 6, 'colour': 5, 'number': 11, 'weather': 5}
shared = ['number', 'shape', 'colour']
started = time.time()


def say(*words):
    print(f'{time.time() - started:6.0f} s', *words, flush=True)


def render(work, name, seed, count):
    """Data set `name`, rendered unless it is there already."""
    path = work / f'{name}-{seed}-{count}.npz'
    if not path.exists():
        script = here.parent.parent / 'build/examples/signs/data.js'
        subprocess.run(['node', script, '--seed', str(seed), '--count', str(count), '--out', path], check=True)
    with np.load(path) as data:
        x = torch.from_numpy(data['x']).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        return x, {task: torch.from_numpy(data[f'y_{task}']).long() for task in tasks}


def prepare(x):
    return x.float() / 127.5 - 1


def varied(x):
    """Moves a batch by up to two pixels and changes its brightness a little."""
    dy, dx = (int(v) for v in torch.randint(-2, 3, (2,)))
    rows = (torch.arange(48) + dy).clamp(0, 47)
    columns = (torch.arange(48) + dx).clamp(0, 47)
    x = x[:, :, rows][:, :, :, columns].float() * (0.9 + 0.2 * torch.rand(len(x), 1, 1, 1))
    return x.clamp(0, 255).contiguous(memory_format=torch.channels_last) / 127.5 - 1


def fit(network, x, ys, epochs, rate, before=varied, batch=128, short=True):
    """`network` gives one tensor of logits for each of `ys`. `short`: 16-bit floats, slower for depthwise layers."""
    network.to(memory_format=torch.channels_last).train()
    steps = epochs * (len(x) // batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.15)
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x))[: len(x) // batch * batch].split(batch):
            with torch.autocast('cpu', torch.bfloat16, enabled=short):
                outputs = network(before(x[rows]))
            loss = sum(F.cross_entropy(output.float(), y[rows]) for output, y in zip(outputs, ys))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        say(f'  epoch {epoch + 1}/{epochs}: loss {total * batch / len(x):.4f}')
    network.eval()


class Heads(torch.nn.Module):
    def __init__(self, body, tails):
        super().__init__()
        self.body = body
        self.tails = torch.nn.ModuleList(tails)

    def forward(self, x):
        x = self.body(x)
        return [tail(x) for tail in self.tails]


def export(network, name, opset, folded=True, symbolic=False):
    network = network.to(memory_format=torch.contiguous_format).eval()
    path = here / 'models' / f'{name}.onnx'
    path.parent.mkdir(exist_ok=True)
    mode = torch.onnx.TrainingMode.EVAL if folded else torch.onnx.TrainingMode.PRESERVE
    torch.onnx.export(
        network, (torch.zeros(1, 3, 48, 48),), path, opset_version=opset, input_names=['pixels'], output_names=['logits'],
        dynamic_axes={'pixels': {0: 'N'}, 'logits': {0: 'N'}} if symbolic else None, training=mode,
        do_constant_folding=folded, dynamo=False,
    )
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return path


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def measure(path, network, task, data):
    """Accuracy with onnxruntime, one image at a time; the first must equal torch."""
    x, ys = data
    run = session(path)
    answers = np.concatenate([run.run(None, {'pixels': prepare(image[None]).numpy()})[0] for image in x])
    with torch.no_grad():
        expected = network(prepare(x[:256])).numpy()
    worst = np.abs(answers[:256] - expected).max()
    assert worst < 1e-3 * max(1, np.abs(expected).max()), f'{path.name}: {worst} from torch'
    right = (answers.argmax(1) == ys[task].numpy()).mean()
    weights = sum(int(np.prod(w.dims)) for w in onnx.load(path).graph.initializer)
    row = {
        'model': path.name, 'task': task, 'macs': networks.macs(network), 'weights': weights,
        'bytes': path.stat().st_size, 'images': len(x), 'accuracy': round(float(right), 4), 'from_torch': float(worst),
    }
    say(json.dumps(row))
    return row


def signs(fits, evaluate, scale):
    """Shape, colour and number: one trunk for all, then frozen, and a tail each."""
    x, ys = fits
    torch.manual_seed(1)
    body = networks.trunk()
    tails = {task: networks.tail(task, tasks[task]) for task in shared}
    say('trunk with its tails')
    fit(Heads(body, list(tails.values())), x, [ys[task] for task in shared], scaled(14, scale), 4e-3)
    say('tails on the frozen trunk')
    body.requires_grad_(False).eval()
    with torch.no_grad():
        inner = torch.cat([body(prepare(part)).half() for part in x.split(500)])
    rows = []
    for task in shared:
        tail = Heads(torch.nn.Identity(), [tails[task]])
        fit(tail, inner, [ys[task]], scaled(3, scale), 5e-4, before=lambda part: part.float())
        network = torch.nn.Sequential(collections.OrderedDict(trunk=body, tail=tails[task])).eval()
        rows.append(measure(export(network, f'sign-{task}', 13), network, task, evaluate))
    return rows


def by_itself(task, build, epochs, short=False, **how):
    def make(name, fits, evaluate, scale):
        x, ys = fits
        torch.manual_seed(2)
        network = build(tasks[task])
        fit(Heads(torch.nn.Identity(), [network]), x, [ys[task]], scaled(epochs, scale), 4e-3, short=short)
        return measure(export(network, name, **how), network, task, evaluate)

    return make


def scaled(epochs, scale):
    return max(1, round(epochs * scale))


# `folded`: batch normalization is folded into the convolutions; otherwise it stays in the file.
alone = {
    'weather': by_itself('weather', networks.weather, 4, opset=13, symbolic=True),
    'number-independent': by_itself('number', networks.number_independent, 6, short=True, opset=15, folded=False),
    'number-compact': by_itself('number', networks.number_compact, 16, opset=17),
}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('--work', type=pathlib.Path, required=True)
    arguments.add_argument('--images', type=int, default=60000)
    arguments.add_argument('--epochs', type=float, default=1.0, help='multiplies every number of epochs')
    arguments.add_argument('--only', choices=['signs', 'weather', 'number-independent', 'number-compact'], nargs='*')
    options = arguments.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    os.nice(10)
    torch.set_num_threads(1)
    torch.backends.nnpack.set_flags(False)
    torch.use_deterministic_algorithms(True)

    data = render(options.work, 'fit', 1007, options.images), render(options.work, 'evaluate', 7, 4000)
    say(f'{options.images} images')
    rows = []
    if not options.only or 'signs' in options.only:
        rows += signs(*data, options.epochs)
    for name, build in alone.items():
        if not options.only or name in options.only:
            say(name)
            rows.append(build(name, *data, options.epochs))
    (options.work / 'report.json').write_text(json.dumps(rows, indent=2))


if __name__ == '__main__':
    main()
