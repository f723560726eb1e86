#!/usr/bin/python3
"""Two compilations of the same input give the same bytes, whatever the directory, the time and the threads.

Each case compiles the same model under one changed circumstance and compares with the plain compilation.
"""
import hashlib
import os
import shutil
import time

from harness import EXAMPLE, Cases, Scratch, in_parallel, parse, run
import make_model


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Compilations:
    def __init__(self, options, cases, scratch):
        self.options, self.cases, self.scratch = options, cases, scratch

    def compile(self, case, model, flags, directory=None, environment=None, out="out.sinter"):
        """The digest of what one compilation wrote, None if it failed."""
        place = os.path.join(self.scratch, case.replace(" ", "-").replace("/", "-"))
        os.makedirs(place, exist_ok=True)
        out = os.path.join(directory or place, out)
        result = run([self.options.sinterc, model, "-o", out, *flags], cwd=directory or place,
                     env={**os.environ, **(environment or {})})
        if result.code != 0:
            self.cases.check(f"{case} compiles", False, result.why())
            return None
        value = digest(out)
        os.remove(out)
        return value

    def same(self, name, model, flags):
        """All circumstances for one model and one set of flags."""
        plain = self.compile(f"{name} plain", model, [*flags, "--threads=1"])
        if plain is None:
            return
        moved = os.path.join(self.scratch, name, "another", "directory with spaces")
        os.makedirs(moved, exist_ok=True)
        copy = shutil.copy(model, os.path.join(moved, os.path.basename(model)))
        os.utime(copy, (86400, 86400))
        circumstances = {
            "again": dict(),
            "two threads": dict(flags=["--threads=2"]),
            "five threads": dict(flags=["--threads=5"]),
            "another directory, relative path, old file": dict(model=os.path.basename(model), directory=moved),
            "another name of the output": dict(out="a-longer-name.bundle"),
            "another environment": dict(environment={"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "HOME": "/", "USER": "x",
                                                     "TMPDIR": self.scratch, "SOURCE_DATE_EPOCH": "1"}),
        }
        # The plain one is at least a second old by now: times of files and of the clock differ.
        time.sleep(1.1)
        for title, changed in circumstances.items():
            case = f"{name}: {title}"
            value = self.compile(case, changed.get("model", model), [*flags, *changed.get("flags", ["--threads=1"])],
                                 changed.get("directory"), changed.get("environment"), changed.get("out", "out.sinter"))
            if value is not None:
                self.cases.check(case, value == plain, value[:16] if value == plain else f"{value[:16]} != {plain[:16]}")


def main():
    options = parse(__doc__)
    cases = Cases(options)
    with Scratch(options) as scratch:
        random_model = os.path.join(scratch, "random-q4_k.gguf")
        make_model.write(random_model, "q4_k", layers=3, width=256, ffn=768, tied=False)
        # Blocks of 32 compile in a third of the time: enough to see several variants in one bundle.
        small_model = os.path.join(scratch, "random-q4_0.gguf")
        make_model.write(small_model, "q4_0", layers=3, width=256, ffn=768, tied=False)
        compilations = Compilations(options, cases, scratch)
        inputs = [
            ("example-host", EXAMPLE, ["--target=host"]),
            ("random-q4_k-host", random_model, ["--target=host"]),
            ("random-q4_0-x86-64", small_model, ["--target=x86-64"]),
            ("random-q4_0-aarch64", small_model, ["--target=aarch64"]),
            ("example-mlir", EXAMPLE, ["--target=host", "--compile-to=plan"]),
            ("random-q4_k-asm", random_model, ["--target=host", "--emit=asm"]),
        ]
        in_parallel(options.workers, lambda entry: compilations.same(*entry), inputs)
    cases.finish()


if __name__ == "__main__":
    main()
