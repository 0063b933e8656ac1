"""One way for every part of the bench to give a figure.

    figures.py figure NAME VALUE UNIT [must|aim '>='|'<=' BOUND]...
    figures.py median FILE MEMBER      the median of a member over a file of lines of JSON
    figures.py note NAME TEXT          a condition that the figures were taken under

A figure is one line of JSON at the end of the file that $BENCH_FIGURES names, and a line of text on
standard output. "must" is what the project holds itself to, "aim" what it would like. Python
programs import figure() and note().
"""
import json
import os
import statistics
import sys

SIGNS = {">=": float.__ge__, "<=": float.__le__}


def holds(value, bound):
    sign, limit = bound
    return SIGNS[sign](float(value), float(limit))


def shown(value):
    """Four digits that count, and no more than are there."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def append(line):
    path = os.environ.get("BENCH_FIGURES")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"part": os.environ.get("BENCH_PART", ""), **line}, ensure_ascii=False) + "\n")


def figure(name, value, unit, must=None, aim=None):
    """must and aim are (">=" or "<=", bound)."""
    value = float(value)
    line = {"name": name, "value": value, "unit": unit}
    said = ""
    for word, bound in (("must", must), ("aim", aim)):
        if bound:
            line[word] = [bound[0], float(bound[1])]
            said += f"   {word} be {bound[0]} {bound[1]}: {'yes' if holds(value, bound) else 'NO'}"
    append(line)
    print(f"{name:64} {shown(value):>10} {unit}{said}", flush=True)


def note(name, text):
    append({"note": name, "text": text})
    print(f"{name}: {text}", flush=True)


def median(path, member):
    with open(path, encoding="utf-8") as file:
        return statistics.median(json.loads(line)[member] for line in file)


def main():
    what, *words = sys.argv[1:]
    if what == "figure":
        name, value, unit, *bounds = words
        figure(name, value, unit, **{bounds[i]: (bounds[i + 1], bounds[i + 2]) for i in range(0, len(bounds), 3)})
    elif what == "median":
        print(median(*words))
    elif what == "note":
        note(*words)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
