"""Every line "INDEX LEAF" of a file is an entry of the log in a folder: acknowledged.py LOG FILE"""
import base64
import hashlib
import os
import struct
import sys


def entries_of(log):
    """Index to text, from the bundles; of several parts of one bundle each says the same."""
    entries = {}
    bundles = os.path.join(log, "tile", "entries")
    for folder, _, names in os.walk(bundles):
        for name in names:
            path = os.path.join(folder, name)
            # x001/234 or x001/234.p/17: the bundle's number in groups of three, then a partial width
            place = os.path.relpath(path, bundles).split(".p")[0]
            index = int(place.replace("x", "").replace(os.sep, "")) * 256
            with open(path, "rb") as file:
                data, at = file.read(), 0
            while at < len(data):
                (size,) = struct.unpack_from(">H", data, at)
                entries[index] = data[at + 2 : at + 2 + size]
                at, index = at + 2 + size, index + 1
    return entries


def leaf(entry):
    return base64.b64encode(hashlib.sha256(b"\0" + entry).digest()).decode()


def main():
    entries = entries_of(sys.argv[1])
    with open(sys.argv[2], encoding="ascii") as file:
        lines = [line.split() for line in file]
    lost = [index for index, hash in lines if leaf(entries.get(int(index), b"?")) != hash]
    print(len(lines), "acknowledged,", len(lost), "lost")
    sys.exit(bool(lost) or not lines)


main()
