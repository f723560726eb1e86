#!/usr/bin/python3
"""Instructions per multiply-add of a bundle's AArch64 kernels, counted under qemu: a figure that no busy machine changes.

  instructions.py --sinter build/aarch64/bin/sinter [--variants dotprod,i8mm] [--prompt 128] [--decode 2]
                  [--cpu max] [--sysroot /usr/aarch64-linux-gnu] [--plugin count.so] [--most dotprod.decode=0.22 ...]
                  BUNDLE

`sinter bench` with two repetitions less the same with one is one repetition: start-up and all that happens once cancel.
What is left is everything that a prompt or a token costs (attention, norms and the tool itself too), divided by the
multiply-adds with weights; the output layer counts once a prompt. One thread: waiting would count as well.

The plugin that counts is built from count_instructions.c with `cc` unless --plugin names one that prints
"instructions: N" or "insns: N". --cpu: what qemu emulates, e.g. max,sve256=on for kernels of 256 bits.
--most: exit with 1 if a figure is larger.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(command)}: exit code {done.returncode}\n{done.stdout.strip()}")
    return done.stdout


class Counter:
    def __init__(self, options, plugin):
        self.emulator = ["qemu-aarch64", "-L", options.sysroot, "-cpu", options.cpu]
        self.plugin, self.options = ["-plugin", plugin, "-d", "plugin"], options

    def sinter(self, arguments, count=True):
        return run([*self.emulator, *(self.plugin if count else []), self.options.sinter, *arguments])

    def macs(self):
        """Of each program, a token."""
        out = self.sinter(["inspect", self.options.bundle, "--json"], count=False)
        return {program["name"]: program["macs"] for program in json.loads(out)["programs"]}

    def repetition(self, variant, prompt, decode):
        def instructions(repetitions):
            out = self.sinter(["bench", self.options.bundle, f"--variant={variant}", "--threads=1", f"--prompt={prompt}",
                               f"--number={decode}", f"--repeat={repetitions}"])
            found = re.search(r"^(?:instructions|insns): (\d+)", out, re.M)
            if not found:
                sys.exit(f"error: the plugin prints no count: {out.strip()[-200:]}")
            return int(found[1])
        return instructions(2) - instructions(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--sinter", required=True, help="the AArch64 build of the runtime's tool")
    parser.add_argument("--variants", default="dotprod")
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--decode", type=int, default=2)
    parser.add_argument("--cpu", default="max")
    parser.add_argument("--sysroot", default="/usr/aarch64-linux-gnu")
    parser.add_argument("--plugin")
    parser.add_argument("--most", nargs="*", default=[], metavar="VARIANT.PHASE=N")
    options = parser.parse_args()
    limits = {name: float(most) for name, most in (item.split("=") for item in options.most)}
    with tempfile.TemporaryDirectory() as folder:
        plugin = options.plugin and os.path.abspath(options.plugin)
        if not plugin:
            plugin = os.path.join(folder, "count.so")
            run(["cc", "-shared", "-fPIC", "-O2", os.path.join(HERE, "count_instructions.c"), "-o", plugin])
        counter = Counter(options, plugin)
        macs = counter.macs()
        failed = False
        for variant in options.variants.split(","):
            figures = {"decode": counter.repetition(variant, 0, options.decode) / (options.decode * macs["decode"]),
                       "prefill": counter.repetition(variant, options.prompt, 0)
                       / (options.prompt * macs["prefill"] + macs["head"])}
            for phase, figure in figures.items():
                most = limits.get(f"{variant}.{phase}")
                over = most is not None and figure > most
                failed |= over
                print(f"{variant:10} {phase:8} {figure:.4f} instructions per multiply-add"
                      + (f", more than {most}" if over else ""))
    sys.exit(failed)


if __name__ == "__main__":
    main()
