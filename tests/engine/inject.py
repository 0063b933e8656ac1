#!/usr/bin/env python3
"""From the list of the interface's functions and the headers that declare them: a wrapper each.

    inject.py HEADERS LIST check       the two have the same functions, each of a kind that can be,
                                       and no header speaks of what is behind it
    inject.py HEADERS LIST make FILE   write the wrappers, for the linker's --wrap
"""
import pathlib
import re
import sys

HEADERS, LIST = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
# Keys are not an engine's; what looks at and copies files is of the one that has files.
OUTSIDE = {"keyring.h", "keyholder.h", "check.h", "store_copy.h"}
PRIVATE = [r"sqlite", r"\.db\b", r"\bSELECT\b.*\bFROM\b", r"#include .*\.\./"]
KINDS = {"change", "read", "hold", "plain"}
DECLARED = re.compile(r"^(?P<type>.*?)(?P<name>\w+)\((?P<args>.*)\)( VAULT_MUST_CHECK)?$")


def declarations(header):
    """The functions that a header declares, as (name, type, parameters)."""
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    while "{" in text:  # what structures and enumerations have inside
        text = re.sub(r"\{[^{}]*\}", "", text)
    for statement in text.split(";"):
        statement = " ".join(statement.split())
        if "(" in statement and not statement.startswith("typedef"):
            found = DECLARED.match(statement)
            yield found["name"], found["type"].strip(), parameters(found["args"])


def parameters(text):
    """Split at commas outside of parentheses."""
    parts, depth, last = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[last:at].strip())
            last = at + 1
    parts.append(text[last:].strip())
    return [] if parts == ["void"] else parts


def name_of(parameter):
    callback = re.search(r"\(\*(\w+)\)", parameter)
    return callback[1] if callback else re.search(r"(\w+)(\[[^\]]*\])*$", parameter)[1]


def wrapper(name, kind, result, args):
    shown = ", ".join(args) or "void"
    call = f"__real_{name}({', '.join(map(name_of, args))})"
    space = "" if result.endswith("*") else " "
    head = f"{result}{space}__wrap_{name}({shown})"
    lines = [f"{result}{space}__real_{name}({shown});", f"{head};", head, "{"]
    lines.append(f'    static struct inject_call call = {{"{name}", INJECT_{kind.upper()}, NULL, {{0, 0}}}};')
    if kind == "plain":
        lines.append("    inject_enter(&call);")
        lines.append(f"    {'' if result == 'void' else result + ' result = '}{call};")
        lines.append("    inject_leave();")
        if result != "void":
            lines.append("    return result;")
    else:
        lines.append("    enum vault_code code = inject_enter(&call);")
        lines.append("    if (code == VAULT_OK)")
        lines.append(f"        code = inject_after(&call, {call});")
        lines.append("    if (inject_leave())")
        lines.append('        return vault_fail(err, code, "injected: %s", call.name);')
        lines.append("    return code;")
    return "\n".join(lines + ["}"])


def main():
    listed = dict(line.split() for line in LIST.read_text().splitlines()
                  if line and not line.startswith("#"))
    headers = sorted(h for h in HEADERS.glob("*.h") if h.name not in OUTSIDE)
    declared = {d[0]: d for h in headers for d in declarations(h)}
    wrong = [f"{n} is declared and not in the list" for n in declared if n not in listed]
    wrong += [f"{n} is in the list and not declared" for n in listed if n not in declared]
    wrong += [f"{h.name} speaks of what is behind it: {w}" for h in headers for w in PRIVATE
              if re.search(w, h.read_text(), flags=re.I)]
    wrong += [f"{n}: no such kind: {k}" for n, k in listed.items() if k not in KINDS]
    for name, (_, result, args) in declared.items():
        can_fail = result == "enum vault_code"
        if can_fail != (listed.get(name) != "plain"):
            wrong.append(f"{name}: a function that {'can' if can_fail else 'cannot'} fail")
        if can_fail and args[-1] != "struct vault_error *err":
            wrong.append(f"{name}: the last parameter is not the error")
    if wrong:
        sys.exit("\n".join(wrong))
    if sys.argv[3] == "make":
        includes = [f'#include "vault/store/{h.name}"' for h in headers]
        bodies = [wrapper(n, listed[n], r, a) for n, r, a in declared.values()]
        text = ["/* Made by inject.py. */", '#include "inject_calls.h"', "", *includes, "", "\n\n".join(bodies)]
        pathlib.Path(sys.argv[4]).write_text("\n".join(text) + "\n")
    else:
        print(f"{len(declared)} functions in {len(headers)} headers, all in the list")


main()
