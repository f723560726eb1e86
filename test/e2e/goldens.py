#!/usr/bin/python3
"""Compares compiled models with the goldens beside them: logits, greedy tokens, perplexity.

For every model the bundle is compiled with an F32 KV cache, then run on the golden's prompts and its `eval` text.
 * Float files: the logits after each prompt against those of the dequantized file, within the type's tolerance;
   the first 64 greedy tokens, the comparison of a prompt ending at a step where the golden's best two logits are
   closer than twice that tolerance.
 * Quantized files: exact arithmetic on the stored weights is the reference; llama.cpp rounds activations as we do.
   Our rms distance from the reference over llama.cpp's: at most 2 a file and 1.1 in the geometric mean.
 * Both: perplexity within 0.5 % of the dequantized file's.
 * Files with tensor types that cannot be computed yet: sinterc has to refuse them by name.

Under an emulator (--emulator, --target) the same holds; --quick takes the smallest file of each type and family, one
family's on every variant, and of the `eval` text its first stories, on one variant, for quantized files only: floats
hold by their logits.
"""
import array
import glob
import json
import math
import os

from harness import ROOT, Cases, Scratch, error_lines, in_parallel, parse, run
import gguf

COMPUTABLE = {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
              "IQ4_XS", "IQ4_NL"}
TOLERANCES = {"F32": 0.005, "F16": 0.02, "BF16": 0.1}
GREEDY_TOKENS = 64
PERPLEXITY_TOLERANCE = 0.005
FILES = ("own/tiny-*.gguf", "llama/*.gguf", "families/qwen2-*.gguf", "families/llama3-*.gguf")
EVAL_TEXTS = {"own": "own/heldout.txt", "llama": "text/tinystories_valid_head.txt",
              "families": "text/tinystories_valid_head.txt"}
SEPARATOR = "<|endoftext|>"


class Model:
    """A GGUF with its golden."""

    def __init__(self, path, variants):
        self.path, self.stem, self.variants = path, path[:-len(".gguf")], variants
        self.name = os.path.basename(self.stem)
        self.folder = os.path.basename(os.path.dirname(path))
        self.types = gguf.Header(path).types()
        self.float_type = next(iter(self.types)) if self.types <= set(TOLERANCES) and len(self.types) == 1 else None

    def load_golden(self):
        with open(self.stem + ".golden.json", encoding="utf-8") as file:
            golden = json.load(file)
        exact = golden.get("dequantized_f32", golden)
        self.prompts = [(prompt["prompt"], prompt["prompt_ids"], best["greedy_ids"], best["greedy_gap"])
                        for prompt, best in zip(golden["prompts"], exact["prompts"])]
        self.peer_logits = read_floats(self.stem + ".logits.f32")
        dequantized = self.stem + ".dequantized.logits.f32"
        self.exact_logits = read_floats(dequantized) if os.path.exists(dequantized) else self.peer_logits
        self.vocab = golden["n_vocab"]
        self.stories = (golden.get("eval") or {}).get("stories")
        self.eval = exact.get("eval")
        self.eval_of_file = golden.get("eval")


def read_floats(path):
    values = array.array("f")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return values


def rms(ours, reference):
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(ours, reference)) / len(reference))


class Goldens:
    def __init__(self, options, cases, scratch):
        self.options, self.cases, self.scratch = options, cases, scratch
        self.ratios, self.rows = [], []

    def sinter(self, variant, command, *arguments):
        variant_flag = [f"--variant={variant}"] if variant else []
        return run([*self.options.run_sinter, command, *arguments, f"--threads={self.options.threads}", *variant_flag],
                   timeout=self.options.timeout)

    def refuse(self, model):
        """A file of types that cannot be computed: one message with the file and the type, no bundle."""
        out = os.path.join(self.scratch, model.name + ".refused.sinter")
        result = run([self.options.sinterc, model.path, "-o", out, f"--target={self.options.target}"])
        unknown = sorted(model.types - COMPUTABLE)
        text = " ".join(error_lines(result))
        named = any(kind.lower() in text.lower() for kind in unknown) and os.path.basename(model.path) in text
        self.cases.check(f"{model.name} refused", result.code == 1 and named and not os.path.exists(out),
                         f"{'/'.join(unknown)} not supported yet" if named else result.why())

    def measure(self, model):
        """One model on every variant: logits, tokens, perplexity."""
        if not self.cases.wanted(model.name):
            return
        model.load_golden()
        bundle = os.path.join(self.scratch, model.name + ".sinter")
        # A target that names variants is cut down to those that this model runs.
        machine, colon, _ = self.options.target.partition(":")
        target = f"{machine}:{','.join(model.variants)}" if colon else machine
        built = run([self.options.sinterc, model.path, "-o", bundle, f"--target={target}", "--kv=f32", "--threads=1"])
        if not self.cases.check(f"{model.name} compiles", built.code == 0,
                                f"{built.seconds:.1f} s" if built.code == 0 else built.why()):
            return
        for variant in model.variants:
            self.run_variant(model, bundle, variant)
        os.remove(bundle)

    def run_variant(self, model, bundle, variant):
        label = f"{model.name}{'/' + variant if variant else ''}"
        logits, compared = self.prompts(model, bundle, variant, label)
        figures = {"model": label, "type": "+".join(sorted(model.types)), "tokens": compared}
        if logits:
            figures.update(self.judge_logits(model, logits, label))
        figures.update(self.perplexity(model, bundle, variant, label))
        self.rows.append(figures)

    def prompts(self, model, bundle, variant, label):
        """Runs the prompts. Returns the logits after each (None if a run failed) and how many tokens were compared."""
        logits, compared = array.array("f"), 0
        # Greedy tokens are compared for float files only; the others show that decoding runs.
        tokens = GREEDY_TOKENS if model.float_type else 4
        for number, (prompt, prompt_ids, greedy, gaps) in enumerate(model.prompts):
            file = os.path.join(self.scratch, f"{label.replace('/', '-')}.{number}.f32")
            result = self.sinter(variant, "run", bundle, "-p", prompt, "-n", tokens, "--ids",
                                 f"--logits={file}")
            lines = [[int(word) for word in line.split()] for line in result.out.splitlines()] \
                if result.code == 0 else []
            if not self.cases.check(f"{label} prompt {number} runs", len(lines) == 2,
                                    "" if len(lines) == 2 else result.why()):
                return None, compared
            self.cases.check(f"{label} prompt {number} ids", lines[0] == prompt_ids, f"{len(prompt_ids)} tokens")
            logits.extend(read_floats(file))
            os.remove(file)
            if model.float_type:
                compared += self.greedy(model, lines[1], greedy, gaps, f"{label} prompt {number} greedy")
        return logits, compared

    def greedy(self, model, ours, golden, gaps, case):
        for step in range(GREEDY_TOKENS):
            if gaps[step] < 2 * TOLERANCES[model.float_type]:
                self.cases.check(case, True, f"{step} tokens, then two candidates {gaps[step]:.4f} apart")
                return step
            if step >= len(ours) or ours[step] != golden[step]:
                found = ours[step] if step < len(ours) else "nothing"
                self.cases.check(case, False, f"step {step}: {found} instead of {golden[step]}, "
                                              f"gap {gaps[step]:.4f}")
                return step
        self.cases.check(case, len(ours) == GREEDY_TOKENS, f"{len(ours)} tokens")
        return GREEDY_TOKENS

    def judge_logits(self, model, logits, label):
        if not self.cases.check(f"{label} logits count", len(logits) == len(model.exact_logits),
                                f"{len(logits)} of {len(model.exact_logits)}"):
            return {}
        largest = max(abs(a - b) for a, b in zip(logits, model.exact_logits))
        if model.float_type:
            tolerance = TOLERANCES[model.float_type]
            self.cases.check(f"{label} logits", largest <= tolerance, f"largest difference {largest:.5f} of {tolerance}")
            return {"largest": largest}
        ours, peer = rms(logits, model.exact_logits), rms(model.peer_logits, model.exact_logits)
        self.cases.check(f"{label} logits", ours <= 2 * peer, f"rms {ours:.4f}, llama.cpp {peer:.4f}")
        self.ratios.append((label, ours / peer))
        return {"largest": largest, "rms": ours, "peer": peer, "ratio": ours / peer}

    def perplexity(self, model, bundle, variant, label):
        """Perplexity of the `eval` text, whole or of its first stories."""
        if not model.eval or (self.options.quick and (model.float_type or variant != model.text_variant)):
            return {}
        text, tokens, expected = os.path.join(self.options.models, EVAL_TEXTS[model.folder]), model.eval["tokens"], \
            model.eval["ppl"]
        tolerance = PERPLEXITY_TOLERANCE
        if self.options.quick:
            text, tokens, expected = self.first_stories(model, text)
        result = self.sinter(variant, "perplexity", bundle, "-f", text, f"--split={SEPARATOR}", "--json")
        if not self.cases.check(f"{label} perplexity runs", result.code == 0,
                                f"{result.seconds:.1f} s" if result.code == 0 else result.why()):
            return {}
        found = result.json()
        self.cases.check(f"{label} perplexity tokens", found["tokens"] == tokens, f"{found['tokens']} of {tokens}")
        off = found["ppl"] / expected - 1
        self.cases.check(f"{label} perplexity", abs(off) <= tolerance,
                         f"{found['ppl']:.4f}, exact {expected:.4f}: {100 * off:+.3f} %")
        return {"ppl": found["ppl"], "ppl_off": off}

    def first_stories(self, model, text):
        """The first two stories: the golden has each one's likelihood for the file as it is, and the whole text's for
        the dequantized file; the ratio of the two carries over."""
        cut = os.path.join(self.scratch, f"{model.folder}.eval.txt")
        with open(text, encoding="utf-8") as file:
            stories = file.read().split(SEPARATOR + "\n")[:2]
        with open(cut + f".{model.name}", "w", encoding="utf-8") as file:
            file.write((SEPARATOR + "\n").join(stories))
        tokens = sum(count for count, _ in model.stories[:2])
        nll = sum(value for _, value in model.stories[:2]) / tokens
        exact = math.exp(nll) * model.eval["ppl"] / model.eval_of_file["ppl"]
        return cut + f".{model.name}", tokens, exact

    def summary(self):
        print(f"\n{'model':<36} {'types':<10} {'greedy':>6} {'largest':>8} {'rms':>8} {'peer rms':>8} {'ratio':>6} "
              f"{'ppl':>9} {'off':>9}")
        for row in sorted(self.rows, key=lambda row: row["model"]):
            def field(key, width, form):
                return format(row[key], form).rjust(width) if key in row else "-".rjust(width)
            off = f"{100 * row['ppl_off']:+.3f} %" if "ppl_off" in row else "-"
            print(f"{row['model']:<36} {row['type']:<10} {row['tokens'] or '-':>6} {field('largest', 8, '.5f')} "
                  f"{field('rms', 8, '.4f')} {field('peer', 8, '.4f')} {field('ratio', 6, '.3f')} "
                  f"{field('ppl', 9, '.4f')} {off:>9}")
        if self.ratios:
            mean = math.exp(sum(math.log(max(ratio, 1e-9)) for _, ratio in self.ratios) / len(self.ratios))
            worst = max(self.ratios, key=lambda entry: entry[1])
            print(f"ratio, geometric mean over {len(self.ratios)}: {mean:.3f}")
            self.cases.check("rms over llama.cpp's rms, geometric mean", mean <= 1.1,
                             f"{mean:.3f} over {len(self.ratios)}; worst {worst[0]} {worst[1]:.3f}")


def quick_choice(models, variants):
    """The smallest file of each set of types and each family. The smallest file of all that have a set of types runs on
    every variant, those of other families on one, in turns; the text is read on one."""
    chosen, seen = {}, set()
    for model in sorted(models, key=lambda model: os.path.getsize(model.path)):
        types = frozenset(model.types)
        if (model.name.split("-")[0], types) in chosen:
            continue
        chosen[model.name.split("-")[0], types] = model
        model.text_variant = variants[len(chosen) % len(variants)]
        model.variants = [model.text_variant] if types in seen else variants
        seen.add(types)
    return list(chosen.values())


def main():
    def add(parser):
        parser.add_argument("--target", default="host", help="of sinterc (default: host)")
        parser.add_argument("--variants", default="", help="comma-separated; each is run (default: the runtime's choice)")
        parser.add_argument("--files", default="", help="glob patterns under the models' folder, comma-separated")
        parser.add_argument("--quick", action="store_true", help="fewer files, less text")
        parser.add_argument("--threads", type=int, default=1, help="of each run of sinter")
        parser.add_argument("--timeout", type=float, default=900)
    options = parse(__doc__, add)
    cases = Cases(options)
    if not options.have_models:
        cases.skip_for_models(f"goldens of all models but those of test/models, --target={options.target}", options)
        options.models = os.path.join(ROOT, "test", "models")
    patterns = options.files.split(",") if options.files else FILES
    paths = sorted({path for pattern in patterns for path in glob.glob(os.path.join(options.models, pattern))})
    variants = options.variants.split(",")
    models = [Model(path, variants) for path in paths]
    computable = [model for model in models if model.types <= COMPUTABLE]
    refused = [model for model in models if not model.types <= COMPUTABLE]
    if options.quick:
        computable, refused = quick_choice(computable, variants), []
    with Scratch(options) as scratch:
        goldens = Goldens(options, cases, scratch)
        # Large ones first, so that the workers end together.
        computable.sort(key=lambda model: -os.path.getsize(model.path))
        in_parallel(options.workers, goldens.measure, computable)
        in_parallel(options.workers, goldens.refuse, refused)
        goldens.summary()
    cases.finish()


if __name__ == "__main__":
    main()
