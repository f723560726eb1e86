#!/usr/bin/python3
"""The sinter tool as scripts and people see it: outputs, JSON keys, memory, streaming, sampling.

Works under an emulator as well (--emulator, --target), where times are not judged.
"""
import codecs
import json
import os
import subprocess
import sys

from harness import EXAMPLE, ROOT, Cases, Scratch, parse, run
import gguf

GOLDEN_PROMPT = "In the beginning"


class Tool:
    def __init__(self, options, cases, scratch):
        self.options, self.cases, self.scratch = options, cases, scratch
        self.bundle = os.path.join(scratch, "example.sinter")

    def sinter(self, *arguments, **popen):
        return run([*self.options.run_sinter, *arguments], **popen)

    def json(self, case, *arguments):
        """The JSON object a command prints; None, and a failed case, if it prints none."""
        result = self.sinter(*arguments)
        try:
            value = result.json() if result.code == 0 else None
        except ValueError as error:
            value, result.err = None, f"{error}: {result.out[:200]!r}"
        self.cases.check(case, value is not None, ", ".join(value)[:200] if value else result.why())
        return value

    def keys(self, case, value, *names):
        if value is not None:
            missing = [name for name in names if name not in value]
            self.cases.check(case, not missing, f"missing: {missing}" if missing else ", ".join(names))

    def run_command(self):
        plain = self.sinter("run", self.bundle, "-p", GOLDEN_PROMPT, "-n", "24")
        self.cases.check("run writes text", plain.code == 0 and len(plain.out.strip()) > 20,
                         repr(plain.out[:80]) if plain.code == 0 else plain.why())
        again = self.sinter("run", self.bundle, "-p", GOLDEN_PROMPT, "-n", "24", "--threads=2")
        self.cases.check("run with other threads writes the same", again.out == plain.out, "")
        ids = self.sinter("run", self.bundle, "-p", GOLDEN_PROMPT, "-n", "24", "--ids")
        lines = ids.out.splitlines()
        self.cases.check("run --ids prints two lines", ids.code == 0 and len(lines) == 2 and
                         all(word.isdigit() for word in " ".join(lines).split()) and len(lines[1].split()) == 24,
                         ids.out[:100].replace("\n", " / "))
        none = self.sinter("run", self.bundle, "-p", GOLDEN_PROMPT, "-n", "0")
        self.cases.check("run -n 0", none.code == 0, "" if none.code == 0 else none.why())
        longest = self.sinter("run", self.bundle, "-p", "", "-n", "9999", "--ignore-eos", "--ids")
        count = len((longest.out.splitlines() + ["", ""])[1].split())
        self.cases.check("run past the context ends in order", longest.crashed() is None and longest.code in (0, 1),
                         f"exit code {longest.code}, {count} tokens")

    def sampling(self):
        def text(*flags):
            return self.sinter("run", self.bundle, "-p", GOLDEN_PROMPT, "-n", "32", "--ids", *flags).out
        hot = ("--temp=1.2", "--top-k=50", "--top-p=0.95")
        first, again, other = text(*hot, "--seed=7"), text(*hot, "--seed=7"), text(*hot, "--seed=8")
        self.cases.check("the same seed gives the same tokens", first and first == again, "")
        self.cases.check("another seed gives other tokens", first != other, "")
        greedy = text()
        self.cases.check("--top-k=1 is greedy", text("--temp=1.5", "--top-k=1", "--seed=3") == greedy, "")
        self.cases.check("--temp=0 is greedy", text("--temp=0") == greedy, "")

    def logits(self):
        file = os.path.join(self.scratch, "logits.f32")
        result = self.sinter("run", self.bundle, "-p", GOLDEN_PROMPT, "-n", "1", f"--logits={file}")
        size = os.path.getsize(file) if os.path.exists(file) else 0
        vocab = len(gguf.Header(EXAMPLE).metadata["tokenizer.ggml.tokens"])
        self.cases.check("--logits writes a float a token of the vocabulary", size == 4 * vocab,
                         f"{size} bytes" if result.code == 0 else result.why())

    def inspect(self):
        plain = self.sinter("inspect", self.bundle)
        self.cases.check("inspect draws the plan", plain.code == 0 and len(plain.out.splitlines()) > 10,
                         f"{len(plain.out.splitlines())} lines" if plain.code == 0 else plain.why())
        verified = self.sinter("inspect", self.bundle, "--verify")
        self.cases.check("inspect --verify", verified.code == 0, "" if verified.code == 0 else verified.why())

    def memory(self):
        """What a session asks for is what inspect predicts, to the byte, for any number of threads."""
        for threads in (1, 2, 7):
            flag = f"--threads={threads}"
            predicted = self.json(f"inspect --json {flag}", "inspect", self.bundle, "--json", flag)
            asked = self.json(f"run --json {flag}", "run", self.bundle, "-p", "x", "-n", "2", "--json", flag)
            if predicted and asked:
                prediction, memory = predicted["memory"]["session_bytes"].get(str(threads)), asked.get("memory_bytes")
                self.cases.check(f"memory asked for with {threads} threads is the prediction",
                                 memory is not None and memory == prediction, f"{memory} bytes, predicted {prediction}")

    def bench(self):
        value = self.json("bench --json", "bench", self.bundle, "-p", "64", "-n", "8", "-t", "1", "-r", "1", "--json")
        self.keys("bench --json keys", value, "prefill_tokens_per_second", "decode_tokens_per_second", "memory_bytes",
                  "time_to_first_dispatch_ms", "variant", "threads")
        if value:
            self.cases.check("bench figures are positive", value.get("prefill_tokens_per_second", 0) > 0 and
                             value.get("decode_tokens_per_second", 0) > 0,
                             f"prefill {value.get('prefill_tokens_per_second')}, "
                             f"decode {value.get('decode_tokens_per_second')}")
        plain = self.sinter("bench", self.bundle, "-p", "16", "-n", "4", "-t", "2", "-r", "1")
        self.roofline()
        self.cases.check("bench for people", plain.code == 0 and "token" in plain.out, plain.out[:100].replace("\n", " / "))

    def roofline(self):
        """The machine's limits and the share that is reached; whole and by kernel."""
        flags = ("bench", self.bundle, "-p", "64", "-n", "8", "-r", "3", "--roofline")
        value = self.json("bench --roofline --json", *flags, "--cpus=0", "--json")
        shares = [f"{phase}_{what}share" for phase in ("prefill", "decode")
                  for what in ("bandwidth_", "int8_", "linear_bandwidth_", "linear_int8_", "idle_")]
        self.keys("bench --roofline --json keys", value, "read_bandwidth_gb_s", "int8_peak_gops", "int8_instruction",
                  "barrier_us", "kernels", *shares)
        if value:
            self.cases.check("--cpus=0 is one thread", value["threads"] == 1, f"{value['threads']} threads")
            self.cases.check("limits and shares are positive", value["read_bandwidth_gb_s"] > 0 and
                             value["decode_bandwidth_share"] > 0 and value["prefill_bandwidth_share"] > 0,
                             f"{value['read_bandwidth_gb_s']} GB/s, {value['int8_peak_gops']} GOPS, "
                             f"{value['int8_instruction']}")
            # The example is f16: its dots are of floats, but it multiplies all the same.
            kernels = [kernel for kernel in value["kernels"] if kernel["phase"] == "decode"]
            linear = [kernel for kernel in kernels if kernel["name"].startswith("linear_")]
            self.cases.check("kernels have times and figures", linear and all(
                kernel["seconds"] > 0 and kernel["gops"] > 0 and kernel["gb_s"] > 0 for kernel in linear),
                ", ".join(kernel["name"] for kernel in kernels))
            busy = sum(kernel["share"] for kernel in kernels) + value["decode_idle_share"]
            self.cases.check("shares of kernels and of waiting make up the step", 0.99 < busy < 1.01, f"{busy:.3f}")
            counted = sum(kernel["calls"] for kernel in kernels if kernel["name"].startswith("embed_"))
            self.cases.check("kernels are those of one repetition", counted == 8, f"{counted} embeddings of 8 tokens")
        plain = self.sinter(*flags, "-t", "2")
        self.cases.check("bench --roofline for people", plain.code == 0 and
                         all(word in plain.out for word in ("GB/s", "GOPS", "a barrier takes", "whole", "linear_")),
                         plain.out[:200].replace("\n", " / ") if plain.code == 0 else plain.why())

    def benchmark(self):
        """examples/benchmark/compare.py with something that prints what llama-bench does."""
        if self.options.emulator:
            return self.cases.skip("compare.py", "it runs sinter itself, without an emulator")
        peer = os.path.join(self.scratch, "fork", "llama-bench")
        os.makedirs(os.path.dirname(peer))
        with open(peer, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho '[{\"n_prompt\": 64, \"n_gen\": 0, \"avg_ts\": 50.5}, "
                       "{\"n_prompt\": 0, \"n_gen\": 8, \"avg_ts\": 20.25}]'\n")
        os.chmod(peer, 0o755)
        compare = [sys.executable, os.path.join(ROOT, "examples", "benchmark", "compare.py"), "--sinter",
                   self.options.run_sinter[0], "--bundle", self.bundle, "--model", EXAMPLE, "--rounds=2", "--prompt=64",
                   "--decode=8", "--json"]
        result = run([*compare, f"--llama-bench={peer}", f"--llama-bench=own={peer}"])
        lines = result.out.splitlines()
        if self.cases.check("compare.py", result.code == 0 and len(lines) == 9,
                            f"{len(lines)} lines" if result.code == 0 else result.why()):
            rounds = json.loads(lines[-1])
            self.cases.check("compare.py --json has all rounds", sorted(rounds) == ["fork", "own", "sinter"] and
                             all(len(side) == 2 for side in rounds.values()) and
                             rounds["own"][0] == {"prefill_tokens_per_second": 50.5, "decode_tokens_per_second": 20.25},
                             str({name: len(side) for name, side in rounds.items()}))
            self.cases.check("compare.py prints limits, shares and ratios", "GB/s" in lines[1] and
                             "% of int8 peak" in lines[2] and "sinter / fork:" in lines[3] and
                             "% of bandwidth" in lines[5] and "sinter / own:" in lines[7], lines[3].strip())
        for case, flags, word in (("no peer", [], "--llama-bench"), ("a peer that is not there",
                                  ["--llama-bench=/absent/llama-bench"], "/absent/llama-bench"),
                                  ("a peer that prints something else", ["--llama-bench=/bin/true"], "llama-bench"),
                                  ("two peers of one name", [f"--llama-bench={peer}"] * 2, "'fork'")):
            result = run([*compare, *flags])
            self.cases.check(f"compare.py, {case}", result.code != 0 and result.crashed() is None and word in result.err
                             and "Traceback" not in result.err, result.err.strip()[-120:])
        script = ["bash", os.path.join(ROOT, "examples", "benchmark", "run.sh"), EXAMPLE, "2", "1"]
        for case, words, word in (("an option behind the model", ["--peer-isa"], "--peer-isa needs a name"),
                                  ("an unknown option", ["--faster"], "'--faster'"), ("too many words", ["1"], "MODEL.gguf")):
            result = run([*script, *words])
            self.cases.check(f"run.sh, {case}", result.code == 1 and word in result.err, result.err.strip()[:120])

    def perplexity(self):
        text = os.path.join(self.scratch, "text.txt")
        with open(text, "w", encoding="utf-8") as file:
            file.write("In the beginning God created the heaven and the earth.\n<|end|>\nAnd it came to pass.\n")
        whole = self.json("perplexity --json", "perplexity", self.bundle, "-f", text, "--json")
        split = self.json("perplexity --split --json", "perplexity", self.bundle, "-f", text, "--split=<|end|>", "--json")
        self.keys("perplexity --json keys", whole, "tokens", "nll", "ppl")
        if whole and split:
            self.cases.check("a split text is scored piece by piece", split["tokens"] < whole["tokens"],
                             f"{split['tokens']} of {whole['tokens']} tokens")

    def tokenize(self):
        text = "And God said, Let there be light: naïve 光 \U0001f600\n"
        result = self.sinter("tokenize", self.bundle, text)
        numbers = [int(word) for word in result.out.split() if word.isdigit()]
        bare = self.sinter("tokenize", self.bundle, "--no-bos", text)
        self.cases.check("tokenize", result.code == 0 and len(numbers) > 10, result.out[:100].strip())
        self.cases.check("tokenize --no-bos leaves one token out",
                         len([w for w in bare.out.split() if w.isdigit()]) == len(numbers) - 1, bare.out[:100].strip())
        ids = self.sinter("run", self.bundle, "-p", text, "-n", "1", "--ids")
        first = (ids.out.splitlines() or [""])[0]
        self.cases.check("run and tokenize agree", [int(word) for word in first.split()] == numbers, first[:100])
        raw = os.path.join(self.scratch, "raw.bin")
        with open(raw, "wb") as file:
            file.write(bytes(range(256)) * 3 + b"\xf0\x9f\x98")
        odd = self.sinter("tokenize", self.bundle, "-f", raw)
        self.cases.check("tokenize any bytes", odd.code == 0, "" if odd.code == 0 else odd.why())

    def streaming(self):
        """No write to a pipe ends inside a UTF-8 character. Hot sampling makes odd bytes."""
        split, writes = [], 0
        for seed in range(6):
            process = subprocess.Popen(
                [*self.options.run_sinter, "run", self.bundle, "-p", "Él dijo: 光", "-n", "200", "--temp=3", "--top-k=0",
                 "--top-p=1", f"--seed={seed}", "--ignore-eos"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            while True:
                part = os.read(process.stdout.fileno(), 1 << 16)
                if not part:
                    break
                writes += 1
                decoder.decode(part)
                held = decoder.getstate()[0]
                if held:
                    split.append(held)
            process.wait()
            # The very end may hold bytes of a character that never came.
            if split and split[-1] == decoder.getstate()[0]:
                split.pop()
        self.cases.check("streaming never prints half a character", writes > 6 and not split,
                         f"{writes} writes" if not split else f"{len(split)} of {writes} writes end in {split[:3]}")

    def variants(self):
        """Every variant of the bundle that this CPU can run gives the same tokens or nearly: the greedy start."""
        value = self.json("inspect --json", "inspect", self.bundle, "--json")
        names = [entry["name"] for entry in value["variants"]] if value else []
        self.cases.check("the bundle names its variants", bool(names), ", ".join(names))
        outputs = {}
        for name in names:
            result = self.sinter("run", self.bundle, "-p", GOLDEN_PROMPT, "-n", "8", "--ids", f"--variant={name}")
            if result.code == 0:
                outputs[name] = result.out
        self.cases.check("its variants agree", len(set(outputs.values())) == 1, ", ".join(outputs))


def main():
    options = parse(__doc__, lambda parser: parser.add_argument("--target", default="host"))
    cases = Cases(options)
    with Scratch(options) as scratch:
        tool = Tool(options, cases, scratch)
        built = run([options.sinterc, EXAMPLE, "-o", tool.bundle, f"--target={options.target}"])
        if cases.check("the example compiles", built.code == 0, "" if built.code == 0 else built.why()):
            for part in (tool.run_command, tool.sampling, tool.logits, tool.inspect, tool.memory, tool.bench, tool.benchmark,
                         tool.perplexity, tool.tokenize, tool.streaming, tool.variants):
                part()
    cases.finish()


if __name__ == "__main__":
    main()
