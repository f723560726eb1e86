#!/usr/bin/python3
"""Runs `sinter bench --roofline` and its peers in turns and prints both, their ratios and the spread.

  compare.py --sinter BIN --bundle B.sinter --model M.gguf [--modules DIR [--node NODE]] [--llama-bench BIN ...]
             [--variant NAME] [--threads 2] [--cpus 0,1] [--rounds 5] [--prompt 512] [--decode 64] [--json]

--modules: the node_modules folder of node-llama-cpp. --llama-bench: a llama-bench of llama.cpp or of a fork; the name
of its folder is its name in the table, or NAME=PATH gives one. At least one peer is needed.

Rounds alternate who goes first: a machine that slows down (heat, neighbours) slows all. The ratio of a round compares
neighbours in time; the median over the rounds is the figure, minimum and maximum the spread. Shares are of the
machine's limits, measured with the same threads in each round by sinter: of a peer it is the share that Sinter would
have at the peer's speed, since both read the same weights and do the same multiply-adds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

MEASURES = ("prefill_tokens_per_second", "decode_tokens_per_second")
# Of each measure: the limit that binds it, as sinter's JSON has it, and its name for people.
SHARES = {"prefill_tokens_per_second": ("prefill_int8_share", "of int8 peak"),
          "decode_tokens_per_second": ("decode_bandwidth_share", "of bandwidth")}
LIMITS = ("read_bandwidth_gb_s", "int8_peak_gops")
SINTER = "sinter"


def run(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        sys.exit(f"error: {command[0]}: {error.strerror}")
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(command)}: exit code {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def last_json(command):
    """The JSON object that a command prints last."""
    out = run(command)
    if "{" not in out:
        sys.exit(f"error: {' '.join(command)}: prints no JSON: {out.strip()[:200]}")
    return json.loads(out[out.index("{"):])


def llama_bench(command):
    """llama-bench prints an array: one entry a test, told apart by the numbers of tokens."""
    out = run(command)
    try:
        tests = json.loads(out[out.index("["):])
        speeds = {MEASURES[0] if test["n_prompt"] else MEASURES[1]: test["avg_ts"] for test in tests}
        return {measure: speeds[measure] for measure in MEASURES}
    except (ValueError, KeyError, TypeError) as error:
        sys.exit(f"error: {' '.join(command)}: prints no results of llama-bench ({error!r}): {out.strip()[:200]}")


def median(values):
    return statistics.median(values)


def spread(values, digits):
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} .. {max(values):.{digits}f})"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sinter", required=True)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--modules")
    parser.add_argument("--node", default="node")
    parser.add_argument("--llama-bench", action="append", default=[], metavar="[NAME=]PATH")
    parser.add_argument("--peer-name", default="llama.cpp", help="what node-llama-cpp is called in the table")
    parser.add_argument("--variant", help="kernels of sinter to run")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpus", help="processors for sinter's threads; peers are not pinned")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--decode", type=int, default=64)
    parser.add_argument("--json", action="store_true", help="print the figures of all rounds as JSON as well")
    options = parser.parse_args()
    if not options.modules and not options.llama_bench:
        parser.error("no peer to compare with: give --modules or --llama-bench")
    return options


def sides_of(options):
    """Name -> function that measures once."""
    counts = [str(options.threads), str(options.prompt), str(options.decode)]
    ours = [options.sinter, "bench", options.bundle, "-p", counts[1], "-n", counts[2], "-t", counts[0], "-r", "1",
            "--roofline", "--json"]
    ours += [f"--variant={options.variant}"] if options.variant else []
    ours += [f"--cpus={options.cpus}"] if options.cpus else []
    sides = {SINTER: lambda: last_json(ours)}
    if options.modules:
        here = os.path.dirname(os.path.abspath(__file__))
        peer = [options.node, os.path.join(here, "peer.mjs"), options.modules, options.model, *counts]
        sides[options.peer_name] = lambda: last_json(peer)
    for given in options.llama_bench:
        name, path = given.split("=", 1) if "=" in given else ("", given)
        name = name or os.path.basename(os.path.dirname(os.path.abspath(path))) or "llama-bench"
        if name in sides:
            sys.exit(f"error: two sides are called '{name}': name one by --llama-bench NAME={path}")
        command = [path, "-m", options.model, "-t", counts[0], "-p", counts[1], "-n", counts[2], "-r", "1", "-o", "json"]
        sides[name] = lambda command=command: llama_bench(command)
    return sides


def measure(sides, rounds):
    """Name -> list of results, one a round."""
    results = {name: [] for name in sides}
    for turn in range(rounds):
        for name in list(sides) if turn % 2 else list(sides)[::-1]:
            results[name].append(sides[name]())
        print(f"round {turn + 1} of {rounds}: " + "; ".join(
            f"{name} {results[name][-1][MEASURES[0]]:.1f} / {results[name][-1][MEASURES[1]]:.1f}" for name in sides),
            file=sys.stderr)
    return results


def main():
    options = parse()
    results = measure(sides_of(options), options.rounds)
    ours = results[SINTER]

    def all_of(key):
        return [result[key] for result in ours]

    print(f"{os.path.basename(options.model)}, {options.threads} threads, {options.rounds} rounds, sinter's variant "
          f"{ours[0]['variant']}: median (smallest .. largest)")
    print(f"  limits: reads {spread(all_of(LIMITS[0]), 1)} GB/s, int8 {spread(all_of(LIMITS[1]), 1)} GOPS "
          f"({ours[0]['int8_instruction']})")
    widest = max(map(len, results))
    for key, count in zip(MEASURES, (options.prompt, options.decode)):
        label = f"{key.split('_')[0]} {count}"
        share_key, of_what = SHARES[key]
        for name, rounds in results.items():
            shares = [100 * our[share_key] * result[key] / our[key] for our, result in zip(ours, rounds)]
            line = f"  {label:<13} {name:<{widest}} {spread([result[key] for result in rounds], 1):<22} tokens/s " \
                   f"{median(shares):5.1f} % {of_what}"
            if name != SINTER:
                ratios = [our[key] / result[key] for our, result in zip(ours, rounds)]
                line += f"   sinter / {name}: {spread(ratios, 2)}"
            print(line)
    if options.json:
        for result in ours:
            result.pop("kernels", None)
        print(json.dumps(results))


if __name__ == "__main__":
    main()
