#!/usr/bin/python3
"""Adds up what the suites of test/run.sh reported: one line a suite, then "N passed, N failed".

    summary.py RESULTS

RESULTS/suites names each suite and its exit code. GoogleTest's cases are counted in unit/*.xml, lit's in lit.xml, the
end-to-end tests' in the last line of NAME.log. A suite that ended with an error without a failed case counts as one.
"""
import glob
import os
import re
import sys
import xml.etree.ElementTree


def count_xml(paths):
    passed = failed = skipped = 0
    for path in paths:
        for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def count_log(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        found = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", file.read(), re.M)
    return tuple(int(number or 0) for number in found[-1]) if found else (0, 0, 0)


def main():
    results = sys.argv[1]
    total = [0, 0, 0]
    with open(os.path.join(results, "suites"), encoding="utf-8") as file:
        suites = [line.split() for line in file]
    for name, code in suites:
        if name == "unit":
            counts = list(count_xml(glob.glob(os.path.join(results, "unit", "*.xml"))))
            # A binary that crashed wrote no cases; ctest names it.
            with open(os.path.join(results, "unit.log"), encoding="utf-8", errors="replace") as file:
                failed_binaries = re.findall(r"^\s*\d+ - (\S+) \(", file.read(), re.M)
            counts[1] += sum(not os.path.exists(os.path.join(results, "unit", binary + ".xml"))
                             for binary in failed_binaries)
        elif name == "lit":
            counts = list(count_xml(glob.glob(os.path.join(results, "lit.xml"))))
        else:
            counts = list(count_log(os.path.join(results, name + ".log")))
        if code != "0" and counts[1] == 0:
            counts[1] = 1
        print(f"{name:<18}" + line(counts))
        total = [a + b for a, b in zip(total, counts)]
    print(line(total))
    sys.exit(1 if total[1] or not total[0] else 0)


def line(counts):
    return f"{counts[0]} passed, {counts[1]} failed" + (f", {counts[2]} skipped" if counts[2] else "")


if __name__ == "__main__":
    main()
