"""The stages of a release, out of the samples of perf script on standard input.

    profile.py CPU-OF-A-RELEASE CPU-OF-A-BARE-ANSWER CONNECTIONS LEAST OUT     microseconds both

LEAST is what least_bench printed: the second table.

The innermost function of a sample that a stage names says which it is of.
"""
import re
import sys

STAGES = [
    ("the log: committing to what is released, sealing its opening", ["event_of_citizen"]),
    ("the log: whether it is durable, by who waits and by who asks", ["ledger_wait", "ledger_poll"]),
    ("the log: the writer's batch, its signature, the disk", ["writer_main"]),
    ("the log: publishing tiles and checkpoint", ["publisher_main"]),
    ("the log: filing openings by citizen", ["file_batch"]),
    ("values: read, reduced to their form, written", ["passage_write_answer"]),
    ("the decision: conditions, consent, rules", ["passage_decide"]),
    ("the citizen's file: held and let go", ["passage_hold", "citizen_release", "person_hold"]),
    ("the request's JSON", ["body_read", "body_finish", "read_release"]),
    ("who asks: certificate, registration, quota", ["service_identify", "identify_peer", "service_release"]),
    ("the rest of a release", ["release_perform", "release_enter", "release_try_complete", "service_post_release", "service_start_release", "sealed_handle", "sealed_start"]),
    ("TLS: records in and out", ["gnutls_record_recv", "gnutls_record_send", "gnutls_record_send2", "gnutls_record_uncork"]),
    ("HTTP: the gate and the answer's making", ["on_request", "on_request_line", "on_completed", "finish", "begin"]),
    ("HTTP: the library, between its calls of ours", ["MHD_run_wait"]),
    ("HTTP: waiting for what comes, taking it up", ["epoll_wait", "turn"]),
]
OF = {name: stage for stage, names in STAGES for name in names}


def stage_of(frames):
    for name in frames:
        if name in OF:
            return OF[name]
    return "the rest"


def read(lines):
    """How many samples each stage has, and how many of those were in the kernel."""
    samples, kernel, frames, inside = {}, {}, [], False
    for line in lines:
        if line.strip() and not line[0].isspace():
            frames = []
        elif line.strip():
            parts = line.split()
            if not frames:
                inside = "[kernel" in parts[-1]
            frames.append(parts[1].split("+")[0])
        elif frames:
            stage = stage_of(frames)
            samples[stage] = samples.get(stage, 0) + 1
            kernel[stage] = kernel.get(stage, 0) + inside
            frames = []
    return samples, kernel


def read_least(path):
    """What least_bench says: a name and its microseconds."""
    with open(path, encoding="utf-8") as file:
        return {name.strip(): float(value) for name, value in re.findall(r"^(.*?)  +([\d.]+) us$", file.read(), re.M)}


def least_table(least, bare, ours):
    batch = "a batch of 64 written and synced"
    rows = [("a bare answer: HTTP, TLS, the kernel", bare),
            ("four commitments, each a salt and an HMAC-SHA-256", least["four commitments: CPU"]),
            ("an entry hashed into the tree", least["an entry hashed into the tree: CPU"]),
            ("its opening sealed, and whose it is", least["an opening sealed: CPU"]),
            ("its part of a batch of 64: signed, written, synced", (least["a batch signed: CPU"] + least[batch + ": CPU"]) / 64)]
    whole = sum(us for _, us in rows)
    lines = ["## What it cannot do without", "", "Each measured alone in the same run, by `least_bench`; CPU of one release.", "", "| | us |", "|---|---|"]
    lines += [f"| {name} | {us:.1f} |" for name, us in rows]
    lines += [f"| **together** | **{whole:.1f}** |", "",
              f"That is {whole / bare:.1f} times a bare answer; a release is {ours / whole:.1f} times that. No decision, no value, no JSON and "
              "no index is in it.", "",
              f"A sync of this disk took {least['a batch of 8 written and synced']:.0f} us with 8 entries and {least[batch]:.0f} us with 64: whoever waits "
              f"for it, and for nothing else, is answered at most {8e6 / least['a batch of 8 written and synced']:,.0f} times a second at "
              f"8 connections and {64e6 / least[batch]:,.0f} at 64.", ""]
    return lines


def main():
    ours, bare, connections, least, out = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
    samples, kernel = read(sys.stdin)
    whole = sum(samples.values())
    if whole < 100:
        sys.exit(f"only {whole} samples: too few to say anything")
    lines = ["# Where a release's time goes", "",
             "By `tests/bench/profile build/release`, which writes this file: CPU of vaultd for one release of three fields, over "
             f"{connections} connections,", f"out of {whole:,} samples. How it is done stands at the head of the program.", "",
             "| stage | us | of all | in the kernel |", "|---|---|---|---|"]
    for stage, count in sorted(samples.items(), key=lambda item: -item[1]):
        lines.append(f"| {stage} | {ours * count / whole:.1f} | {count / whole:.0%} | {kernel[stage] / count:.0%} |")
    inside = sum(kernel.values()) / whole
    lines += [f"| **a release** | **{ours:.1f}** | | {inside:.0%} |",
              f"| a bare answer, by the same library with the same TLS | {bare:.1f} | {bare / ours:.0%} | |", ""]
    lines += least_table(read_least(least), bare, ours)
    text = "\n".join(lines)
    print(text)
    with open(out, "w", encoding="utf-8") as file:
        file.write(text)


main()
