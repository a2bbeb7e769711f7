"""gcov's counters out of a memory image of a program that never heard of files.

The compiler (-fprofile-arcs -fprofile-info-section) leaves a table of pointers
to one `struct gcov_info` per object file; these lead to the counters. The
layouts are those of gcc 12 (gcov-io.h, libgcov.h).
"""
import struct

COUNTER_KINDS = 8   # of gcov-counter.def; the first is the arcs'
MAGIC_DATA, TAG_FUNCTION, TAG_ARCS, TAG_SUMMARY = 0x67636461, 0x01000000, 0x01a10000, 0xa1000000


class Memory:
    """Bytes of the machine from an address on."""

    def __init__(self, base, data):
        self.base, self.data = base, data

    def unpack(self, layout, address):
        return struct.unpack_from("<" + layout, self.data, address - self.base)

    def string(self, address):
        start = address - self.base
        return self.data[start:self.data.index(b"\0", start)].decode()


class Object:
    """Counters of one object file: {(ident, lineno sum, cfg sum): [counts]}."""

    def __init__(self, memory, info):
        head = memory.unpack(f"I4xQIIQ{COUNTER_KINDS}QI4xQ", info)
        self.version, _, self.stamp, self.checksum, name = head[:5]
        self.name = memory.string(name)
        self.functions = {}
        for i in range(head[-2]):
            function, = memory.unpack("Q", head[-1] + 8 * i)
            if function:
                self.add_function(memory, function, info)

    def add_function(self, memory, address, info):
        key, ident, lineno, cfg = memory.unpack("QIII", address)
        if key != info:     # another object's copy was linked
            return
        number, values = memory.unpack("I4xQ", address + 24)
        self.functions[ident, lineno, cfg] = list(memory.unpack(f"{number}Q", values))

    def add(self, other):
        """The counts of another run of the same object."""
        if self.stamp != other.stamp:
            raise ValueError(f"{self.name}: two different builds")
        for key, counts in other.functions.items():
            mine = self.functions.setdefault(key, [0] * len(counts))
            self.functions[key] = [a + b for a, b in zip(mine, counts)]

    def gcda(self):
        """The file that gcov reads."""
        out = struct.pack("<4I", MAGIC_DATA, self.version, self.stamp, self.checksum)
        most = max((max(c, default=0) for c in self.functions.values()), default=0)
        out += struct.pack("<4I", TAG_SUMMARY, 8, 1, min(most, 0xffffffff))
        for key, counts in self.functions.items():
            out += struct.pack("<5I", TAG_FUNCTION, 12, *key)
            out += struct.pack(f"<2I{len(counts)}Q", TAG_ARCS, 8 * len(counts), *counts)
        return out


def objects(memory, table, end):
    """All objects of the table of pointers [table, end): {name: Object}."""
    found = [Object(memory, memory.unpack("Q", a)[0]) for a in range(table, end, 8)]
    return {o.name: o for o in found}
