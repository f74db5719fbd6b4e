# check_layers.py - reads every #include of the product and fails on one that its layer may not have.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# runtime  knows its own headers, its public ones and hooks.h, and never the detector;
# rtl      knows its own headers, and of the runtime only hooks.h and base/: it serves plain pthread programs too;
# pass     knows LLVM, Clang, its own headers and, of rtl, abi.inc and layout.h, which are its contract with compiled code;
# tools    know the public headers and runtime/base; tools/symbolizer is over LLVM, as the pass is.

import os
import re
import sys

SUFFIXES = (".c", ".h", ".cpp", ".S", ".inc")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def files(folder):
    for directory, _, names in os.walk(folder):
        for name in sorted(names):
            if name.endswith(SUFFIXES):
                yield os.path.join(directory, name)


def owner(root, source, quoted, header):
    """The file of this repository that the include means, relative to its root; None: a system header."""
    places = [os.path.join(root, "runtime", "include")]
    if quoted:
        layer = os.path.relpath(source, root).split(os.sep)[0]
        places = [os.path.dirname(source), os.path.join(root, layer), os.path.join(root, "runtime"),
                  os.path.join(root, "rtl"), root] + places
    for place in places:
        path = os.path.normpath(os.path.join(place, header))
        if os.path.isfile(path) and path.startswith(root + os.sep):
            return os.path.relpath(path, root)
    return None


def allowed(layer, source, target):
    if target.startswith(layer + "/"):
        # A public header is alone with its like: a user has nothing else.
        return not source.startswith("runtime/include/") or target.startswith("runtime/include/")
    if layer == "rtl":
        return target == "runtime/hooks.h" or target.startswith("runtime/base/")
    if layer == "pass":
        return target in ("rtl/abi.inc", "rtl/layout.h")
    if layer == "tools":
        return target.startswith(("runtime/include/", "runtime/base/"))
    return False


def main():
    root = os.path.realpath(sys.argv[1])
    wrong, seen = [], 0
    for layer in ("runtime", "rtl", "pass", "tools"):
        for path in files(os.path.join(root, layer)):
            source = os.path.relpath(path, root)
            with open(path, encoding="utf-8") as f:
                text = f.read()
            for kind, header in INCLUDE.findall(text):
                seen += 1
                target = owner(root, path, kind == '"', header)
                if target and not allowed(layer, source, target):
                    wrong.append("%s: must not include %s" % (source, target))
                if not source.startswith(("pass/", "tools/symbolizer/")) and header.startswith(("llvm/", "clang/")):
                    wrong.append("%s: must not include %s" % (source, header))
    if seen == 0:
        wrong.append("no #include found below " + root)
    print("\n".join(wrong))
    sys.exit(bool(wrong))


main()
