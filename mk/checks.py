#!/usr/bin/env python3
"""The rules of the tree that need no build: `make check`.

    checks.py [RULE...]     all rules, or the named ones; TAP on stdout
    checks.py --list        their names

Every rule is a generator of messages `file[:line]: error: cause; hint`.
"""
import concurrent.futures
import functools
import glob
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAX_COLUMNS = 100
KERNEL_LINES = 8000  # DESIGN: of one (release) build, without blanks and comments
MONITOR_LINES = 6000  # of the monitor of a plain VM, its devices among them
PLAIN_MONITOR = "vmm"
TARGET = "build/pa44"
CODE = (".c", ".h", ".S")
PICOLIBC = "/usr/lib/picolibc/aarch64-linux-gnu/include"


@functools.lru_cache(None)
def tracked(*suffixes):
    """Files that git knows or would add, so that new ones count at once."""
    try:
        names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                               capture_output=True, text=True, check=True)
        files = names.stdout.split("\n")
    except (FileNotFoundError, subprocess.CalledProcessError):  # no git, or no clone
        files = []
        for folder, below, names in os.walk(ROOT):
            below[:] = [d for d in below if d not in ("build", ".git", "__pycache__")]
            files += [os.path.relpath(os.path.join(folder, f), ROOT) for f in names]
    return sorted(f for f in files
                  if f and (not suffixes or f.endswith(suffixes)) and os.path.isfile(f))


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def in_parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for messages in pool.map(function, items):
            yield from messages


# --- format -----------------------------------------------------------------

def format_some(paths):
    done = subprocess.run(["clang-format-16", "--dry-run", "-Werror", *paths],
                          capture_output=True, text=True, check=False)
    wrong = {}
    for line in done.stderr.splitlines():
        if ": error: " in line:
            place = line.split(": error: ")[0].rsplit(":", 1)[0]
            wrong.setdefault(place.rsplit(":", 1)[0], place)
    return [f"{place}: error: not formatted as .clang-format says; run `make format`"
            for place in wrong.values()]


def rule_format():
    """clang-format, line lengths, trailing blanks, a newline at the end"""
    files = tracked(".c", ".h")
    # Starting the program takes longer than a file does.
    yield from in_parallel(format_some, [files[i:i + 50] for i in range(0, len(files), 50)])
    for path in tracked(".c", ".h", ".S", ".py", ".mk", ".sh", ".ld", ".lds", ".yaml", "Makefile"):
        text = read(path)
        if text and not text.endswith("\n"):
            yield f"{path}: error: no newline at the end of the file; add one"
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip():
                yield f"{path}:{number}: error: trailing blanks; remove them"
            width = len(line.expandtabs(8))
            if width > MAX_COLUMNS and path.endswith(CODE):
                yield f"{path}:{number}: error: {width} columns; break the line at {MAX_COLUMNS}"


# --- headers ----------------------------------------------------------------

def include_folders():
    return sorted({re.sub(r"/include/.*", "/include", h) for h in tracked(".h") if "/include/" in h})


@functools.lru_cache(None)
def host_flags():
    done = subprocess.run(["pkg-config", "--cflags", "libcjson", "libcyaml", "libelf"],
                          capture_output=True, text=True, check=False)
    return done.stdout.split()


def compiler_of(path):
    """Compiler and flags for a header of this part of the tree."""
    if path.startswith("guests/linux/"):
        return ["aarch64-linux-gnu-gcc", "-D_GNU_SOURCE"]
    if path.startswith("guests/freertos/arm/"):
        return ["arm-linux-gnueabihf-gcc", "-DBOARD_VEXPRESS"]
    if path.startswith("guests/freertos/"):
        return ["aarch64-linux-gnu-gcc", "-DBOARD_VIRT"]
    if path.startswith(("tool/", "tests/")):
        return ["gcc", "-D_GNU_SOURCE", *host_flags()]
    if "/arch/x86_64/" in path:
        return ["x86_64-linux-gnu-gcc", "-ffreestanding", "-mgeneral-regs-only"]
    if path.startswith("kernel/"):
        return ["aarch64-linux-gnu-gcc", "-ffreestanding", "-mgeneral-regs-only"]
    return ["aarch64-linux-gnu-gcc", "-mgeneral-regs-only", "-isystem", PICOLIBC]


def header_alone(path):
    mock = "tests/unit/mock_arch"  # an architecture for the kernel's host tests
    mocked = path.startswith((mock, "tests/prove"))
    in_kernel = mocked or path.startswith("kernel/")
    folders = [f for f in include_folders() if in_kernel or not f.startswith("kernel/")]
    others = "/arch/aarch64/" if "/arch/x86_64/" in path else "/arch/x86_64/"
    if mocked:
        folders = [mock, "abi/arch/aarch64/include", *[f for f in folders if "/arch/" not in f]]
    # A part's private headers are found by each other.
    part = part_of(path)
    folders += sorted({os.path.dirname(h) for h in tracked(".h") if part_of(h) == part})
    folders = [f for f in folders if others not in f + "/"]
    command = compiler_of(path) + [
        "-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-Wundef", "-Werror",
        "-DSELVAGE_PA_BITS=44", "-DSELVAGE_DEBUG=1", "-DSELVAGE_HEADER_CHECK=1",
        *[f"-I{f}" for f in folders], "-x", "c", "-"]
    done = subprocess.run(command, input=f'#include "{os.path.abspath(path)}"\n',
                          capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    first = next((l for l in done.stderr.splitlines() if "error" in l), done.stderr.strip())
    return [f"{path}: error: does not compile alone ({first.strip()}); include what it uses"]


def rule_headers():
    """every header compiles alone and has #pragma once"""
    headers = tracked(".h")
    for path in headers:
        if "#pragma once" not in read(path):
            yield f"{path}: error: no `#pragma once`; add it"
    yield from in_parallel(header_alone, headers)


# --- includes ---------------------------------------------------------------

FREESTANDING = {"stddef.h", "stdint.h", "stdbool.h", "stdarg.h", "limits.h", "stdalign.h",
                "stdnoreturn.h", "float.h", "iso646.h"}
PURE_C = FREESTANDING | {"string.h", "errno.h", "inttypes.h", "assert.h", "stdlib.h", "stdio.h"}
# part: (parts it may include, system headers it may include; None: any)
ALLOWED = {
    "abi": (set(), FREESTANDING),
    "lib/base": (set(), FREESTANDING | {"string.h"}),
    "kernel": ({"abi", "lib/base"}, FREESTANDING),
    "kernel/loader": ({"abi", "lib/base", "lib/image", "kernel"},
                      FREESTANDING | {"string.h", "libfdt.h"}),
    "lib": ({"abi", "lib"}, None),
    "dev": ({"lib/base", "lib/virtio"}, PURE_C),
    "vmm": ({"abi", "lib", "dev"}, None),
    "servers": ({"abi", "lib", "dev"}, None),
    "tool": ({"abi", "lib/base", "lib/image", "lib/mux", "lib/ipc", "kernel/loader"}, None),
}


def part_of(path):
    words = path.split("/")
    if words[0] in ("lib", "servers") or path.startswith("kernel/loader/"):
        return "/".join(words[:2])
    return words[0]


def owners():
    """`<selvage/x.h>` -> the part it belongs to, for public headers."""
    result = {}
    for header in tracked(".h"):
        if "/include/" in header:
            result[header.split("/include/", 1)[1]] = part_of(header)
    return result


def row_of(part):
    return ALLOWED.get(part) or ALLOWED.get(part.split("/")[0])


def may_include(part, other):
    allowed = row_of(part)[0]
    return other == part or other in allowed or other.split("/")[0] in allowed


def check_include(path, number, name, quoted, public):
    part = part_of(path)
    if quoted:
        # Private headers: of the same part only.
        inside = [h for h in tracked(".h") if part_of(h) == part and f"/{h}".endswith(f"/{name}")]
        beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
        found = beside if os.path.isfile(beside) else next(iter(inside), None)
        if found is None:
            return f"{path}:{number}: error: \"{name}\" is no header of {part}; " \
                   "use <...> for public headers"
        if part_of(found) != part:
            return f"{path}:{number}: error: private header of {part_of(found)}; " \
                   "include that part's public header"
        return None
    if name in public:
        if not may_include(part, public[name]):
            return f"{path}:{number}: error: {part} may not include {public[name]} " \
                   f"(<{name}>); see the table in docs/architecture.md"
        return None
    system = row_of(part)[1]
    if system is not None and name not in system:
        return f"{path}:{number}: error: {part} may not include <{name}>; " \
               "only freestanding headers and its own"
    return None


ARCH_CONDITION = re.compile(r"^\s*#\s*(?:el)?if.*__(?:aarch64|arm|x86_64|i386)__")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def rule_includes():
    """who may include whom; no #if on an architecture outside arch/"""
    public = owners()
    for path in tracked(*CODE):
        if row_of(part_of(path)) is None:
            continue  # tests and guests may include anything
        for number, line in enumerate(read(path).splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                message = check_include(path, number, match.group(2), match.group(1) == '"', public)
                if message:
                    yield message
            if ARCH_CONDITION.match(line) and "/arch/" not in path:
                yield f"{path}:{number}: error: #if on an architecture in a portable file; " \
                      "move that part to arch/"


# --- the second compiler ------------------------------------------------------

# What only gcc knows.
GCC_ONLY = {"-fno-record-gcc-switches", "-MMD", "-MP", "-c"}


def clang_command(line):
    """A compile command of the build, for clang, checking only."""
    words = shlex.split(line)
    target = ["--target=aarch64-linux-gnu"] if words[0].startswith("aarch64") else []
    at = words.index("-o")
    return ["clang-16", *target, "-fsyntax-only",
            *[w for w in words[1:at] + words[at + 2:] if w not in GCC_ONLY]]


def clang_one(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    first = next((l for l in done.stderr.splitlines() if "error:" in l), done.stderr.strip())
    return [f"{first}; clang-16 builds the tree too"]


def rule_clang():
    """clang accepts what gcc builds, with the same warnings"""
    plan = subprocess.run(["make", "-nkB", "V=1", "all"], capture_output=True,
                          text=True, check=False)
    lines = [l for l in plan.stdout.splitlines() if " -c -o " in l and l.endswith(".c")]
    if not lines:
        yield f"Makefile: error: no compile commands ({plan.stderr.strip()[:200]}); mend the build"
    yield from in_parallel(clang_one, [clang_command(l) for l in lines])


# --- sizes ------------------------------------------------------------------

def count_lines(files):
    """Lines without blanks and comments."""
    if not files:
        return 0
    done = subprocess.run(["cloc", "--quiet", "--csv", "--list-file=-"], input="\n".join(files),
                          capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if ",SUM," in line:
            return int(line.rsplit(",", 1)[1])
    raise RuntimeError(f"cloc said: {done.stderr or done.stdout}")


def tracked_in(*folders):
    return [f for f in tracked(*CODE) if f.split("/")[0] in folders]


# Architecture: the folders below kernel/ that belong to it alone.
KERNELS = {"aarch64": ("arch/aarch64", "plat/virt"), "x86_64": ("arch/x86_64", "plat/pc")}


def kernel_files(arch="aarch64"):
    others = [f"kernel/{f}/" for a, folders in KERNELS.items() if a != arch for f in folders]
    return [f for f in tracked(*CODE)
            if f.startswith("kernel/") and
            not f.startswith(("kernel/loader/", "kernel/debug/", "kernel/domains/", *others))]


MEMBER = re.compile(r"^/lib/(\w+)\.a\((\S+)\)$")


def sources_of(program, out=TARGET):
    """What the linker took for a program, and what that includes: files of the
    tree. By the link map and the compiler's dependency lists."""
    objects = []
    for line in read(f"{out}/bin/{program}.elf.map").splitlines():
        if line.startswith(f"LOAD {out}/obj/bin-"):
            objects.append(line.removeprefix("LOAD ").removesuffix(".o") + ".d")
        match = MEMBER.match(line.removeprefix(out))
        if match:
            name = match.group(2).removesuffix(".o")
            folder = f"{out}/obj/lib-{match.group(1)}"
            found = [d for d in glob.glob(f"{folder}/**/{name}.d", recursive=True)
                     if os.path.isfile(d[len(folder) + 1:-2])]
            if len(found) != 1:
                raise RuntimeError(f"{match.group(0)}: {len(found)} objects; rename one")
            objects += found
    words = {w for d in objects for w in read(d).replace("\\\n", " ").split()}
    return sorted({os.path.normpath(w) for w in words} & set(tracked(*CODE)))


def monitors(out=TARGET):
    """Images of the monitor that were linked, the smallest first, and the files
    that each is made of: its own and its devices'."""
    names = [os.path.basename(p)[:-2] for p in sorted(glob.glob("vmm/image/*.c"))]
    found = {n: [f for f in sources_of(n, out) if f.startswith(("vmm/", "dev/"))]
             for n in names if os.path.exists(f"{out}/bin/{n}.elf.map")}
    return sorted(found.items(), key=lambda item: len(item[1]))


def rule_sizes():
    """the line budgets of the kernel and of a plain VM's monitor"""
    for arch in KERNELS:
        lines = count_lines(kernel_files(arch))
        if lines > KERNEL_LINES:
            yield f"kernel/: error: {lines} lines of code for {arch}, {KERNEL_LINES} allowed; " \
                  "take something out"
    images = monitors()
    if PLAIN_MONITOR not in dict(images):
        yield f"{TARGET}/bin: error: no monitor to count; build it with `make target`"
        return
    lines = {name: count_lines(files) for name, files in images}
    print("# monitors: " + ", ".join(f"{name} {n:,}" for name, n in lines.items()) +
          f"; in all {count_lines(tracked_in('vmm', 'dev')):,} lines")
    if lines[PLAIN_MONITOR] > MONITOR_LINES:
        yield f"vmm/image/{PLAIN_MONITOR}.c: error: {lines[PLAIN_MONITOR]} lines of code, " \
              f"{MONITOR_LINES} allowed; make a part of what not every VM needs"


# --- hygiene ----------------------------------------------------------------

# Written in pieces so that this file does not match itself.
FORBIDDEN = [
    (re.compile(r"\b(?:deb|security|ftp|snapshot)\.debian\." + "org"),
     "names a package registry's host", "leave the archive to apt's own configuration"),
    (re.compile(r"https?://(?:\w+\.)?(?:crates\." + r"io|pypi\.org|npmjs\.|static\.crates)"),
     "names a package registry's host", "leave it to the package manager"),
    (re.compile(r"(?<![\w.$}/-])/(?:work|root|home)" + r"/\w"),
     "names a path of one machine", "use a path relative to the tree"),
    (re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
     "unfinished", "finish it, or open an issue"),
]


def rule_hygiene():
    """no registry hosts, no paths of one machine, nothing marked unfinished"""
    for path in tracked():
        try:
            lines = read(path).splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            for pattern, cause, hint in FORBIDDEN:
                if pattern.search(line):
                    yield f"{path}:{number}: error: {cause}; {hint}"


def shell_files():
    return [f for f in tracked() if not f.endswith((".py", ".md", *CODE))
            and re.match(r"#!/bin/sh\b", read_first(f))]


def read_first(path):
    with open(path, "rb") as f:
        return f.readline(200).decode("utf-8", "replace")


def rule_scripts():
    """shell and Python scripts parse"""
    for path in shell_files():
        done = subprocess.run(["sh", "-n", path], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield f"{path}: error: {done.stderr.strip()}; mend the syntax"
    for path in tracked():
        if path.endswith(".py") or "python3" in read_first(path):
            try:
                compile(read(path), path, "exec")
            except SyntaxError as e:
                yield f"{path}:{e.lineno}: error: {e.msg}; mend the syntax"


# --- documents --------------------------------------------------------------

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Folders that hold a part of the system, and so explain themselves.
README_WANTED = re.compile(r"^(abi|kernel|lib/\w+|dev|vmm|servers/\w+|tool|systems|guests/\w+|"
                           r"tests/(?:unit|fuzz|kernel|system|bad|bench))$")
README_LINES = 60


def rule_docs():
    """links lead somewhere; every part has a README of one screen"""
    for path in tracked(".md"):
        for number, line in enumerate(read(path).splitlines(), 1):
            for target in LINK.findall(line):
                if "://" in target or target.startswith(("#", "mailto:")):
                    continue
                place = os.path.normpath(os.path.join(os.path.dirname(path), target.split("#")[0]))
                if not os.path.exists(place):
                    yield f"{path}:{number}: error: link to {target}, which is not there; mend it"
    files = tracked()
    folders = {"/".join(f.split("/")[:n]) for f in files for n in (1, 2)}
    for folder in sorted(f for f in folders if README_WANTED.match(f) and os.path.isdir(f)):
        readme = f"{folder}/README.md"
        if not os.path.isfile(readme):
            yield f"{folder}: error: no README.md; say what it is, depends on, how to test it"
        elif len(read(readme).splitlines()) > README_LINES:
            yield f"{readme}: error: more than {README_LINES} lines; one screen is enough"


RULES = {
    "format": rule_format,
    "headers": rule_headers,
    "includes": rule_includes,
    "clang": rule_clang,
    "sizes": rule_sizes,
    "hygiene": rule_hygiene,
    "scripts": rule_scripts,
    "docs": rule_docs,
}


def main(arguments):
    os.chdir(ROOT)
    if arguments == ["--list"]:
        print("\n".join(RULES))
        return 0
    unknown = [a for a in arguments if a not in RULES]
    if unknown:
        print(f"checks: error: no rule '{unknown[0]}'; there are {', '.join(RULES)}", file=sys.stderr)
        return 2
    chosen = arguments or list(RULES)
    failed = 0
    print(f"1..{len(chosen)}")
    for number, name in enumerate(chosen, 1):
        messages = list(RULES[name]())
        failed += bool(messages)
        print(f"{'not ok' if messages else 'ok'} {number} - {name}: {RULES[name].__doc__}")
        for message in messages:
            print(f"# {message}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
