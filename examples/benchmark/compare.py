#!/usr/bin/python3
"""Runs `sinter bench` and llama.cpp in turns and prints both, their ratios and the spread.

  compare.py --sinter BIN --bundle B.sinter --model M.gguf --node NODE --modules DIR
             [--threads 2] [--rounds 5] [--prompt 512] [--decode 64] [--json]

Rounds alternate which of the two goes first: a machine that slows down (heat, neighbours) slows both. The ratio of
a round compares its two neighbours in time; the median over the rounds is the figure, minimum and maximum the spread.
Without --sinter, the peer alone is measured.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

MEASURES = ("prefill_tokens_per_second", "decode_tokens_per_second")


def last_json(command):
    """The JSON object that a command prints last."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(command)}: exit code {done.returncode}\n{done.stderr.strip()}")
    return json.loads(done.stdout[done.stdout.index("{"):])


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} .. {max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sinter")
    parser.add_argument("--bundle")
    parser.add_argument("--model", required=True)
    parser.add_argument("--node", default="node")
    parser.add_argument("--modules", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--decode", type=int, default=64)
    parser.add_argument("--json", action="store_true", help="print the figures of all rounds as JSON as well")
    options = parser.parse_args()

    here = os.path.dirname(os.path.abspath(__file__))
    counts = [str(options.threads), str(options.prompt), str(options.decode)]
    sides = {"llama.cpp": [options.node, os.path.join(here, "peer.mjs"), options.modules, options.model, *counts]}
    if options.sinter:
        sides["sinter"] = [options.sinter, "bench", options.bundle, "-p", counts[1], "-n", counts[2],
                           "-t", counts[0], "-r", "1", "--json"]

    figures = {name: {measure: [] for measure in MEASURES} for name in sides}
    for turn in range(options.rounds):
        order = list(sides) if turn % 2 else list(sides)[::-1]
        for name in order:
            result = last_json(sides[name])
            for measure in MEASURES:
                figures[name][measure].append(result[measure])
        print(f"round {turn + 1} of {options.rounds}: " + "; ".join(
            f"{name} {figures[name][MEASURES[0]][-1]:.1f} / {figures[name][MEASURES[1]][-1]:.1f}" for name in sides),
            file=sys.stderr)

    print(f"{os.path.basename(options.model)}, {options.threads} threads, {options.rounds} rounds, "
          "tokens per second: median (smallest .. largest)")
    for measure, count in zip(MEASURES, (options.prompt, options.decode)):
        label = f"{measure.split('_')[0]} {count}"
        for name in sides:
            print(f"  {label:<13} {name:<10} {spread(figures[name][measure], 1)}")
        if options.sinter:
            ratios = [a / b for a, b in zip(figures["sinter"][measure], figures["llama.cpp"][measure])]
            print(f"  {label:<13} {'ratio':<10} {spread(ratios, 3)}")
    if options.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
