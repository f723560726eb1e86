"""What the end-to-end tests share: finding tools and models, running commands, counting cases.

A test is a script. It takes the flags below, prints one line a case and ends with "N passed, N failed" (and
", N skipped" if there are any); its exit code is 1 if a case failed. A case that cannot run for want of models is
skipped loudly, never silently.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
EXAMPLE = os.path.join(ROOT, "examples", "models", "tiny-f16.gguf")
SANITIZER_REPORT = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error: ")
CRASH = re.compile(r"PLEASE submit a bug report|Stack dump:|LLVM ERROR|terminate called|Assertion .* failed")


def parse(description, add=None):
    """The flags every test has, and those that `add(parser)` adds."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", default=os.path.join(ROOT, "build", "release", "bin"), metavar="DIR",
                        help="where sinterc, sinter-opt and sinter are (default: build/release/bin)")
    parser.add_argument("--sinter", metavar="BIN", help="another sinter than that of --tools")
    parser.add_argument("--emulator", default="", metavar="COMMAND", help="runs sinter, e.g. 'qemu-aarch64 -cpu max'")
    parser.add_argument("--models", default=os.environ.get("SINTER_MODELS", os.path.join(ROOT, "..", "shared", "models")),
                        metavar="DIR", help="models with goldens (default: SINTER_MODELS or ../shared/models)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="cases that run side by side")
    parser.add_argument("--only", default="", metavar="REGEX", help="only the cases whose name matches")
    parser.add_argument("--keep", metavar="DIR", help="work in DIR and leave the files there")
    if add:
        add(parser)
    options = parser.parse_args()
    # Commands run in directories of their own.
    options.tools = os.path.abspath(options.tools)
    options.sinterc = os.path.join(options.tools, "sinterc")
    options.sinter_opt = os.path.join(options.tools, "sinter-opt")
    options.run_sinter = [*shlex.split(options.emulator), os.path.abspath(options.sinter) if options.sinter else os.path.join(options.tools, "sinter")]
    options.models = os.path.normpath(options.models) if options.models else ""
    options.have_models = os.path.isdir(options.models)
    return options


class Result:
    """What a command did: exit code (negative: signal; None: ran out of time), output, seconds."""

    def __init__(self, command, code, out, err, seconds):
        self.command, self.code, self.raw, self.seconds = command, code, out, seconds
        self.out, self.err = out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)

    def why(self):
        """One line for a case that failed."""
        lines = [line for line in (self.err + self.out).splitlines() if line.strip()]
        state = "timed out" if self.code is None else f"exit code {self.code}"
        return f"{state}: {' | '.join(lines[-3:])[:400]}"

    def crashed(self):
        """Why this is no orderly end, or None: a signal, no end in time, a sanitizer's or LLVM's report."""
        if self.code is None:
            return f"no end after {self.seconds:.0f} s"
        if self.code < 0 or self.code >= 128:
            return f"died of signal {-self.code if self.code < 0 else self.code - 128}"
        report = SANITIZER_REPORT.search(self.err) or CRASH.search(self.err)
        return f"reported: {self.err[report.start():][:300]}" if report else None


def run(command, timeout=600, **popen):
    start = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                               stdout=popen.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, **popen)
    try:
        out, err = process.communicate(timeout=timeout)
        code = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        code = None
    return Result(command, code, out or b"", err or b"", time.monotonic() - start)


def error_lines(result):
    """The lines of stderr that are no progress: what a person has to read."""
    return [line for line in result.err.splitlines() if re.search(r"\berror: ", line)]


class Cases:
    """Counts and prints cases; safe to use from many threads."""

    def __init__(self, options):
        self.only = re.compile(options.only)
        self.counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
        self.failures, self.notices = [], []
        self.lock = threading.Lock()

    def wanted(self, name):
        return bool(self.only.search(name))

    def _add(self, kind, name, detail):
        with self.lock:
            self.counts[kind] += 1
            if kind == "FAIL":
                self.failures.append(f"{name}: {detail}")
            print(f"{kind}  {name}" + (f"  {detail}" if detail else ""), flush=True)

    def check(self, name, good, detail=""):
        """Counts one case; `detail` says what was found. Returns whether it passed."""
        if not self.wanted(name):
            return bool(good)
        self._add("PASS" if good else "FAIL", name, detail)
        return bool(good)

    def skip(self, name, why):
        if self.wanted(name):
            self._add("SKIP", name, why)

    def skip_for_models(self, name, options):
        """Skips what needs models that are not there, and says so at the end once more."""
        self.skip(name, f"no models at {options.models or '(SINTER_MODELS is empty)'}")
        with self.lock:
            self.notices.append(f"NOT RUN: {name}: set SINTER_MODELS to a folder with models and goldens")

    def finish(self):
        for line in self.notices:
            print(f"!!! {line}")
        for line in self.failures:
            print(f"failed: {line}")
        skipped = f", {self.counts['SKIP']} skipped" if self.counts["SKIP"] else ""
        print(f"{self.counts['PASS']} passed, {self.counts['FAIL']} failed{skipped}")
        sys.exit(1 if self.counts["FAIL"] else 0)


def in_parallel(workers, function, items):
    """function(item) for all items on some threads, results in order. An exception is the caller's."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        return list(pool.map(function, items))


class Scratch:
    """A directory for a test's files: temporary, or --keep's."""

    def __init__(self, options):
        self.kept = options.keep
        if self.kept:
            os.makedirs(self.kept, exist_ok=True)

    def __enter__(self):
        if self.kept:
            return os.path.abspath(self.kept)
        self.temporary = tempfile.TemporaryDirectory(prefix="sinter-")
        return self.temporary.name

    def __exit__(self, *unused):
        if not self.kept:
            self.temporary.cleanup()
