#!/usr/bin/python3
"""Sizes and memory: the compiler's, the bundle's, the runtime's.

 * sinterc: anonymous memory at its peak and seconds; the bundle at most 3 % larger than the GGUF.
 * sinter: what it asks for equals the prediction; anonymous resident memory after filling the context is within 5 %
   of it; time from process start to the first dispatch.

By default on a random model of some megabytes, where the compiler's limits are not judged; --shape 1b and --shape 8b
take the shapes of Llama 3.2 1B and Llama 3 8B (0.7 and 4.6 GB on disk) with the limits of 600 MB and, for 1b, 30 s.
"""
import json
import os
import subprocess
import threading
import time

from harness import Cases, Scratch, parse, run
import make_model

COMPILER_MEMORY = 600 << 20
COMPILE_SECONDS = {"1b": 30}
FIRST_DISPATCH_MS = 30
# Little to compute, much to remember: 8 layers x 8 heads x 32 x 2 x 2 bytes x 8192 positions = 67 MB.
SMALL = dict(layers=8, width=256, ffn=256, heads=8, kv_heads=8, vocab=8192, context=8192)


class Watched:
    """A process with the largest anonymous resident memory that was seen."""

    def __init__(self, command):
        self.largest, self.start = 0, time.monotonic()
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        self.out, self.err = self.process.communicate()
        self.seconds = time.monotonic() - self.start
        watcher.join()
        self.code = self.process.returncode

    def _watch(self):
        status = f"/proc/{self.process.pid}/status"
        while self.process.poll() is None:
            try:
                with open(status, encoding="ascii", errors="replace") as file:
                    fields = dict(line.split(":", 1) for line in file)
                self.largest = max(self.largest, int(fields.get("RssAnon", "0 kB").split()[0]) << 10)
            except (OSError, ValueError):
                return
            time.sleep(0.005)


def megabytes(size):
    return f"{size / 1e6:.1f} MB"


def compile_model(options, cases, model, bundle, extra):
    compiled = Watched([options.sinterc, model, "-o", bundle, "--target=host", *extra])
    if not cases.check("compiles", compiled.code == 0, compiled.err.strip()[-200:]):
        return False
    judged = options.shape is not None
    cases.check("the compiler's anonymous memory", not judged or compiled.largest <= COMPILER_MEMORY,
                f"{megabytes(compiled.largest)}" + (f" of {megabytes(COMPILER_MEMORY)}" if judged else ""))
    limit = COMPILE_SECONDS.get(options.shape)
    cases.check("the compiler's time", limit is None or compiled.seconds <= limit,
                f"{compiled.seconds:.1f} s" + (f" of {limit} s" if limit else ""))
    source, made = os.path.getsize(model), os.path.getsize(bundle)
    # Code, metadata and the table of rotations (context x head size floats) do not grow with the weights: a small model
    # is allowed them.
    allowed = 1.03 * source + (0 if judged else 400_000 + 4 * SMALL["context"] * SMALL["width"] // SMALL["heads"])
    cases.check("the bundle's size", made <= allowed, f"{megabytes(made)}, GGUF {megabytes(source)}: "
                                                      f"{100 * (made / source - 1):+.2f} %")
    return True


def run_model(options, cases, bundle, context, threads):
    predicted = run([*options.run_sinter, "inspect", bundle, "--json", f"--threads={threads}"])
    prediction = predicted.json()["memory"]["session_bytes"][str(threads)] if predicted.code == 0 else None
    # Most of the context by prefill, whose chunks are fast, the rest token by token.
    text = os.path.join(os.path.dirname(bundle), "prompt.txt")
    words = "than the read on and " * context
    with open(text, "w", encoding="utf-8") as file:
        file.write(words)
    ids = run([*options.run_sinter, "tokenize", bundle, words[:4000]]).out.split()
    prompt = words[:4000 * (context - 64) // max(1, len(ids))]
    watched = Watched([*options.run_sinter, "run", bundle, "-p", prompt, "-n", "9999", "--ignore-eos", "--json",
                       f"--threads={threads}"])
    if not cases.check("runs to the end of the context", watched.code == 0, watched.err.strip()[-200:]):
        return
    said = json.loads(watched.out[watched.out.index("{"):])
    asked, first = said["memory_bytes"], said["time_to_first_dispatch_ms"]
    cases.check("memory asked for is the prediction", asked == prediction, f"{asked} bytes, predicted {prediction}")
    off = watched.largest / asked - 1
    cases.check("anonymous resident memory with the context full", abs(off) <= 0.05,
                f"{megabytes(watched.largest)}, asked for {megabytes(asked)}: {100 * off:+.2f} %")
    times = []
    for _ in range(5):
        short = run([*options.run_sinter, "run", bundle, "-p", "a", "-n", "1", "--json", f"--threads={threads}"])
        if short.code == 0:
            times.append(short.json()["time_to_first_dispatch_ms"])
    cases.check("time to the first dispatch", times and min(times) <= FIRST_DISPATCH_MS,
                f"{min(times):.1f} ms of {FIRST_DISPATCH_MS} ms (best of {len(times)}; first run {first} ms)"
                if times else "no run ended well")


def main():
    def add(parser):
        parser.add_argument("--shape", choices=make_model.SHAPES)
        parser.add_argument("--type", default="q4_0")
        parser.add_argument("--model", help="this GGUF instead of a generated one")
        parser.add_argument("--threads", type=int, default=2)
    options = parse(__doc__, add)
    cases = Cases(options)
    with Scratch(options) as scratch:
        model, bundle = options.model or os.path.join(scratch, "random.gguf"), os.path.join(scratch, "random.sinter")
        context, extra = 4096, []
        if not options.model and options.shape:
            make_model.write(model, options.type, **make_model.SHAPES[options.shape])
        elif not options.model:
            context, extra = SMALL["context"], [f"--context={SMALL['context']}"]
            make_model.write(model, options.type, **SMALL)
        if compile_model(options, cases, model, bundle, extra):
            run_model(options, cases, bundle, context, options.threads)
    cases.finish()


if __name__ == "__main__":
    main()
