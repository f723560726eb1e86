#!/usr/bin/python3
"""What goes wrong around the tools: flags, paths, disks and memory. Each case ends with one clear message and exit
code 1, and leaves no file behind.
"""
import os
import resource
import signal
import stat
import subprocess
import sys
import time

from harness import EXAMPLE, ROOT, Cases, Scratch, error_lines, parse, run
import make_model

sys.path.insert(0, os.path.join(ROOT, "test", "bundle"))
import make_broken_bundles


def limited(kind, size):
    """For Popen: the child lives under a limit. A write past a file's limit fails instead of killing the process."""
    def prepare():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(kind, (size, size))
    return prepare


class Errors:
    def __init__(self, options, cases, scratch):
        self.options, self.cases, self.scratch = options, cases, scratch
        self.bundle = os.path.join(scratch, "example.sinter")

    def sinterc(self, *arguments, **popen):
        return run([self.options.sinterc, *arguments], **popen)

    def sinter(self, *arguments, **popen):
        return run([*self.options.run_sinter, *arguments], **popen)

    def refused(self, case, result, *words, place=None):
        """Exit code 1, a message of one line with all the words, nothing in `place`."""
        lines = error_lines(result)
        text = " ".join(lines)
        problem = result.crashed()
        if problem is None and result.code != 1:
            problem = f"exit code {result.code}: {result.why()}"
        if problem is None and len(lines) != 1:
            problem = f"{len(lines)} messages: {result.err.strip()[:300]!r}"
        missing = [word for word in words if word not in text]
        if problem is None and missing:
            problem = f"the message lacks {missing}: {text[:300]}"
        if problem is None and place and os.listdir(place):
            problem = f"left behind: {os.listdir(place)}"
        self.cases.check(case, problem is None, problem or lines[0][:160])

    def empty(self, name):
        place = os.path.join(self.scratch, name)
        os.makedirs(place)
        return place

    def flags(self):
        out = os.path.join(self.empty("flags"), "x.sinter")
        place = os.path.dirname(out)
        for flag, *words in (["--no-such-flag", "no-such-flag"], ["--target=z80", "z80"],
                             ["--target=aarch64:i8m", "i8m"], ["--kv=f64", "f64"], ["--context=0", "context"],
                             ["--context=-5", "-5"], ["--context=many", "many"],
                             ["--context=99999999999999999999", "99999999999999999999"], ["--context=4000000000", "context"],
                             ["--prefill-chunk=0", "chunk"], ["--compile-to=fusion", "fusion"],
                             ["--emit=jpeg", "jpeg"], ["--threads=0", "threads"]):
            self.refused(f"sinterc {flag}", self.sinterc(EXAMPLE, "-o", out, "--target=host", flag)
                         if not flag.startswith("--target") else self.sinterc(EXAMPLE, "-o", out, flag), *words,
                         place=place)
        self.refused("sinterc without a model", self.sinterc("-o", out), place=place)
        self.refused("sinterc with two models", self.sinterc(EXAMPLE, EXAMPLE, "-o", out), place=place)
        self.refused("sinterc, a missing model", self.sinterc("absent.gguf", "-o", out), "absent.gguf", place=place)
        self.refused("sinterc, a directory for a model", self.sinterc(self.scratch, "-o", out), self.scratch,
                     place=place)
        self.refused("sinterc --resume, a missing dump",
                     self.sinterc(EXAMPLE, "-o", out, "--resume=absent.mlir"), "absent.mlir", place=place)
        nonsense = os.path.join(self.scratch, "nonsense.mlir")
        with open(nonsense, "w", encoding="utf-8") as file:
            file.write("this is no IR\n")
        self.refused("sinterc --resume, no IR",
                     self.sinterc(EXAMPLE, "-o", out, f"--resume={nonsense}"), "nonsense.mlir", place=place)

        bundle = self.bundle
        for arguments, *words in ([["run", bundle, "--no-such-flag"], "no-such-flag"], [["walk", bundle], "walk"],
                                  [["run", bundle, "-p", "x", "-n", "-1"], "-1"],
                                  [["run", bundle, "-p", "x", "-n", "many"], "many"],
                                  [["run", bundle, "-p", "x", "--temp=-1"], "temp"],
                                  [["run", bundle, "-p", "x", "--temp=1", "--top-p=7"], "top"],
                                  [["run", bundle, "-p", "x", "--threads=99999"], "threads"],
                                  [["run", bundle, "-p", "x", "--variant=sse2"], "sse2"],
                                  [["run", bundle, "-p", "x", "--cpus=0,1023"], "processor 1023"],
                                  [["run", bundle, "-p", "x", "--cpus=0,x"], "--cpus=0,x", "'x'"],
                                  [["run", bundle, "-p", "x", "--cpus=0,,1"], "''"],
                                  [["run", bundle, "-p", "x", "--cpus=3-1"], "3-1"],
                                  [["run", bundle, "-p", "x", "--cpus=0-99999999999"], "0-99999999999"],
                                  [["run", bundle, "-p", "x", "--cpus=0,0"], "processor 0 is there twice"],
                                  [["bench", bundle, "--cpus=0", "--threads=2"], "--threads=2", "1 processor,"],
                                  [["perplexity", bundle, "-f", EXAMPLE, "--cpus=1024"], "1024"],
                                  [["run", "absent.sinter", "-p", "x"], "absent.sinter"],
                                  [["run", EXAMPLE, "-p", "x"], "tiny-f16.gguf"],
                                  [["run", self.scratch, "-p", "x"], self.scratch],
                                  [["perplexity", bundle, "-f", "absent.txt"], "absent.txt"],
                                  [["perplexity", bundle]], [["run"]], [[]]):
            title = " ".join(os.path.basename(part) for part in arguments) or "without a command"
            self.refused(f"sinter {title}", self.sinter(*arguments), *words)
        uncounted = self.without_macs()
        self.refused("sinter bench --roofline, a bundle that does not say its multiply-adds",
                     self.sinter("bench", uncounted, "--roofline"), uncounted, "macs", "compile the model again")
        long_prompt = self.sinter("run", bundle, "-p", "and it came to pass " * 300, "-n", "2")
        self.refused("sinter run, a prompt longer than the context", long_prompt, "512")

    def without_macs(self):
        """The bundle as an older compiler would have written it: no dispatch says what it costs."""
        with open(self.bundle, "rb") as file:
            data = file.read()
        schema = make_broken_bundles.Schema(os.path.join(ROOT, "schema", "bundle.fbs"))
        old = make_broken_bundles.Bundle(data, schema)
        for place in old.all("programs.groups.dispatches.macs"):
            old.put("<Q", place.at, 0)
        old.seal()
        path = os.path.join(self.scratch, "uncounted.sinter")
        with open(path, "wb") as file:
            file.write(old.data)
        return path

    def help(self):
        """--help is no error, shows examples, and keeps LLVM's own options to itself."""
        for tool, result in (("sinterc", self.sinterc("--help")), ("sinter", self.sinter("--help")),
                             ("sinter run", self.sinter("run", "--help"))):
            good = result.code == 0 and f"{tool} " in result.out and "--x86-" not in result.out
            self.cases.check(f"{tool} --help", good, f"{len(result.out.splitlines())} lines")

    def places(self):
        """Outputs that cannot be written."""
        absent = os.path.join(self.scratch, "no", "such", "directory", "x.sinter")
        self.refused("sinterc -o, a missing directory", self.sinterc(EXAMPLE, "-o", absent), absent)
        under_file = os.path.join(self.bundle, "x.sinter")
        self.refused("sinterc -o, below a file", self.sinterc(EXAMPLE, "-o", under_file), under_file)
        directory = self.empty("a directory")
        self.refused("sinterc -o, a directory", self.sinterc(EXAMPLE, "-o", directory), directory, place=directory)
        # Root may write anywhere but where the kernel says no.
        sealed = "/proc/x.sinter"
        if os.geteuid() != 0:
            place = self.empty("sealed")
            os.chmod(place, stat.S_IRUSR | stat.S_IXUSR)
            sealed = os.path.join(place, "x.sinter")
        self.refused("sinterc -o, a directory that forbids writing", self.sinterc(EXAMPLE, "-o", sealed), sealed)
        for flag in ("--report=/proc/x.json", "--dump-ir=/proc/x"):
            place = self.empty("out-" + flag[2:8])
            self.refused(f"sinterc {flag}", self.sinterc(EXAMPLE, "-o", os.path.join(place, "x.sinter"), flag),
                         "/proc/x")
        unreadable = os.path.join(self.scratch, "unreadable.gguf")
        os.symlink("unreadable.gguf", unreadable)
        self.refused("sinterc, a link to itself", self.sinterc(unreadable, "-o", os.path.join(directory, "x")),
                     "unreadable.gguf", place=directory)
        self.refused("sinter run --logits, a missing directory",
                     self.sinter("run", self.bundle, "-p", "x", "-n", "1", f"--logits={absent}"), absent)

    def on_small_disk(self, size, command, shown):
        """Runs the command with the directory `shown` on a disk of `size` bytes of its own, in a mount namespace.
        Returns the result and what lies there afterwards; None where namespaces are forbidden."""
        listing = os.path.join(self.scratch, "listing")
        shell = ('mount -t tmpfs -o size="$1" tmpfs "$2" || exit 77; place=$2 list=$3; shift 3; '
                 'TMPDIR=$place "$@"; code=$?; ls -A "$place" >"$list"; exit $code')
        become_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        result = run(["unshare", *become_root, "--mount", "sh", "-c", shell, "sh", size, shown, listing, *command])
        if result.code == 77 or "unshare" in result.err:
            return None, []
        with open(listing, encoding="utf-8") as file:
            return result, file.read().split()

    def full_disk(self):
        """Disks of some kilobytes, for the bundle and for temporary files; /dev/full; a limit of a file's size."""
        place = self.empty("full")
        out = os.path.join(place, "x.sinter")
        for size in (4096, 64 << 10, 1 << 20, 4 << 20):
            case = f"sinterc, a disk of {size} bytes"
            result, left = self.on_small_disk(size, [self.options.sinterc, EXAMPLE, "-o", out], place)
            if result is None:
                self.cases.skip(case, "this system allows no mount namespace")
                continue
            self.refused(case, result)
            self.cases.check(f"{case}, leaves nothing", not left, ", ".join(left))
        keep = os.path.join(place, "x.sinter")
        with open(keep, "wb") as file:
            file.write(b"the bundle of yesterday")
        result = self.sinterc(EXAMPLE, "-o", keep, preexec_fn=limited(resource.RLIMIT_FSIZE, 1 << 20))
        self.refused("sinterc, a limit of the file's size", result, "x.sinter")
        with open(keep, "rb") as file:
            kept = file.read() == b"the bundle of yesterday"
        self.cases.check("sinterc, a limit of the file's size, leaves the older bundle alone", kept and os.listdir(place) == ["x.sinter"],
                         ", ".join(os.listdir(place)))
        self.refused("sinterc -o /dev/full", self.sinterc(EXAMPLE, "-o", "/dev/full"), "/dev/full")
        logits = self.sinter("run", self.bundle, "-p", "x", "-n", "1", "--logits=/dev/full")
        self.refused("sinter run --logits=/dev/full", logits, "/dev/full")
        with open("/dev/full", "wb") as full:
            for arguments in (["run", self.bundle, "-p", "x", "-n", "4"], ["inspect", self.bundle],
                              ["run", self.bundle, "-p", "x", "-n", "4", "--json"]):
                result = self.sinter(*arguments, stdout=full)
                self.refused(f"sinter {arguments[0]} {' '.join(arguments[6:])} > /dev/full", result)

    def interrupted(self):
        """Ctrl-C in the middle of writing leaves nothing half-written under the name asked for."""
        model, place = os.path.join(self.scratch, "large.gguf"), self.empty("interrupted")
        make_model.write(model, "q4_0", layers=6, width=1024, ffn=4096, heads=16, kv_heads=16, vocab=32000)
        process = subprocess.Popen([self.options.sinterc, model, "-o", os.path.join(place, "x.sinter"), "--threads=1"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not os.listdir(place) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        process.wait(60)
        left = os.listdir(place)
        self.cases.check("sinterc, interrupted while writing", left == [] or
                         (left == ["x.sinter"] and process.returncode == 0), f"left: {left}")

    def little_memory(self):
        """Address space runs out: a message and exit code 1 from the runtime, at whatever step it happens; an end
        without leftovers from the compiler, whose libraries give up in their own words."""
        model, bundle = os.path.join(self.scratch, "wide.gguf"), os.path.join(self.scratch, "wide.sinter")
        make_model.write(model, "q8_0", layers=4, width=512, ffn=512, heads=8, kv_heads=8, context=32768)
        built = self.sinterc(model, "-o", bundle, "--context=32768")
        if not self.cases.check("a bundle with a large cache", built.code == 0, "" if built.code == 0 else built.why()):
            return
        # The cache alone is 4 layers x 8 heads x 64 x 2 x 2 bytes x 32768 = 268 MB.
        for megabytes in (64, 128, 200, 256):
            result = self.sinter("run", bundle, "-p", "x", "-n", "2",
                                 preexec_fn=limited(resource.RLIMIT_AS, megabytes << 20))
            self.refused(f"sinter run in {megabytes} MB", result)
        place = self.empty("little")
        for megabytes in (320, 400, 500, 700):
            result = self.sinterc(model, "-o", os.path.join(place, "x.sinter"),
                                  preexec_fn=limited(resource.RLIMIT_AS, megabytes << 20))
            left = [name for name in os.listdir(place) if result.code != 0 or name != "x.sinter"]
            self.cases.check(f"sinterc in {megabytes} MB of address space", not left and
                             (result.code == 0 or result.err.strip() != ""),
                             f"exit code {result.code}, {result.err.strip().splitlines()[-1:]}, left {left}")
            for name in os.listdir(place):
                os.remove(os.path.join(place, name))


def main():
    options = parse(__doc__)
    cases = Cases(options)
    with Scratch(options) as scratch:
        errors = Errors(options, cases, scratch)
        built = errors.sinterc(EXAMPLE, "-o", errors.bundle, "--target=host")
        if cases.check("the example compiles", built.code == 0, "" if built.code == 0 else built.why()):
            for part in (errors.flags, errors.help, errors.places, errors.full_disk, errors.interrupted,
                         errors.little_memory):
                part()
    cases.finish()


if __name__ == "__main__":
    main()
