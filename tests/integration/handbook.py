#!/usr/bin/env python3
"""What tests/integration/handbook asks of the handbook's text.

    handbook.py TREE BIN                the commands, settings, links and libraries named are there
    handbook.py recipe FILE NAME        print the block behind <!-- recipe: NAME -->, less its indentation
    handbook.py links FOLDER            each link of the pages below it leads somewhere
    handbook.py printed RECIPE OUTPUT   each line behind "#> " begins a line of the output, in order
"""
import pathlib
import re
import subprocess
import sys

TOOLS = ("vaultctl", "vaultd", "vault-audit")
# Libraries of the compiler and of C itself, which are no choice of ours.
NOT_OURS = ("libasan", "libubsan", "libtsan", "libc", "libm", "libgcc_s", "ld-linux-x86-64")


def help_of(binary, *words):
    return subprocess.run([binary, *words, "--help"], capture_output=True, text=True, check=False).stdout


def text_blocks(text):
    """The fenced blocks of a page, and what stands in single backquotes."""
    fences = re.findall(r"^[ ]*```(\w*)\n(.*?)^[ ]*```$", text, re.M | re.S)
    outside = re.sub(r"^[ ]*```.*?^[ ]*```$", "", text, flags=re.M | re.S)
    return [body for language, body in fences if language == "sh"] + re.findall(r"`([^`\n]+)`", outside)


def commands_in(text):
    """The tools' command lines, as lists of words: V is vaultctl with a configuration."""
    for block in text_blocks(text):
        block = block.replace("\\\n", " ")
        for line in block.splitlines():
            line = re.sub(r"\s#.*", "", line)
            for piece in re.split(r"&&|\|\||\||;|\$\(", line):
                words = re.sub(r"\$CREDENTIALS\b|\"\$@\"", "", piece).split()
                tools = [at for at, word in enumerate(words) if word in TOOLS or word in ("V", "VC")]
                if tools and (tools[0] == 0 or words[0] in ("runuser", "systemd-run")):
                    yield words[tools[0]:]


class Programs:
    def __init__(self, folder, manual):
        self.vaultctl = folder / "vaultctl"
        self.vaultd = help_of(folder / "vaultd")
        self.audit = {match[1]: match[0] for match in
                      re.finditer(r"^  ([a-z-]+) .*?(?=\n\n|\Z)", help_of(folder / "vault-audit"), re.M | re.S)}
        self.commands = set(re.findall(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*)?)\b", help_of(self.vaultctl), re.M))
        self.commands |= set(re.findall(r"vaultctl (policy [a-z]+)", help_of(self.vaultctl, "policy")))
        self.groups = {command.split()[0] for command in self.commands if " " in command}
        self.commands -= self.groups
        self.manual, self.helps = manual, {}

    def help_text(self, name):
        if name not in self.helps:
            text = help_of(self.vaultctl, *name.split())
            if name.startswith("policy"):
                text += help_of(self.vaultctl, "policy")
            if "…" in text: # the manual has them all
                text += self.manual.replace("Fl -", "--")
            self.helps[name] = text + "--config --socket --json --help --version"
        return self.helps[name]

    def fault(self, words):
        """What is wrong with a command line, or None."""
        tool, words = words[0], words[1:]
        options = [re.match(r"--[a-z-]+", word)[0] for word in words if word.startswith("--")]
        if tool == "vaultd":
            text = self.vaultd + "--version --help"
        elif tool == "vault-audit":
            plain = [word for word in words if not word.startswith("-")]
            if plain and plain[0] not in self.audit:
                return "no such command"
            text = self.audit.get(plain[0] if plain else "", "--version --help")
        else:
            while words and words[0].startswith("--") and words[0] in ("--config", "--socket", "--json"):
                words = words[1 if words[0] == "--json" else 2:]
            name = " ".join(words[:2] if words[:1] and words[0] in self.groups else words[:1])
            if name and name not in self.commands and name not in self.groups:
                return "no such command"
            text = self.help_text(name)
        missing = [option for option in options if not re.search(rf"{option}\b(?!-)", text)]
        return f"no option {', '.join(missing)}" if missing else None


def anchors_of(text):
    """The names that a heading can be reached by, as forges make them."""
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def link_faults(page):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"{page.name}: {target}: there is nothing"
        elif anchor and anchor not in anchors_of(file.read_text()):
            yield f"{page.name}: {target}: no such heading"


def setting_faults(page, manual):
    """Settings are named as vaultd(8) names them; a list there has the group at its first alone."""
    for group, name in re.findall(r"`(?!keyring.json)(services|citizens|auditors|log|policy|keyring|dpo|limits|admin)\.([a-z_]+)`",
                                  page.read_text()):
        if not re.search(rf"\b{group}\.{name}\b", manual) and not re.search(rf"^\.Cm {name}\b", manual, re.M):
            yield f"{page.name}: {group}.{name}: vaultd(8) has no such setting"


def figure_faults(page, sources):
    """Figures are named as the daemon names them."""
    for name in sorted(set(re.findall(r"\bvault_[a-z_]+\b(?!/)", page.read_text()))):
        if f'"{name}' not in sources and f"{name} " not in sources:
            yield f"{page.name}: {name}: there is no such figure"


def library_faults(tree, folder):
    listed = (tree / "SECURITY.md").read_text()
    for tool in TOOLS:
        needed = subprocess.run(["objdump", "-p", folder / tool], capture_output=True, text=True, check=True).stdout
        names = [name for name in re.findall(r"NEEDED +(\S+?)(?:\.so)", needed) if name not in NOT_OURS]
        assert names, f"{tool} is linked with nothing"
        for name in names:
            if f"`{name}`" not in listed:
                yield f"SECURITY.md: {tool} is linked with {name}, which is not in the list of libraries"


def check(tree, folder):
    book = tree / "vault/programs/handbook"
    pages = sorted(book.glob("*.md"))
    manual = (tree / "vault/programs/vaultd.8").read_text()
    sources = "".join(file.read_text() for file in (tree / "vault/edge").glob("*.c"))
    programs = Programs(folder, (tree / "vault/programs/vaultctl.8").read_text())
    found, count = [], 0
    index = (book / "README.md").read_text()
    for page in pages + sorted((tree / "vault/store").glob("runbook-*.md")):
        found += link_faults(page)
        found += setting_faults(page, manual)
        found += figure_faults(page, sources)
        if "sudo -u" in page.read_text():
            found.append(f"{page.name}: sudo is nothing that the package asks for; runuser is there")
        if page in pages and page.name != "README.md" and f"]({page.name}" not in index:
            found.append(f"{page.name}: the index does not lead to it")
        for words in commands_in(page.read_text()):
            count += 1
            fault = programs.fault(words)
            if fault:
                found.append(f"{page.name}: {' '.join(words)}: {fault}")
    for page in (tree / "README.md", tree / "SECURITY.md"):
        found += link_faults(page)
    found += library_faults(tree, folder)
    # It does see: what is not there is found.
    for wrong in ("V frobnicate", "V service frobnicate x", "V status --frobnicate", "vaultd --frobnicate",
                  "vault-audit frobnicate", "vault-audit root --key x", "V key provider --frobnicate"):
        if not programs.fault(wrong.split()):
            found.append(f"not noticed: {wrong}")
    assert count > 100, f"only {count} commands were found"
    print("\n".join(found) or f"{len(pages)} pages, {count} commands")
    sys.exit(bool(found))


def links(folder):
    pages = sorted(pathlib.Path(folder).rglob("*.md"))
    found = [fault for page in pages for fault in link_faults(page)]
    assert pages, f"{folder} has no page"
    print("\n".join(found) or f"{len(pages)} pages")
    sys.exit(bool(found))


def recipe(path, name):
    text = pathlib.Path(path).read_text()
    found = re.search(rf"^( *)<!-- recipe: {re.escape(name)} -->\n *```sh\n(.*?)^ *```$", text, re.M | re.S)
    assert found, f"there is no recipe {name}"
    print(re.sub(rf"^{found[1]}", "", found[2], flags=re.M), end="")


def printed(recipe_path, output_path):
    lines = pathlib.Path(output_path).read_text().splitlines()
    at = 0
    for wanted in re.findall(r"^#> (.*)$", pathlib.Path(recipe_path).read_text(), re.M):
        while at < len(lines) and wanted.strip() not in lines[at]:
            at += 1
        assert at < len(lines), f"nothing printed {wanted!r}; all there is:\n" + "\n".join(lines[:40])
        at += 1


if __name__ == "__main__":
    if sys.argv[1] == "recipe":
        recipe(*sys.argv[2:])
    elif sys.argv[1] == "links":
        links(sys.argv[2])
    elif sys.argv[1] == "printed":
        printed(*sys.argv[2:])
    else:
        check(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]))
