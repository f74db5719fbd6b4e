# switches.py - what can be switched off: the compiler's optimisations and the detector's, as their sources name them.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OF_PASS = re.compile(r'"csp-([a-z-]+)", cl::init\((true|false)\)')
OF_DETECTOR = re.compile(r'FLAG\(bool, (\w+), true, "[^"]*; 0: slower, the same races\."\)')
NOT_ONE = {"stats"} # prints


def of_pass():
    """(name, flags for the compiler): each switch turned over."""
    found = [m for source in sorted((ROOT / "pass").glob("*.cpp")) for m in OF_PASS.findall(source.read_text())]
    return [("%s %s" % (name, "off" if on == "true" else "on"), "-mllvm -csp-%s=%s" % (name, "false" if on == "true" else "true"))
            for name, on in found if name not in NOT_ONE]


def of_detector():
    """(name, option)"""
    return [(name + " off", name + "=0") for name in OF_DETECTOR.findall((ROOT / "rtl" / "flags.inc").read_text())]


def groups():
    """Lists of (name, flags, option) that share their compiled programs."""
    return [[(name, flags, "")] for name, flags in of_pass()] + [[(name, "", option) for name, option in of_detector()]]
