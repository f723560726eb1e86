#!/usr/bin/python3
"""What the numbers of the KV cache cost: the same model with --kv=f32, --kv=f16 and --kv=i8.

 * The perplexity of an f16 cache's bundle is within 0.2 % of the f32 cache's, attention by 16-bit integers with it.
 * The perplexity of an int8 cache's bundle is within 0.5 % of the f16 cache's, on the text that the goldens use.
 * The cache takes the bytes that the layout says, and `sinter inspect` predicts them: of int8 a byte an element and four
   for each group of gcd(head size, 32).
 * It does not depend on whether tokens come one at a time (kernels that multiply codes, and round queries and weights to
   int8) or in chunks (kernels that widen codes once for all).
"""
import math
import os

from harness import ROOT, Cases, Scratch, in_parallel, parse, run
import gguf

TOLERANCE = 0.005
F16_TOLERANCE = 0.002
# Heads of 64 and of 8.
OWN = (("own/tiny-f16", "own/heldout.txt"), ("own/tiny-Q4_K_M", "own/heldout.txt"))
OTHERS = (("llama/stories260K-f32", "text/tinystories_valid_head.txt"),
          ("families/qwen2-s260k-f32", "text/tinystories_valid_head.txt"),
          ("families/llama3-s260k-Q8_0", "text/tinystories_valid_head.txt"))
SEPARATOR = "<|endoftext|>"
CONTEXT = 512


class KvCache:
    def __init__(self, options, cases, scratch):
        self.options, self.cases, self.scratch = options, cases, scratch

    def bundle(self, model, kv, *flags):
        out = os.path.join(self.scratch, f"{os.path.basename(model)}-{kv}{''.join(flags)}.sinter")
        built = run([self.options.sinterc, model, "-o", out, f"--target={self.options.target}", f"--kv={kv}",
                     f"--context={CONTEXT}", "--threads=1", *flags])
        name = f"{os.path.basename(model)} --kv={kv} {' '.join(flags)}"
        return out if self.cases.check(f"{name} compiles", built.code == 0, built.why() if built.code else "") else None

    def perplexity(self, name, bundle, text):
        result = run([*self.options.run_sinter, "perplexity", bundle, "-f", text, f"--split={SEPARATOR}", "--json",
                      "--threads=1"], timeout=900)
        if not self.cases.check(f"{name} runs", result.code == 0, result.why() if result.code else ""):
            return None
        return result.json()["ppl"]

    def kv_bytes(self, bundle):
        return run([*self.options.run_sinter, "inspect", bundle, "--json"]).json()["memory"]["kv_bytes"]

    def measure(self, case):
        model, text = case
        name = os.path.basename(model)[:-len(".gguf")]
        if not self.cases.wanted(name):
            return
        bundles = {kv: self.bundle(model, kv) for kv in ("f32", "f16", "i8")}
        small = self.bundle(model, "i8", "--prefill-chunk=1")
        if not all(bundles.values()) or not small:
            return
        expected = int8_bytes(gguf.Header(model))
        found = self.kv_bytes(bundles["i8"])
        self.cases.check(f"{name} kv bytes", found == expected,
                         f"{found} of {expected}, f16 {self.kv_bytes(bundles['f16'])}")
        ppl = {kv: self.perplexity(f"{name} --kv={kv} perplexity", bundle, text) for kv, bundle in bundles.items()}
        if not all(ppl.values()):
            return
        off = ppl["f16"] / ppl["f32"] - 1
        self.cases.check(f"{name} perplexity of f16", abs(off) <= F16_TOLERANCE,
                         f"f16 {ppl['f16']:.4f}, f32 {ppl['f32']:.4f}: {100 * off:+.3f} %")
        off = ppl["i8"] / ppl["f16"] - 1
        self.cases.check(f"{name} perplexity", abs(off) <= TOLERANCE,
                         f"int8 {ppl['i8']:.4f}, f16 {ppl['f16']:.4f}: {100 * off:+.3f} %")
        cut = self.perplexity(f"{name} --prefill-chunk=1 perplexity", small, text)
        if cut:
            off = cut / ppl["i8"] - 1
            self.cases.check(f"{name} one token at a time", abs(off) <= TOLERANCE, f"{cut:.4f}: {100 * off:+.3f} %")


def int8_bytes(header):
    """Keys and values of all layers: a byte an element, four a group; the context is a multiple of 64, nothing is padded."""
    def number(key, default=None):
        return header.metadata.get(f"{header.metadata['general.architecture']}.{key}", default)
    layers, width, heads = number("block_count"), number("embedding_length"), number("attention.head_count")
    kv_heads = number("attention.head_count_kv", heads)
    size = number("attention.key_length", width // heads)
    group = math.gcd(size, 32)
    return 2 * layers * kv_heads * (CONTEXT * size + CONTEXT * 4 * (size // group))


def main():
    def add(parser):
        parser.add_argument("--target", default="host", help="of sinterc (default: host)")
    options = parse(__doc__, add)
    cases = Cases(options)
    models = [(os.path.join(ROOT, "test", "models", name + ".gguf"), os.path.join(ROOT, "test", "models", text))
              for name, text in OWN]
    if options.have_models:
        models += [(os.path.join(options.models, name + ".gguf"), os.path.join(options.models, text))
                   for name, text in OTHERS]
    else:
        cases.skip_for_models("perplexity of int8 caches of all models but those of test/models", options)
    with Scratch(options) as scratch:
        in_parallel(options.workers, KvCache(options, cases, scratch).measure, models)
    cases.finish()


if __name__ == "__main__":
    main()
