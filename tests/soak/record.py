"""What a long run has done so far, and for which sources it counts.

A run is worth what it says about the tree as it is. So each piece of work is
kept with a name for the contents of every file that it depended on: a later
commit that changed none of them inherits the result.
"""
import functools
import hashlib
import json
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESULTS = "tests/soak/results"
BUILD_FILES = ["mk/config.mk", "mk/rules.mk"]


def compiled_from(folder, tree=ROOT, only=None):
    """The files of the tree that the compiler read for the objects below `folder`, or for those
    whose lists are called as in `only`."""
    found = set()
    for where, _, names in os.walk(os.path.join(tree, folder)):
        for name in names:
            if name.endswith(".d") and (only is None or name in only):
                with open(os.path.join(where, name), encoding="utf-8") as f:
                    words = f.read().replace("\\\n", " ").replace(":", " ").split()
                found.update(os.path.normpath(w) for w in words)
    return {p for p in found if not p.startswith(("/", "build/", "..")) and
            os.path.isfile(os.path.join(tree, p))}


def name_of(files, tree=ROOT):
    digest = hashlib.sha256()
    for path in sorted(files):
        with open(os.path.join(tree, path), "rb") as f:
            digest.update(f"{path}\0{hashlib.sha256(f.read()).hexdigest()}\n".encode())
    return digest.hexdigest()[:12]


def kernel_files(config="pa44", builds=("release", "debug"), tree=ROOT):
    """Of kernel and loader; those builds have to be there."""
    found = {"kernel/build.mk", "kernel/arch/aarch64/kernel.ld", "kernel/loader/loader.ld",
             "tests/kernel/pack.py", *BUILD_FILES}
    for build in builds:
        out = f"build/{config}{'' if build == 'release' else '-' + build}/obj"
        for part in ("kernel", "loader"):
            found |= compiled_from(f"{out}/{part}", tree)
    return found


def program_files(name, config="pa44", tree=ROOT):
    """Of a program of the target, and of the libraries that every one is linked with."""
    found = {"lib/rt/process.ld"}
    for part in (f"bin-{name}", "lib-rt_root", "lib-rt", "lib-sel4", "lib-base"):
        found |= compiled_from(f"build/{config}/obj/{part}", tree)
    return found


def linked_from(name, config="pa44", tree=ROOT):
    """The same of the objects that the linker took for a program: its map names them."""
    out = f"build/{config}"
    objects = {f"{out}/obj/bin-{name}": None}
    with open(os.path.join(tree, out, "bin", f"{name}.elf.map"), encoding="utf-8") as f:
        for library, member in re.findall(rf"{out}/lib/(\w+)\.a\((\S+)\.o\)", f.read()):
            objects.setdefault(f"{out}/obj/lib-{library}", set()).add(member + ".d")
    found = {"lib/rt/process.ld"}
    for folder, names in objects.items():
        found |= compiled_from(folder, tree, names)
    return found


@functools.lru_cache(None)
def commit():
    """Of the tree, with a `+` if it has changes (those of the results do not count)."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True,
                              check=False).stdout.strip()
    return git("rev-parse", "--short=10", "HEAD") + \
        ("+" if git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{RESULTS}")
         else "")


def save(path, content):
    """A list has a line for each of its elements: a result more is a line more."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8") as f:
        if isinstance(content, list):
            f.write("[\n" + ",\n".join(map(json.dumps, content)) + "\n]\n")
        else:
            json.dump(content, f, indent=1)
    os.replace(f"{path}.new", path)


def load(path, otherwise):
    if not os.path.exists(path):
        return otherwise
    with open(path, encoding="utf-8") as f:
        return json.load(f)


class Chunks:
    """Pieces of work that are done, in a file: dicts with `sources`, `commit`, `problem`."""

    def __init__(self, path):
        self.path, self.chunks = path, load(path, [])

    def add(self, sources, problem, **what):
        self.chunks.append({"sources": sources, "commit": commit(), "problem": problem, **what})
        save(self.path, self.chunks)

    def of(self, sources, **like):
        return [c for c in self.chunks if c["sources"] == sources and
                all(c[k] == v for k, v in like.items())]

    def total(self, key, sources, **like):
        return sum(c[key] for c in self.of(sources, **like) if not c["problem"])
