"""Mutation operators: what can be changed on one line of kernel source.

mutations(path, text) yields (line number, operator, new line). A line is
looked at alone, inside function bodies only, with strings and comments masked.
"""
import re

# What the emulator cannot show: barriers and cache maintenance change nothing
# in it. Debug output is not the kernel's work; a panic is of a machine that the
# kernel cannot run on (but the condition before it is changed like any other).
UNSEEN_LINE = re.compile(r"\b(dsb|isb|dmb)(_\w+)?\b|\b(dc|ic|prfm|hint|nop|sev|yield)\b|\bcache_|_clean|barrier"
                         r"|\b(printk|panic)\(|\bassert|static_assert|_Static_assert")
UNSEEN_FUNCTION = re.compile(r"\b(cache_\w+|arch_clean\w*|printk\w*|\w*debug\w*|\w*panic\w*)\(")
MASK = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|/\*.*?\*/|//.*')


def masked(line):
    return MASK.sub(lambda m: "~" * len(m.group()), line)


def replaced(line, start, end, new):
    return line[:start] + new + line[end:]


def closing(code, start):
    """Index of the parenthesis that closes the one at `start`, or -1."""
    depth = 0
    for i in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i
    return -1


def negate(line, code):
    for m in re.finditer(r"\b(if|while) \(", code):
        end = closing(code, m.end() - 1)
        if end > 0:
            yield replaced(line, m.end(), end, f"!({line[m.end():end]})")


def compare(line, code):
    swap = {"<": ("<=", ">="), "<=": ("<",), ">": (">=", "<="), ">=": (">",), "==": ("!=",),
            "!=": ("==",)}
    for m in re.finditer(r" (<=|>=|==|!=|<|>) ", code):
        for new in swap[m.group(1)]:
            yield replaced(line, m.start(1), m.end(1), new)


def logic(line, code):
    swap = {"&&": "||", "||": "&&", " + ": " - ", " - ": " + ", " << ": " >> ", " >> ": " << ",
            " | ": " & ", " & ": " | ", " |= ": " = ", " += ": " = ", " -= ": " += "}
    for m in re.finditer(r"&&|\|\|| (\+|-|<<|>>|\||&|\|=|\+=|-=) ", code):
        yield replaced(line, m.start(), m.end(), swap[m.group()])


def constant(line, code):
    for m in re.finditer(r"(?<![\w.])(\d+)(u|ull)?\b", code):
        n, suffix = int(m.group(1)), m.group(2) or ""
        yield replaced(line, m.start(), m.end(), f"{n + 1}{suffix}")
        if n:
            yield replaced(line, m.start(), m.end(), f"{n - 1}{suffix}")


def truth(line, code):
    for m in re.finditer(r"\b(true|false)\b", code):
        yield replaced(line, m.start(), m.end(), "false" if m.group() == "true" else "true")


def drop(line, code):
    whole = code.strip()
    if whole.count("(") != whole.count(")") or re.match(r"\w+ \**\w+ = ", whole):
        return
    if re.match(r"(\*?[\w.>\[\]()+&~|* -]+ [|&+-]?= .*|[\w.>\[\]()*-]+(\+\+|--)|\w[\w>.-]*\(.*\));$",
                whole) and not re.match(r"(return|struct|for|goto|static|const|unsigned|bool|"
                                        r"word_t|uint\w+|int|register)\b", whole):
        yield re.match(r"\s*", line).group() + ";\n"


def swap_arguments(line, code):
    for m in re.finditer(r"\b\w+\(([\w.>&-]+), ([\w.>&-]+)(?=[,)])", code):
        if m.group(1) != m.group(2):
            yield replaced(line, m.start(1), m.end(2),
                           f"{line[m.start(2):m.end(2)]}, {line[m.start(1):m.end(1)]}")


def no_error(line, code):
    m = re.search(r"\breturn (ABI_(?!OK)\w+|inv_\w+\(.*\)|PREEMPTED);", code)
    if m:
        yield replaced(line, m.start(), m.end(), "return ABI_OK;")


def swap_choice(line, code):
    m = re.search(r"\? ([\w.>()-]+) : ([\w.>()-]+)(?=[;,)])", code)
    if m and m.group(1).count("(") == m.group(1).count(")") \
            and m.group(2).count("(") == m.group(2).count(")"):
        yield replaced(line, m.start(1), m.end(2), f"{m.group(2)} : {m.group(1)}")


OPERATORS = (("negate", negate), ("compare", compare), ("logic", logic), ("constant", constant),
             ("truth", truth), ("drop", drop), ("swap arguments", swap_arguments),
             ("no error", no_error), ("swap choice", swap_choice))


def drop_instruction(line, code):
    if re.match(r"\t[a-z]\w*(\.\w+)?(\s|$)", code):
        yield "\tnop\n"


def immediate(line, code):
    for m in re.finditer(r"#(\d+)\b", code):
        yield replaced(line, m.start(1), m.end(1), str(int(m.group(1)) + 8))


ASM_OPERATORS = (("drop", drop_instruction), ("constant", immediate))


def body_lines(text):
    """(number, line, code) of the lines inside functions."""
    inside = skipping = comment = False
    name = ""
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if re.match(r"#if SELVAGE_DEBUG", line):
            skipping = True
        elif re.match(r"#(else|endif)", line):
            skipping = False
        code = masked(line)
        if "/*" in code:
            comment, code = True, code[:code.index("/*")]
        if comment:
            if "*/" not in line:
                continue
            comment = False
            continue
        if skipping or line.startswith("#"):
            continue
        if line.startswith("{"):
            inside = not UNSEEN_FUNCTION.search(name)
        elif line.startswith("}"):
            inside = False
        elif inside or re.match(r"\S.*\) \{ .* \}$", line):
            yield number, line, code
        elif not line[:1].isspace():
            name = line


def asm_lines(text):
    comment = False
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if "/*" in masked(line):
            comment = True
        if not comment and not line.startswith("#"):
            yield number, line, masked(line)
        if "*/" in line:
            comment = False


def mutations(path, text):
    asm = path.endswith(".S")
    for number, line, code in asm_lines(text) if asm else body_lines(text):
        if UNSEEN_LINE.search(code) or not code.strip():
            continue
        for name, operator in ASM_OPERATORS if asm else OPERATORS:
            for new in operator(line, code):
                yield number, name, new
