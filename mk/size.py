#!/usr/bin/env python3
"""`make size`: lines without blanks and comments, bytes of text, data and bss
of kernel, VMM and each server, and the memory of one VM.

    size.py FOLDER      FOLDER is the target's output, e.g. build/pa44
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import checks  # noqa: E402


def lines_of(folder):
    files = [f for f in checks.tracked(*checks.CODE) if f.startswith(f"{folder}/")]
    if folder == "kernel":
        files = checks.kernel_files()
    return checks.count_lines(files) if files else 0


def sections(elf):
    """(text, data, bss) bytes, or None without the file."""
    if not os.path.exists(elf):
        return None
    done = subprocess.run(["aarch64-linux-gnu-size", elf], capture_output=True, text=True, check=True)
    return tuple(int(w) for w in done.stdout.splitlines()[1].split()[:3])


def find_kernel(out):
    for place in (f"{out}/kernel.elf", f"{out}/bin/kernel.elf", f"{out}/kernel/kernel.elf"):
        if os.path.exists(place):
            return place
    return f"{out}/kernel.elf"


def parts(out):
    yield "kernel", "kernel", find_kernel(out)
    yield "kernel/loader", "kernel/loader", None
    yield "vmm", "vmm", None
    for server in sorted(os.listdir("servers")):
        yield f"servers/{server}", f"servers/{server}", f"{out}/bin/{server}.elf"
    for library in sorted(os.listdir("lib")):
        yield f"lib/{library}", f"lib/{library}", None
    yield "dev", "dev", None
    yield "abi", "abi", None
    yield "tool", "tool", None


def print_row(name, lines, elf):
    size = sections(elf) if elf else None
    cells = "".join(f"{n:>{w},}" for n, w in zip(size, (10, 9, 12))) if size else ""
    print(f"{name:<18}{lines:>8,}{cells}")


def main(arguments):
    out = arguments[0] if arguments else "build/pa44"
    os.chdir(checks.ROOT)
    print(f"{'part':<18}{'lines':>8}{'text':>10}{'data':>9}{'bss':>12}   ({out}; lines without blanks and comments)")
    total = 0
    for name, folder, elf in parts(out):
        lines = lines_of(folder)
        total += lines
        print_row(name, lines, elf)
    print_row("in all", total, None)
    for name, files in checks.monitors(out):
        print_row(f"VM by {name}", checks.count_lines(files), f"{out}/bin/{name}.elf")
    print("A program's text holds the libraries that it uses. VM by ...: one VM's monitor, of vmm "
          "and dev what its image has.")


if __name__ == "__main__":
    main(sys.argv[1:])
