#!/usr/bin/env python3
"""Packs a newc archive that depends on its inputs only: fixed owner, time,
numbers and order.

    mkcpio.py OUTPUT ITEM...

ITEM is  PATH=FILE   a file, with FILE's permission to execute
         PATH->TARGET  a symbolic link
         PATH/       a directory
Parent directories come by themselves. OUTPUT ending in .gz, or --gzip before
it, is compressed.
"""
import gzip
import os
import stat
import sys


def entry(number, name, mode, data):
    name_bytes = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0, len(data),
              0, 0, 0, 0, len(name_bytes), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name_bytes
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def parse(items):
    """PATH -> (mode, data), directories of every path included."""
    tree = {}
    for item in items:
        if "->" in item:
            path, target = item.split("->", 1)
            tree[path] = (stat.S_IFLNK | 0o777, target.encode())
        elif item.endswith("/"):
            path = item.rstrip("/")
            tree[path] = (stat.S_IFDIR | 0o755, b"")
        elif "=" in item:
            path, source = item.split("=", 1)
            with open(source, "rb") as f:
                data = f.read()
            executable = os.access(source, os.X_OK)
            tree[path] = (stat.S_IFREG | (0o755 if executable else 0o644), data)
        else:
            sys.exit(f"mkcpio: error: '{item}' is neither PATH=FILE, PATH->TARGET nor PATH/")
        while "/" in path:
            path = path.rsplit("/", 1)[0]
            tree.setdefault(path, (stat.S_IFDIR | 0o755, b""))
    return tree


def main(arguments):
    compress = arguments[:1] == ["--gzip"]
    if compress:
        arguments = arguments[1:]
    if len(arguments) < 2:
        sys.exit(__doc__)
    output, items = arguments[0], arguments[1:]
    tree = parse(items)
    archive = b"".join(entry(n + 1, path, *tree[path])
                       for n, path in enumerate(sorted(tree)))
    archive += entry(0, "TRAILER!!!", 0, b"")
    archive += b"\0" * (-len(archive) % 512)
    if compress or output.endswith(".gz"):
        archive = gzip.compress(archive, 9, mtime=0)
    with open(output + ".part", "wb") as f:
        f.write(archive)
    os.replace(output + ".part", output)


if __name__ == "__main__":
    main(sys.argv[1:])
