#!/usr/bin/python3
"""Broken files: each gives one clear message and exit code 1, none crashes, hangs or leaves a file behind.

Feeds the corpus of test/gguf/make_broken_ggufs.py to sinterc and that of test/bundle/make_broken_bundles.py (made
from a bundle that is compiled first) to sinter. Meant for a build with sanitizers (--tools build/asan/bin): their
reports count as crashes. The valid files of both corpora have to be accepted.
"""
import glob
import os
import subprocess
import sys

from harness import ROOT, Cases, Scratch, error_lines, in_parallel, parse, run
import make_model

# Leaks are reported at exit, after the message, by LeakSanitizer; it cannot run under ptrace or an emulator.
# LLVM's arenas poison what they have not given out, but only in code that is instrumented: their half in libMLIR, which is
# not, never takes the poison off again.
ENVIRONMENT = {**os.environ,
               "ASAN_OPTIONS": "allocator_may_return_null=1:exitcode=99:abort_on_error=0:allow_user_poisoning=0",
               "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99"}
SECONDS_ALLOWED = 60


def script(path, *arguments):
    """Runs a script of test/ and returns what it prints."""
    return subprocess.run([sys.executable, os.path.join(ROOT, "test", *path), *arguments], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


class Corpus:
    def __init__(self, options, cases, scratch):
        self.options, self.cases, self.scratch = options, cases, scratch

    def judge(self, case, path, result, leftovers, valid, expected=""):
        """One file: valid ones are accepted, all others refused in good order, the message holding what is expected."""
        problem = result.crashed()
        lines = error_lines(result)
        if problem is None and valid and result.code != 0:
            problem = f"a valid file is refused: {result.why()}"
        if problem is None and not valid:
            if result.code != 1:
                problem = f"exit code {result.code} instead of 1: {result.why()}"
            elif len(lines) != 1:
                problem = f"{len(lines)} messages instead of one: {result.err.strip()[:300]!r}"
            elif os.path.basename(path) not in lines[0]:
                problem = f"the message does not name the file: {lines[0][:200]}"
            elif expected not in lines[0]:
                problem = f"the message lacks '{expected}': {lines[0][:200]}"
            elif leftovers:
                problem = f"left behind: {', '.join(leftovers)}"
        self.cases.check(case, problem is None, problem or (lines[0][:160] if lines else "accepted"))

    def compile(self, path, expected):
        name = os.path.basename(path)
        place = os.path.join(self.scratch, "out", name)
        os.makedirs(place)
        result = run([self.options.sinterc, path, "-o", os.path.join(place, "x.sinter"), "--target=host",
                      "--threads=1"], timeout=SECONDS_ALLOWED, env=ENVIRONMENT, cwd=place)
        self.judge(f"sinterc {name}", path, result, os.listdir(place), name.startswith("valid"),
                   expected.get(name, ""))

    def load(self, path):
        """What a user would do with a bundle: look at it, check it, run it."""
        name = os.path.basename(path)
        place = os.path.join(self.scratch, "run", name)
        os.makedirs(place)
        # `inspect --verify` reads every digest; `run` shows that execution begins only after all checks.
        for command in (["inspect", path, "--verify"], ["run", path, "-p", "a b c", "-n", "3"]):
            result = run([*self.options.run_sinter, *command], timeout=SECONDS_ALLOWED, env=ENVIRONMENT, cwd=place)
            self.judge(f"sinter {command[0]} {name}", path, result, os.listdir(place), name.startswith("valid"))


def main():
    options = parse(__doc__)
    cases = Cases(options)
    with Scratch(options) as scratch:
        corpus = Corpus(options, cases, scratch)
        models, bundles = os.path.join(scratch, "ggufs"), os.path.join(scratch, "bundles")
        script(("gguf", "make_broken_ggufs.py"), models)
        files = sorted(glob.glob(os.path.join(models, "*.gguf")))
        cases.check("corpus of models", len(files) >= 61, f"{len(files)} files")
        listed = script(("gguf", "make_broken_ggufs.py"), "--list").splitlines()
        expected = {f"{name}.gguf": text.strip() for name, _, text in (line.partition(" ") for line in listed)}
        in_parallel(options.workers, lambda path: corpus.compile(path, expected), files)

        model, bundle = os.path.join(scratch, "small.gguf"), os.path.join(scratch, "small.sinter")
        make_model.write(model, "q8_0", layers=1, width=64, ffn=64, heads=2, kv_heads=1, vocab=320, context=64)
        built = run([options.sinterc, model, "-o", bundle, "--target=host"], env=ENVIRONMENT)
        if cases.check("a bundle to break", built.code == 0, "" if built.code == 0 else built.why()):
            script(("bundle", "make_broken_bundles.py"), bundle, bundles)
            files = sorted(glob.glob(os.path.join(bundles, "*")))
            cases.check("corpus of bundles", len(files) >= 31, f"{len(files)} files")
            in_parallel(options.workers, corpus.load, files)
    cases.finish()


if __name__ == "__main__":
    main()
