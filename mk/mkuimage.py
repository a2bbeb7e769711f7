#!/usr/bin/env python3
"""Writes U-Boot's legacy image of a 32-bit Arm program, packed by gzip.

    mkuimage.py PROGRAM OUTPUT ADDRESS      ADDRESS is load address and entry
"""
import gzip
import struct
import sys
import zlib

LINUX, ARM, STANDALONE, GZIP = 5, 2, 1, 1


def main():
    program, output, address = sys.argv[1], sys.argv[2], int(sys.argv[3], 0)
    with open(program, "rb") as f:
        data = gzip.compress(f.read(), mtime=0)
    header = struct.pack(">7I4B32s", 0x27051956, 0, 0, len(data), address, address,
                         zlib.crc32(data), LINUX, ARM, STANDALONE, GZIP, b"micro32")
    header = header[:4] + struct.pack(">I", zlib.crc32(header)) + header[8:]
    with open(output, "wb") as f:
        f.write(header + data)


main()
