#!/usr/bin/python3
"""Whole models on every variant of a target: logits against the reference evaluator, threads and variants against
each other.

The unit tests of kernels hold each kernel to bounds that follow from its arithmetic; here the same kernels work
together, on shapes that real models do not have: rows and vocabularies that are no multiple of 32, heads of 8 to 128
elements, groups of 1, 3 and 7 query heads, prompts of one token, of a few and of more than a chunk.

What is allowed:
 * Two numbers of threads: not one bit.
 * Float files, with an F32 cache: float rounding. A sum of n terms is off by at most n * 2^-24 of their magnitudes,
   and by about sqrt(n) * 2^-24 in practice; with n below 1024 and some 20 such sums one behind the other, 2^-12 of the
   largest logit leaves an order of magnitude. The variants differ from each other by no more.
 * Quantized files: the reference rounds activations to 8 bits at the same places, but where a number is nearly half
   way between two codes, float rounding decides otherwise now and then; one such code moves all that follows by
   fractions of a step, so that within a few layers roundings agree no better than those of two different programs.
   What stays is their distance from exact arithmetic: the reference's own, and 1.5 of it are allowed. Two variants are
   as far from each other as two independent roundings may be: twice.
"""
import array
import math
import os

from harness import EXAMPLE, Cases, Scratch, in_parallel, parse, run
import make_model

FLOAT_TOLERANCE = 2.0 ** -12
NOISE_FROM_EXACT = 1.5
NOISE_BETWEEN_VARIANTS = 2.0
CHUNK = 64
TARGETS = {"x86-64": ("zen4", "avx512vnni", "avxvnni", "avx2"), "aarch64": ("sve512", "sve256", "i8mm", "dotprod", "neon")}
# Name: arguments of make_model.write.
SHAPES = {
    "f32-heads-of-8": dict(kind="f32", width=40, ffn=172, heads=5, kv_heads=1, vocab=391),
    "f16-groups-of-7": dict(kind="f16", width=448, ffn=300, heads=7, kv_heads=1, vocab=333, layers=1),
    "bf16-heads-of-80": dict(kind="bf16", width=240, ffn=172, heads=3, kv_heads=1, vocab=345),
    "q8_0-heads-of-96": dict(kind="q8_0", width=288, ffn=352, heads=3, kv_heads=3, vocab=367),
    "q4_0-heads-of-128": dict(kind="q4_0", width=384, ffn=416, heads=3, kv_heads=1, vocab=389, tied=False),
    "q5_0-heads-of-8": dict(kind="q5_0", width=64, ffn=160, heads=8, kv_heads=8, vocab=401),
    "q4_k-heads-of-64": dict(kind="q4_k", width=256, ffn=512, heads=4, kv_heads=2, vocab=411, layers=1),
    "q6_k-heads-of-128": dict(kind="q6_k", width=256, ffn=768, heads=2, kv_heads=2, vocab=419, layers=1, tied=False),
}
PROMPTS = {"a few tokens": "Six of", "one chunk and more": "An odd prompt, long enough for more than one step. " * 2,
           "one token": ""}


def floats(data):
    values = array.array("f")
    values.frombytes(data)
    return values


def rms(values, others):
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(values, others)) / len(values))


class Variants:
    def __init__(self, options, cases, scratch):
        self.options, self.cases, self.scratch = options, cases, scratch

    def model(self, name, path, quantized):
        if not self.cases.wanted(name):
            return
        bundle = os.path.join(self.scratch, name + ".sinter")
        flags = ["--kv=f32", f"--prefill-chunk={CHUNK}", "--context=256"]
        built = run([self.options.sinterc, path, "-o", bundle, f"--target={self.options.target}", *flags])
        if not self.cases.check(f"{name} compiles", built.code == 0, built.why() if built.code else ""):
            return
        for title, prompt in PROMPTS.items():
            self.prompt(f"{name}, {title}", path, bundle, flags, prompt, quantized)

    def prompt(self, name, path, bundle, flags, prompt, quantized):
        runs = {(variant, threads): self.logits(name, bundle, prompt, variant, threads)
                for variant in self.options.variants for threads in ((1, 2) if len(prompt) > CHUNK else (1,))}
        if not all(runs.values()):
            return
        ids, first = runs[self.options.variants[0], 1]
        exact, noise = self.reference(name, path, flags, ids, "import"), 0
        if quantized and exact:
            rounded = self.reference(name, path, flags, ids, "fuse")
            noise = rms(rounded, exact) if rounded else 0
        if not exact or (quantized and not noise):
            return
        for variant in self.options.variants:
            data = runs[variant, 1][1]
            if (variant, 2) in runs:
                self.cases.check(f"{name}, {variant}: 2 threads", runs[variant, 2][1] == data, "the same bits")
            self.near(f"{name}, {variant}: reference", floats(data), exact, NOISE_FROM_EXACT * noise)
            if data is not first:
                self.near(f"{name}, {variant}: {self.options.variants[0]}", floats(data), floats(first),
                          NOISE_BETWEEN_VARIANTS * noise)

    def near(self, case, values, others, most):
        """`most`: root mean square of the differences of quantized models, 0 for float models."""
        if len(values) != len(others) or not all(map(math.isfinite, values)):
            self.cases.check(case, False, f"{len(values)} logits instead of {len(others)}, or not numbers")
        elif most:
            self.cases.check(case, rms(values, others) <= most, f"rms {rms(values, others):.2e} of {most:.2e}")
        else:
            off, size = max(abs(a - b) for a, b in zip(values, others)), max(map(abs, others))
            self.cases.check(case, off <= FLOAT_TOLERANCE * size, f"{off:.2e} of {size:.2f}")

    def logits(self, name, bundle, prompt, variant, threads):
        """(ids of the prompt, bytes of the logits after it), None if the run failed."""
        out = os.path.join(self.scratch, f"{name}-{variant}-{threads}.f32".replace(" ", "-"))
        result = run([*self.options.run_sinter, "run", bundle, "-p", prompt, "-n", "1", "--ids", f"--logits={out}",
                      f"--variant={variant}", f"--threads={threads}"])
        if not self.cases.check(f"{name}, {variant}, {threads} threads runs", result.code == 0,
                                result.why() if result.code else ""):
            return None
        with open(out, "rb") as file:
            return result.out.splitlines()[0].replace(" ", ","), file.read()

    def reference(self, name, path, flags, ids, phase):
        """Logits as the module means them after a phase; None if that failed."""
        out = os.path.join(self.scratch, f"{name}-{phase}.f32".replace(" ", "-"))
        result = run([self.options.sinterc, path, "--emit=reference", f"--compile-to={phase}", f"--ids={ids}", "-o", out,
                      f"--target={self.options.target}", *flags])
        if result.code != 0:
            self.cases.check(f"{name}, reference", False, result.why())
            return None
        with open(out, "rb") as file:
            return floats(file.read())


def main():
    def add(parser):
        parser.add_argument("--target", default="x86-64", choices=TARGETS, help="of sinterc (default: x86-64)")
        parser.add_argument("--variants", default="", help="comma-separated (default: all that this machine can run)")
    options = parse(__doc__, add)
    cases = Cases(options)
    with Scratch(options) as scratch:
        test = Variants(options, cases, scratch)
        options.variants = options.variants.split(",") if options.variants else runnable(test)
        models = [("example", EXAMPLE, False)]
        for name, shape in SHAPES.items():
            path = os.path.join(scratch, name + ".gguf")
            make_model.write(path, context=256, **shape)
            models.append((name, path, shape["kind"].startswith("q")))
        in_parallel(options.workers, lambda model: test.model(*model), models)
    cases.finish()


def runnable(test):
    """The target's variants that this machine has the instructions for; the others are skipped loudly."""
    bundle = os.path.join(test.scratch, "probe.sinter")
    built = run([test.options.sinterc, EXAMPLE, "-o", bundle, f"--target={test.options.target}"])
    if not test.cases.check("the example compiles for all variants", built.code == 0, built.why() if built.code else ""):
        test.cases.finish()
    found = []
    for variant in TARGETS[test.options.target]:
        result = run([*test.options.run_sinter, "run", bundle, "-p", "a", "-n", "1", f"--variant={variant}"])
        if result.code == 0:
            found.append(variant)
        else:
            test.cases.skip(f"variant {variant}", result.why())
    return found or test.cases.finish()


if __name__ == "__main__":
    main()
