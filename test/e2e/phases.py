#!/usr/bin/python3
"""Stopping at, dumping, printing and resuming from every phase.

--compile-to=PHASE gives IR that sinter-opt accepts; --dump-ir writes one numbered file a phase; --resume from each of
them gives the bundle of an uninterrupted compilation, byte for byte, and another one where the dump was edited;
--emit gives each kind of output.
"""
import glob
import json
import os
import re

from harness import EXAMPLE, Cases, Scratch, in_parallel, parse, run
import make_model

PHASES = ("import", "quantize", "fuse", "tile", "plan", "codegen")  # and pack, which ends in a bundle
# What each kind of text has to contain.
EMITTED = {"mlir": rb"exec\.program", "llvm": rb"define ", "asm": rb"\.globl|\.global", "obj": rb"\x7fELF",
           "glsl": rb"#version", "hvx": rb"HVX|hvx"}


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Phases:
    def __init__(self, options, cases, scratch):
        self.options, self.cases, self.scratch = options, cases, scratch

    def compile(self, model, out, *flags):
        out = os.path.join(self.scratch, out)
        target = [] if any(flag.startswith("--target=") for flag in flags) else ["--target=host"]
        result = run([self.options.sinterc, model, "-o", out, *target, *flags])
        if result.code == 0 and not os.path.exists(out):
            result.err += f"error: no {out}"
        return result, read(out) if result.code == 0 and os.path.exists(out) else None

    def compile_to(self, name, model, phase):
        case = f"{name} --compile-to={phase}"
        file = f"{name}.{phase}.mlir"
        result, text = self.compile(model, file, f"--compile-to={phase}")
        if not self.cases.check(case, bool(text), f"{len(text or b'')} bytes" if text else result.why()):
            return
        parsed = run([self.options.sinter_opt, os.path.join(self.scratch, file), "-o", os.devnull])
        self.cases.check(f"{case} is read by sinter-opt", parsed.code == 0, "" if parsed.code == 0 else parsed.why())
        self.cases.check(f"{case} names its phase", f'"{phase}"'.encode() in text, "")

    def dump_and_resume(self, name, model):
        dumps = os.path.join(self.scratch, name + ".dumps")
        result, bundle = self.compile(model, f"{name}.sinter", f"--dump-ir={dumps}")
        files = sorted(glob.glob(os.path.join(dumps, "*")))
        found = [os.path.basename(file) for file in files]
        numbered = all(re.match(r"\d+[-_.]", file) for file in found)
        if not self.cases.check(f"{name} --dump-ir", bundle is not None and numbered and
                                len(files) == len(PHASES), ", ".join(found) or result.why()):
            return
        for file in files:
            phase = re.sub(r"^\d+[-_.]|\.mlir$", "", os.path.basename(file))
            self.resume(name, model, phase, file, bundle)

    def resume(self, name, model, phase, file, bundle):
        case = f"{name} --resume from {phase}"
        result, again = self.compile(model, f"{name}.{phase}.resumed.sinter", f"--resume={file}")
        good = again is not None and again == bundle
        self.cases.check(case, good, "same bytes" if good else "other bytes" if again else result.why())
        text = read(file)
        # Another epsilon of every norm: a change that no phase before packing may lose.
        edited = re.sub(rb"(eps(?:ilon)? = )[0-9.eE+-]+", rb"\g<1>1.250000e-03", text)
        if edited == text:
            return
        edited_file = os.path.join(self.scratch, f"{name}.{phase}.edited.mlir")
        with open(edited_file, "wb") as out:
            out.write(edited)
        result, other = self.compile(model, f"{name}.{phase}.edited.sinter", f"--resume={edited_file}")
        good = other is not None and other != bundle
        self.cases.check(f"{case}, edited", good, "other bytes" if good else "same bytes" if other else result.why())

    def emit(self, name, model, kind):
        # An object holds one variant.
        flags = ["--target=x86-64:avx2"] if kind == "obj" else []
        result, text = self.compile(model, f"{name}.{kind}", f"--emit={kind}", *flags)
        found = text is not None and re.search(EMITTED[kind], text) is not None
        self.cases.check(f"{name} --emit={kind}", found, f"{len(text)} bytes" if found else result.why())

    def emit_bundle(self, name, model):
        _, plain = self.compile(model, f"{name}.plain.sinter")
        for flag in ("--emit=bundle", "--compile-to=pack"):
            result, emitted = self.compile(model, f"{name}.{flag[2:6]}.sinter", flag)
            good = emitted is not None and emitted == plain
            self.cases.check(f"{name} {flag}", good, f"{len(plain)} bytes" if good else result.why())

    def emit_reference(self, name, model, vocab):
        """The logits after a prompt as the reference evaluator has them."""
        result, logits = self.compile(model, f"{name}.reference", "--emit=reference", "--ids=1,2,3")
        self.cases.check(f"{name} --emit=reference", logits is not None and len(logits) == 4 * vocab,
                         f"{len(logits)} bytes" if logits else result.why())

    def report(self, name, model):
        file = os.path.join(self.scratch, name + ".report.json")
        result, _ = self.compile(model, f"{name}.reported.sinter", f"--report={file}")
        try:
            report = json.loads(read(file))
        except (OSError, ValueError) as error:
            self.cases.check(f"{name} --report", False, f"{error}; {result.why()}")
            return
        text = json.dumps(report)
        self.cases.check(f"{name} --report names every phase", all(phase in text for phase in (*PHASES, "pack")),
                         ", ".join(report))


def main():
    options = parse(__doc__)
    cases = Cases(options)
    with Scratch(options) as scratch:
        model = os.path.join(scratch, "random-q8_0.gguf")
        make_model.write(model, "q8_0", layers=2, width=128, ffn=256, heads=4, kv_heads=2, vocab=512)
        phases = Phases(options, cases, scratch)
        jobs = [(phases.compile_to, "random-q8_0", model, phase) for phase in PHASES]
        jobs += [(phases.compile_to, "example", EXAMPLE, phase) for phase in PHASES]
        jobs += [(phases.dump_and_resume, "random-q8_0", model), (phases.dump_and_resume, "example", EXAMPLE)]
        jobs += [(phases.emit, "random-q8_0", model, kind) for kind in EMITTED]
        jobs += [(phases.emit_bundle, "random-q8_0", model), (phases.report, "random-q8_0", model),
             (phases.emit_reference, "random-q8_0", model, 512)]
        in_parallel(options.workers, lambda job: job[0](*job[1:]), jobs)
    cases.finish()


if __name__ == "__main__":
    main()
