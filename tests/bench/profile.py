#!/usr/bin/env python3
"""Where the instructions of each row go, by function.

    profile.py [ROW...]      rows of run.py's parts `native` and `guest`
    profile.py --pc [ROW...] of `guest-pc`
    profile.py --virtio [ROW...]  of `block` and `net`, for each request or packet

Prints functions that take at least 8 instructions of a round, kernel (k:) and
processes (u:): of the whole round, so what is not timed as well (a helper that
waits again), but without what prints the row. Inlined functions count for
themselves. Processes share addresses: a function is named by the first program
that has the instruction. Needs a target build; CONFIG=pa44 or pc, release.
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.chdir(ROOT)
sys.dont_write_bytecode = True
sys.path.insert(0, "tests/system")

import boot  # noqa: E402
import load  # noqa: E402
import net  # noqa: E402
import own  # noqa: E402
from emulator import BENCH_LINE, OUT, counted, machine, until_done  # noqa: E402

TOUT = "build/pa44"
ROUNDS = {"native": 2020, "guest": 1010}
# Rows of the native benchmarks with other rounds than the rest.
OTHER_ROUNDS = {"stage2_fault": 1020, "page_map": 220, "page_unmap": 220, "retype_endpoint": 220,
                "retype_tcb": 220, "retype_page": 220, "vm_create": 220}
FEWEST = 8
NOT_THE_ROW = {"sort", "report", "put_string", "fmt_print", "print_number", "measure"}


class Program:
    """Instructions of an ELF file, and the functions that they come from."""

    def __init__(self, path, label, tools="aarch64-linux-gnu-"):
        self.path, self.label, self.tools = path, label, tools
        self.words, self.entries, self.functions = {}, {}, {}
        shown = subprocess.run([f"{tools}objdump", "-d", "-w", path], check=True,
                               capture_output=True, text=True).stdout
        for line in shown.splitlines():
            head = re.match(r"([0-9a-f]+) <([^>]+)>:", line)
            code = re.match(r"\s*([0-9a-f]+):\s+([0-9a-f]{8}|(?:[0-9a-f]{2} )+)\s", line)
            if head:
                self.entries[head.group(2)] = int(head.group(1), 16)
            elif code:
                shown_word = code.group(2)
                if " " in shown_word:  # bytes, as they are in memory
                    shown_word = "".join(reversed(shown_word.split()[:4]))
                self.words[int(code.group(1), 16)] = int(shown_word, 16)

    def name(self, addresses):
        """Looks up the functions of these, all at once."""
        new = sorted(set(addresses) & self.words.keys() - self.functions.keys())
        shown = subprocess.run([f"{self.tools}addr2line", "-f", "-e", self.path], check=True,
                               input="\n".join(f"{a:x}" for a in new), capture_output=True,
                               text=True).stdout.splitlines()
        self.functions.update(zip(new, shown[::2]))

    def function(self, address, word):
        return self.functions[address] if self.words.get(address) == word else None

    def address_of(self, name):
        at = self.entries[name]
        return at, self.words[at]


def run(name, command, at, word):
    """The profiles between calls of the function that prints a row, and the rows."""
    out = f"{OUT}/profile-{name}.insn"
    console = f"{OUT}/profile-{name}.console"
    plugin = ",".join((os.path.abspath(boot.PLUGIN), f"out={os.path.abspath(out)}",
                       f"at={at:x}:{word:x}", "profile=1"))
    with open(console, "wb") as f:
        process = subprocess.Popen([*command, "-plugin", plugin], stdin=subprocess.DEVNULL,
                                   stdout=f, stderr=subprocess.STDOUT)
    try:
        for _ in range(1200):
            with open(console, encoding="utf-8", errors="replace") as f:
                text = f.read()
            if "bench done" in text or process.poll() is not None:
                break
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
    finally:
        process.kill()
        process.wait()
    profiles = [[]]
    with open(out, encoding="utf-8") as f:
        for line in f:
            if line.startswith("at0 "):
                profiles.append([])
            elif line.startswith("pc ") and line.count(" ") == 3 and line.endswith("\n"):
                _, address, code, count = line.split()
                profiles[-1].append((int(address, 16), int(code, 16), int(count)))
    rows = [m.group(1) for line in text.splitlines()
            if (m := BENCH_LINE.search(re.sub(r"^[^|]*\| ?", "", line)))]
    return dict(zip(rows, profiles))


def show(row, profile, programs, rounds):
    sums = {}
    for program in programs:
        program.name(address for address, _, _ in profile)
    for address, word, count in profile:
        for program in programs:
            name = program.function(address, word)
            if name:
                if name not in NOT_THE_ROW:
                    key = (program.label, name)
                    sums[key] = sums.get(key, 0) + count
                break
    parts = {label: sum(n for (other, _), n in sums.items() if other == label) / rounds
             for label in ("k", "u")}
    print(f"{row}: kernel {parts['k']:.0f}, processes {parts['u']:.0f}")
    for (label, name), count in sorted(sums.items(), key=lambda item: -item[1]):
        if count / rounds >= FEWEST:
            print(f"    {label}:{name:<32} {count / rounds:7.1f}")


def show_rows(found, wanted, programs, kind):
    for row, profile in found.items():
        if not wanted or row in wanted:
            show(row, profile, programs, OTHER_ROUNDS.get(row, ROUNDS[kind]))


def main_pc(wanted):
    tools, out = "x86_64-linux-gnu-", "build/pc"
    micro = Program("build/obj/micropc/bench.elf", "g", tools)
    at, word = micro.address_of("report")
    programs = [Program(f"{out}/kernel.elf", "k", tools)]
    programs += [Program(f"{out}/bin/{name}.elf", "u", tools) for name in ("vmm", "time", "serial")]
    show_rows(run("guest-pc", boot.system_command(own.describe_pc()), at, word), wanted, programs,
              "guest")


def between_marks(name, path):
    """What the guest printed, and the instructions executed before each of its marks."""
    out = f"{OUT}/profile-{name}.insn"
    arguments = load.plugin(out)
    arguments[1] += ",profile=1"
    lines = until_done(f"profile-{name}", [*boot.system_command(path), *arguments], load.LIMIT_S)
    found, current = [], {}
    with open(out, encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if words[0] == "pc" and len(words) == 4:
                key = int(words[1], 16), int(words[2], 16)
                current[key] = current.get(key, 0) + int(words[3])
            elif words[0] == "mark":
                found.append(current)
                current = {}
    return [re.sub(r"^[^|]*\| ?", "", line) for line in lines], found


def together(profiles):
    """One of several, without what the driver guests executed."""
    sums = {}
    for profile in profiles:
        for key, count in profile.items():
            sums[key] = sums.get(key, 0) + count
    return [(at, word, count) for (at, word), count in sums.items()
            if not load.GUEST[0] <= at < load.GUEST[1]]


def main_virtio(wanted):
    programs = [Program(f"{TOUT}/kernel.elf", "k")]
    programs += [Program(f"{TOUT}/bin/{name}.elf", "u") for name in ("block", "net", "vmm-virtio")]
    lines, found = between_marks("block", load.describe(
        "profile-block", "pool", "device: block, served_by: block, image: asset:disk-test, "
        "mode: copy-on-write"))
    rows = [m.groups() for m in (re.match(r"blk (\w+) (\d+)$", line) for line in lines) if m]
    parts = [(row, int(n), found[2 * i + 1:2 * i + 2]) for i, (row, n) in enumerate(rows)]
    _, found = between_marks("net", net.describe("profile-net", "pool"))
    for i, (kind, packets) in enumerate(net.KINDS):
        parts.append((f"net_packet_{kind}", packets * (net.MARKS - 1),
                      found[net.MARKS * i + 1:net.MARKS * (i + 1)]))
    for row, n, profiles in parts:
        if not wanted or row in wanted:
            show(row, together(profiles), programs, n)


def main(wanted):
    if wanted[:1] == ["--pc"]:
        return main_pc(wanted[1:])
    if wanted[:1] == ["--virtio"]:
        return main_virtio(wanted[1:])
    kernel = Program(f"{TOUT}/kernel.elf", "k")
    native = Program(f"{TOUT}/bin/bench_native.elf", "u")
    others = [Program(p, "u") for p in sorted(glob.glob(f"{TOUT}/bin/*.elf"),
                                              key=lambda p: "vmm" not in p)
              if "bench" not in p and "test" not in p]
    micro = Program("build/obj/micro/bench.elf", "g")
    at, word = native.address_of("report")
    found = run("native", [*machine(3, True), *counted("-kernel", f"{TOUT}/bench-native.img")],
                at, word)
    show_rows(found, wanted, [kernel, native], "native")
    at, word = micro.address_of("report")
    more = "    cmdline: bench-doorbell bench-kick\n    devices: [pl011, rtc, kick]\n"
    found = run("guest", boot.vm_command("micro-bench", 4, more), boot.GUEST_ENTRY + at, word)
    show_rows(found, wanted, [kernel, *others], "guest")


if __name__ == "__main__":
    main(sys.argv[1:])
