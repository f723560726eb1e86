#!/usr/bin/python3
"""How much of what a core's ports allow the inner loops with dots of AArch64 kernels reach, by the models of llvm-mca.

  port_share.py [--cpus neoverse-n2,cortex-a510] [--kernels REGEX] [--least 0.75] KERNELS.s
  port_share.py --sinterc build/release/bin/sinterc --variant dotprod [..] MODEL.gguf

KERNELS.s is what `sinterc --emit=asm --target=aarch64:VARIANT` writes; with --sinterc and --variant it is made from a model.
Of each innermost loop with int8 dots or products of matrices: instructions, how many of these are such, cycles an iteration
(of 200 less those of 100, so that what begins and ends the run cancels), the cycles that the busiest ports or the width of
issue allow, and their ratio. Loops that are the same are printed once, with the first kernel that has them. All data is in
the first cache.
What ports allow: no set of ports can do more cycles of work an iteration than it has ports; work counts for a set if only
ports of it can do it. (llvm-mca's Block RThroughput does not add what can go to either of two ports to what must go to one of
them: of decode on neoverse-n2 it allows 60 cycles for 184 cycles of work on two ports.)
--least: exit with 1 if a printed share is smaller.

llvm-mca is part of LLVM: Debian's package llvm-19 calls it llvm-mca-19, which --mca= names.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

ITERATIONS = 100
DOTS = re.compile(r"^(?:sdot|smmla)\b")
BRANCH = re.compile(r"^(?:b|b\.\w+|cbn?z|tbn?z)\s+(?:.*,\s*)?(\.L\w+)$")


def loops(text):
    """Innermost loops: (kernel, instructions)."""
    kernel, code, labels, found = "", [], {}, []
    for line in text.splitlines():
        line = line.split("//")[0].strip()
        if label := re.match(r"^([.\w]+):", line):
            if not label[1].startswith(".L"):
                kernel, code, labels = label[1], [], {}
            elif label[1].startswith(".LBB"):
                labels[label[1]] = len(code)
            continue
        if not line or line.startswith("."):
            continue
        code.append(re.sub(r"\s+", " ", line))
        branch = BRANCH.match(code[-1])
        if branch and branch[1] in labels:
            start = labels[branch[1]]
            found.append((kernel, start, len(code), code[start:]))
    for name, start, end, body in found:
        inner = any(k == name and start <= s and e <= end and (s, e) != (start, end) for k, s, e, _ in found)
        if not inner and any(DOTS.match(i) for i in body):
            yield name, body


def run_mca(mca, cpu, body, option):
    command = [mca, "-mtriple=aarch64", f"-mcpu={cpu}", "-mattr=+dotprod,+i8mm,+sve", option]
    done = subprocess.run(command, input="\n".join(body) + "\n", capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(command)}: {done.stderr.strip()[:300]}")
    return done.stdout


def summary(mca, cpu, body, iterations):
    text = run_mca(mca, cpu, body, f"-iterations={iterations}")
    return {key: float(value) for key, value in re.findall(r"^([\w ]+):\s+([\d.]+)$", text, re.M)}


def busiest_ports(table):
    """Cycles of the busiest set of ports, of what -instruction-tables prints: work spread evenly over the ports it can go to."""
    header, *lines = table.partition("Resource pressure by instruction:\n")[2].splitlines()
    work = {}
    for line in lines:
        cells = line.split()[:header.count("[")]
        used = {port: float(cell) for port, cell in enumerate(cells) if cell != "-"}
        ports = frozenset(used)
        work[ports] = work.get(ports, 0) + sum(used.values())
    unions = {frozenset()}
    for ports in work:
        unions |= {union | ports for union in unions}
    return max(sum(cycles for ports, cycles in work.items() if ports <= union) / len(union) for union in unions if union)


def simulate(mca, cpu, body):
    """Cycles an iteration, and what the ports allow."""
    few, many = summary(mca, cpu, body, ITERATIONS), summary(mca, cpu, body, 2 * ITERATIONS)
    width = few["Total uOps"] / ITERATIONS / few["Dispatch Width"]
    ports = busiest_ports(run_mca(mca, cpu, body, "-instruction-tables"))
    return (many["Total Cycles"] - few["Total Cycles"]) / ITERATIONS, max(ports, width)


def assembly(options):
    if not options.sinterc:
        with open(options.file, encoding="utf-8") as file:
            return file.read()
    if not options.variant:
        sys.exit("error: --sinterc needs --variant=NAME, of the target aarch64")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "kernels.s")
        done = subprocess.run([options.sinterc, options.file, f"--target=aarch64:{options.variant}", "--emit=asm",
                               "-o", path], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"error: {options.sinterc}: exit code {done.returncode}\n{done.stderr.strip()}")
        with open(path, encoding="utf-8") as file:
            return file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--sinterc")
    parser.add_argument("--variant")
    parser.add_argument("--cpus", default="neoverse-n2,cortex-a510")
    parser.add_argument("--kernels", default="")
    parser.add_argument("--mca", default="llvm-mca-19")
    parser.add_argument("--least", type=float, default=0)
    options = parser.parse_args()
    if not shutil.which(options.mca):
        sys.exit(f"error: there is no {options.mca}: install LLVM (Debian 12: apt install llvm-19), or name it by --mca=")
    seen, small = set(), False
    print(f"{'kernel':40} {'instructions':>12} {'dots':>5}  {'cpu':14} {'cycles':>7} {'ports':>6} share")
    for kernel, body in loops(assembly(options)):
        # Loops that differ in their labels or addresses only.
        same = re.sub(r"\.L\w+|#\d+|\b[xw]\d+\b", "", "\n".join(body))
        if not re.search(options.kernels, kernel) or same in seen:
            continue
        seen.add(same)
        for cpu in options.cpus.split(","):
            cycles, ports = simulate(options.mca, cpu, body)
            small |= ports / cycles < options.least
            print(f"{kernel:40} {len(body):12} {sum(bool(DOTS.match(i)) for i in body):5}  {cpu:14} {cycles:7.1f} {ports:6.1f}"
                  f" {ports / cycles:5.0%}")
    sys.exit(small)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"error: {error.filename or 'output'}: {error.strerror}")
