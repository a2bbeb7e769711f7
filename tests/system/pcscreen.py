"""A PC's screen and keyboard, by QEMU's monitor: what its text screen shows, read back from a
picture by the font in the adapter's ROM, and keys."""
import os
import re
import time

from harness import OUT, Failure
from qmp import Monitor

COLUMNS, ROWS = 80, 25
GLYPH_ROWS = 16
# The BIOS's palette of text, of 6 bits to a colour as QEMU shows them: 0x1f is white on blue.
BLUE, WHITE = (0, 0, 0xa8), (0xff, 0xff, 0xff)
# `A` and `B` of every VGA's 8 by 16 font: where the ROM has its font.
A_AND_B = bytes.fromhex("000010386cc6c6fec6c6c6c600000000" "0000fc6666667c66666666fc00000000")
ROMS = ["/usr/share/seabios/vgabios-stdvga.bin", "/usr/share/qemu/vgabios-stdvga.bin"]
CURSOR = b"\xff\xff"  # rows 13 and 14
KEYS = {" ": "spc", "\n": "ret", "\t": "tab", "-": "minus", ".": "dot"}


def read_font():
    """{glyph's rows: character}, of those that can be read."""
    for path in ROMS:
        if not os.path.exists(path):
            continue
        rom = open(path, "rb").read()
        at = rom.find(A_AND_B) - ord("A") * GLYPH_ROWS
        if at >= 0:
            glyphs = [rom[at + c * GLYPH_ROWS:at + (c + 1) * GLYPH_ROWS] for c in range(0x7f)]
            return {g: chr(c) for c, g in enumerate(glyphs) if c >= 0x20}
    raise Failure(f"no font in {ROMS}")


class Picture:
    """One PPM, as cells."""

    def __init__(self, path):
        data = open(path, "rb").read()
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        if not head:
            raise Failure(f"{path} is no picture")
        self.width, self.height = int(head.group(1)), int(head.group(2))
        self.pixels = data[head.end():]
        # 9 dots to a character, or 8 where they are not drawn.
        self.cell_width = self.width // COLUMNS
        if self.cell_width not in (8, 9) or self.height != ROWS * GLYPH_ROWS:
            raise Failure(f"a picture of {self.width} by {self.height} is no text screen")

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return tuple(self.pixels[at:at + 3])

    def colours(self):
        """How often each is there."""
        found = {}
        for at in range(0, self.width * self.height * 3, 3):
            colour = self.pixels[at:at + 3]
            found[colour] = found.get(colour, 0) + 1
        return {tuple(c): n for c, n in found.items()}

    def glyph(self, column, row):
        rows = bytearray()
        for y in range(row * GLYPH_ROWS, (row + 1) * GLYPH_ROWS):
            bits = 0
            for x in range(8):
                bits = bits << 1 | (self.pixel(column * self.cell_width + x, y) != BLUE)
            rows.append(bits)
        return bytes(rows)

    def character(self, font, column, row):
        """A blank with the cursor in it is one; `?`: it cannot be read."""
        glyph = self.glyph(column, row)
        if glyph not in font and glyph[13:15] == CURSOR:
            glyph = glyph[:13] + bytes(2) + glyph[15:]
        return font.get(glyph, "?")

    def lines(self, font):
        return ["".join(self.character(font, c, r) for c in range(COLUMNS)) for r in range(ROWS)]


class Screen(Monitor):
    """Of a run that was given `options`."""

    def __init__(self, name):
        super().__init__(name)
        self.options = ("-vga", "std", *self.options)
        self.font = read_font()

    def picture(self):
        path = os.path.abspath(f"{OUT}/{self.name}.ppm")
        self.ask("screendump", filename=path)
        return Picture(path)

    def lines(self):
        return self.picture().lines(self.font)

    def until(self, good, wanted="what is to be there", limit_s=20):
        """The screen's lines, once they are good."""
        deadline = time.monotonic() + limit_s
        while True:
            lines = self.lines()
            if good(lines):
                return lines
            if time.monotonic() > deadline:
                shown = "\n".join(line.rstrip() for line in lines if line.strip())
                raise Failure(f"the screen does not show {wanted} but\n{shown}")
            time.sleep(0.3)

    def wait(self, pattern):
        """The lines, once there is one that matches."""
        return self.until(lambda lines: any(re.search(pattern, line) for line in lines),
                          f"a line like /{pattern}/")

    def press(self, *keys):
        """At the same time, by QEMU's names of them."""
        self.ask("send-key", keys=[{"type": "qcode", "data": k} for k in keys], **{"hold-time": 20})
        time.sleep(0.08)

    def type(self, text):
        for c in text:
            if c.isupper():
                self.press("shift", c.lower())
            else:
                self.press(KEYS.get(c, c))
