#!/usr/bin/env python3
"""Packs loader, kernel and a root task into a bootable image.

usage: pack.py LOADER.img KERNEL.elf ROOTSERVER.elf OUTPUT [PAYLOAD]

For kernel tests, which have no system description; the layout is
kernel/loader/include/loader_header.h. `selvage build` makes real images.
"""
import struct
import sys

PAGE, LARGE = 0x1000, 0x200000


def newc(name, data):
    name_bytes = name.encode() + b"\0"
    fields = (0, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name_bytes), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name_bytes
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def main(argv):
    if len(argv) not in (5, 6):
        sys.exit(__doc__)
    image = bytearray(read(argv[1]))
    if image[64:72] != b"SELVLDRD":
        sys.exit(f"{argv[1]}: not a Selvage loader")
    cpio = newc("kernel.elf", read(argv[2])) + newc("rootserver", read(argv[3]))
    cpio += newc("TRAILER!!!", b"")
    image += b"\0" * (-len(image) % PAGE)
    cpio_offset = len(image)
    image += cpio
    payload_offset = payload_bytes = 0
    if len(argv) == 6:
        payload = read(argv[5])
        image += b"\0" * (-len(image) % LARGE)
        payload_offset, payload_bytes = len(image), len(payload)
        image += payload
    image += b"\0" * (-len(image) % PAGE)
    struct.pack_into("<4Q", image, 80, cpio_offset, len(cpio), payload_offset, payload_bytes)
    struct.pack_into("<Q", image, 16, len(image))
    with open(argv[4], "wb") as f:
        f.write(image)


if __name__ == "__main__":
    main(sys.argv)
