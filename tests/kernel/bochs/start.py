"""Bochs with a Multiboot kernel and its modules, which start at once: a disk with
boot.S as its boot sector, behind which they lie as they are to lie in memory.
(Bochs can load images into memory itself, but 2.7 scatters what is larger than
128 KiB.)

What the machine writes to port 0xe9 is Bochs's standard output. It ends when
the program in it does so, or is killed.
"""
import os
import shutil
import struct
import subprocess
import sys

SHARE = "/usr/share/bochs"
INFO = 0x1000000
INFO_BYTES = 4096
INFO_ENTRY = 116
MODULES = 2048
MULTIBOOT = 0x1BADB002
HAS_ADDRESSES = 1 << 16
PAGE = 4096
SECTOR = 512
CHUNK = 64 * SECTOR
EXTENTS = 480
CYLINDER = 16 * 63 * SECTOR


def loaded(kernel):
    """The kernel as its Multiboot header wants it, and (load address, entry)."""
    for at in range(0, 8192, 4):
        magic, flags, _, head, load, end, bss, entry = struct.unpack_from("<8I", kernel, at)
        if magic == MULTIBOOT and flags & HAS_ADDRESSES:
            offset = at - (head - load)
            return kernel[offset:offset + end - load].ljust(bss - load, b"\0"), load, entry
    sys.exit("bochs: error: the kernel has no Multiboot header with addresses")


def info(entry, cmdline, modules):
    """Multiboot information with the modules behind it, as it lies at INFO."""
    page = bytearray(INFO_BYTES)
    text = 256
    for path, number in zip([None, *modules], range(len(modules) + 1)):
        words = (cmdline if path is None else os.path.basename(path)).encode()[:255] + b"\0"
        page[text + 256 * number:text + 256 * number + len(words)] = words
    flags = 1 | 4 | 8 | 64  # memory, command line, modules, map
    struct.pack_into("<7I", page, 0, flags, 640, 0x70000, 0, INFO + text, len(modules),
                     INFO + MODULES)
    struct.pack_into("<I", page, INFO_ENTRY, entry)
    blob = bytes()
    for number, path in enumerate(modules):
        with open(path, "rb") as f:
            data = f.read()
        start = INFO + INFO_BYTES + len(blob)
        struct.pack_into("<4I", page, MODULES + 16 * number, start, start + len(data),
                         INFO + text + 256 * (number + 1), 0)
        blob += data + bytes(-len(data) % PAGE)
    return bytes(page) + blob


def disk(sector, extents):
    """The disk: boot sector, then each (address, bytes) in whole chunks."""
    out = bytearray(sector)
    for number, (address, data) in enumerate(extents):
        data += bytes(-len(data) % CHUNK)
        struct.pack_into("<3I", out, EXTENTS + 12 * number, len(out) // SECTOR,
                         len(data) // CHUNK, address)
        out += data
    return bytes(out) + bytes(-len(out) % CYLINDER)


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def alone():
    """Bochs's display listens on the network: give it one of its own."""
    for way in (["unshare", "-n"], ["unshare", "-r", "-n"]):
        if subprocess.run([*way, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return way
    return []


def command(folder, boot, kernel, modules, model="corei7_skylake_x", megs=512, ips=1000000000,
            cmdline="", devices=()):
    """Writes what it needs into `folder`; Bochs's command line. `devices`: more lines for it."""
    # A Bochs that was killed leaves a lock beside its disk.
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(kernel, "rb") as f:
        image, load, entry = loaded(f.read())
    with open(boot, "rb") as f:
        sector = f.read()
    path = write(folder, "disk.img",
                 disk(sector, [(load, image), (INFO, info(entry, cmdline, modules))]))
    rc = "\n".join([
        f"megs: {megs}",
        f"cpu: model={model}, count=1, ips={ips}, reset_on_triple_fault=0",
        f"romimage: file={SHARE}/BIOS-bochs-latest, options=fastboot",
        f"vgaromimage: file={SHARE}/VGABIOS-lgpl-latest",
        f"ata0-master: type=disk, path={path}, mode=flat",
        "boot: disk",
        'display_library: rfb, options="timeout=0"',
        f"com1: enabled=1, mode=file, dev={folder}/com1.txt",
        "sound: driver=dummy", "speaker: enabled=0",
        "clock: sync=none, time0=946681200",
        f"log: {folder}/bochs.log", "panic: action=fatal", "port_e9_hack: enabled=1",
        *devices, ""])
    write(folder, "bochsrc", rc.encode())
    write(folder, "debugger", b"c\nq\n")
    return [*alone(), "setpriv", "--pdeathsig", "KILL", "bochs", "-q", "-f", f"{folder}/bochsrc",
            "-rc", f"{folder}/debugger"]
