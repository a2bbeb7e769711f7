#!/usr/bin/env python3
"""Benchmarks in executed instructions: prints a table, writes build/bench.json
and build/bench.html.

    run.py [--gate PERCENT] [PART...]

Parts, all by default:

  native        paths of the kernel, by the root task tests/bench/native
  native-pc     the same of the x86-64 kernel
  guest         exits and interrupts, by the bare guest micro-bench in a VM and,
                as system `bare`, on the machine without a hypervisor
  guest-pc      the same on a PC, by micropc-bench
  native-vtx, guest-vtx   both on a PC with VT-x, Bochs's: rows vtx_...
  block, block-vm   requests of a disk that is served elsewhere (load.py)
  net, net-vm   packets between two VMs (net.py)
  kvm, xen      the guest of `guest` on the peers
  kvm-amd       the guest of `guest-pc` on KVM
  kvm-virtio    the guests of `block` and `net` on KVM (kvm_virtio.py)
  start         row vm_start (boot.py)
  linux-small, linux-debian   row linux_boot_extra (boot.py); with --gate the
                exit code is 1 above that percentage
  linux-peers   linux-debian on the peers
  memory        row vm_memory: what init's free memory gains when a VM is
                switched off, less the VM's RAM

A suffix `_gicv2` means GICv2, otherwise it is GICv3.
"""
import argparse
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.chdir(ROOT)
sys.dont_write_bytecode = True
sys.path.insert(0, "tests/system")

import boot  # noqa: E402
import kvm_virtio  # noqa: E402
import load  # noqa: E402
import net  # noqa: E402
import own  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402

TABLES = {"native": own.native, "native-pc": own.native_pc, "guest": own.guest,
          "guest-pc": own.guest_pc, "native-vtx": own.native_vtx, "guest-vtx": own.guest_vtx,
          "start": boot.vm_start,
          "block": load.block, "block-vm": load.block_by_vm, "net": net.native,
          "net-vm": net.by_vm, "kvm": peers.kvm, "kvm-virtio": kvm_virtio.kvm_virtio,
          "kvm-amd": peers.kvm_amd, "xen": peers.xen}
PARTS = (*TABLES, *boot.MEMORY_MIB, "linux-peers", "memory")


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or ["unknown"])[0]


def about():
    """What was measured, for the page."""
    return [f"commit {first_line('git', 'rev-parse', '--short', 'HEAD')}, "
            f"{first_line('git', 'log', '-1', '--format=%cs')}",
            first_line("qemu-system-aarch64", "--version"),
            first_line("aarch64-linux-gnu-gcc", "--version"),
            "Selvage, Xen 4.17, KVM without VHE and pKVM on cortex-a57; KVM with VHE on QEMU's max; "
            "Debian's kernel 6.1",
            "x86 rows: the emulated EPYC under SVM; vtx rows: under VT-x, on Bochs's Skylake-X"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--gate", type=float, metavar="PERCENT")
    parser.add_argument("part", nargs="*", choices=[*PARTS, []],
                        help=f"{', '.join(PARTS)}; all by default")
    arguments = parser.parse_args()
    rows, bare = [], {}
    for name in arguments.part or PARTS:
        if name in TABLES:
            rows += TABLES[name]()
        elif name == "memory":
            rows += own.vm_memory()
        else:
            kernel = peers.LINUX if name == "linux-peers" else name
            if kernel not in bare:
                bare[kernel] = boot.bare_part(kernel)
            rows += (peers.linux(bare[kernel]) if name == "linux-peers"
                     else boot.boot_extra(kernel, bare[kernel]))
    print(report.text(rows))
    report.save(rows, about(), everything=not arguments.part)
    worst = max((r["max"] for r in rows if r["system"] == "selvage" and
                 r["row"].startswith("linux_boot_extra")), default=0)
    if arguments.gate is not None and worst > arguments.gate:
        print(f"bench: error: {worst:.2f} % extra, {arguments.gate:g} % allowed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
