"""Guests' memory in places of the machine that were chosen."""
import os

from harness import System, write_description
from qmp import Monitor

IMAGE_MAGIC, IMAGE_MAGIC_AT = 0x644d5241, 0x38  # of an arm64 Image
MULTIBOOT_MAGIC, MULTIBOOT_AT = 0x1badb002, 0x100000


def images(monitor, begin, end):
    """Where kernels are in the machine's memory."""
    return [at for at in range(begin, end, 0x10000)
            if monitor.word(at + IMAGE_MAGIC_AT) == IMAGE_MAGIC]


def chosen(report):
    """A VM's two regions each in a place of its own, before and after it was stopped, while others take what is free."""
    path = write_description("chosen-memory", "name: chosen-memory\n"
                             "machine: {memory: 1G, on_idle: stay}\nvms:\n"
                             "  - name: here\n    memory:\n"
                             "      - {address: 0x40000000, size: 64M, physical: 0x6c200000}\n"
                             "      - {address: 0x60000000, size: 4M, physical: 0x68400000}\n"
                             # What is made before RAM fits into its place, which is of odd pieces.
                             "    disks: [{image: chosen-memory.disk, mode: copy-on-write}]\n"
                             "    kernel: asset:micro-tick\n"
                             "  - name: there\n    one_to_one: true\n"
                             "    memory: [{address: 0x78000000, size: 8M}]\n"
                             "    kernel: asset:micro-tick\n"
                             "  - {name: greedy, memory: 600M, kernel: asset:micro-tick, autostart: false}\n")
    with open(os.path.dirname(path) + "/chosen-memory.disk", "wb") as f:
        f.truncate(48 << 20)
    monitor = Monitor("chosen-memory")
    with System("chosen-memory", path, qemu=monitor.options) as run:
        run.wait("here", "tick 2")
        run.wait("there", "tick 2")
        monitor.connect()
        first = images(monitor, 0x6c200000, 0x70200000)
        report.check(len(first) == 1, "the kernel is in the memory that was chosen")
        report.check(images(monitor, 0x78000000, 0x78800000),
                     "... or at the guest's own addresses, one to one")
        run.client("stop", "--now", "here")
        run.client("start", "greedy")
        run.wait("greedy", "tick 2")
        seen = run.lines.count()
        run.client("start", "here")
        run.wait("here", "tick 2", after=seen)
        report.equal(images(monitor, 0x6c200000, 0x70200000), first,
                     "the same again after a stop, though a VM took all that was free")
        report.check("as described" in run.client("audit", path), "as described")


def chosen_pc(report):
    """The same on a PC: FreeRTOS, whose memory begins at 0."""
    path = write_description("chosen-memory-pc", "name: chosen-memory-pc\n"
                             "machine: {board: pc, memory: 1G}\nvms:\n"
                             "  - name: rtos\n    kernel: asset:freertos-pc\n"
                             "    memory: [{address: 0, size: 16M, physical: 0x30000000}]\n"
                             "    timers: [pit, lapic]\n")
    monitor = Monitor("chosen-memory-pc")
    with System("chosen-memory-pc", path, qemu=monitor.options) as run:
        run.wait("rtos", "System Tick = ", 60)
        monitor.connect()
        report.check(any(monitor.word(0x30000000 + MULTIBOOT_AT + at) == MULTIBOOT_MAGIC
                         for at in range(0, 8192, 4)),
                     "the guest is in the memory that was chosen")


def cases():
    return {"chosen-memory": chosen, "chosen-memory-pc": chosen_pc}
