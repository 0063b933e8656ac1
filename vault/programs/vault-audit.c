/*
 * vault-audit - the auditor's tool: a table of commands. All but the witness work offline, on
 * published files; none needs a key of the vault.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments;
    const char *what;
} commands[] = {
    {"verify", audit_verify,
     "DIR --key VKEY [--former VKEY]… [--known FILE]… [--receipts DIR]\n"
     "         [--policy FILE] [--max-age SECONDS] [--openings FILE] [--json]",
     "Check the log in DIR from its entries up: form, signature, every hash, entries, times,\n"
     "        pruning and erasures; that it goes on from every checkpoint given with --known and\n"
     "        holds every receipt (*.tlog-proof) in --receipts; that the quorum of a C2SP\n"
     "        tlog-policy cosigned it, not longer than --max-age ago (14400 s by default); and\n"
     "        that openings (JSON lines) are what the entries committed to. Each is PASS, FAIL or\n"
     "        NOT CHECKED. Kept checkpoints and receipts may be signed by a --former key."},
    {"prove", audit_prove, "DIR INDEX [--size N]",
     "Write a C2SP tlog-proof that entry INDEX is in the log in DIR. With a size that DIR's\n"
     "        checkpoint does not sign, the proof has no checkpoint."},
    {"check-proof", audit_check_proof, "FILE --key VKEY --entry FILE",
     "Check a tlog-proof: that the log of this key holds exactly the bytes of --entry."},
    {"check-receipt", audit_check_receipt, "FILE --key VKEY",
     "Check a citizen's receipt of a decision on a consent: that the log's key signed it, and\n"
     "        that the log holds exactly that decision."},
    {"check-export", audit_check_export, "FILE --key VKEY",
     "Check what a citizen exported: every receipt as check-receipt does; that the log holds\n"
     "        every entry, and each is what its opening says; and that they are one person's,\n"
     "        numbered and chained without a gap."},
    {"consistency", audit_consistency, "DIR OLD NEW",
     "Write the proof that the log of OLD entries is the beginning of that of NEW: hashes in\n"
     "        base64, one a line."},
    {"diff", audit_diff, "DIR1 DIR2 --key VKEY",
     "Compare two copies of one log. A split view is written out as evidence that convinces\n"
     "        anyone who has the log's key; its exit code is 30."},
    {"root", audit_root, "FILE",
     "Print the root of the entries in FILE (- for standard input), one a line in base64."},
#ifndef AUDIT_WITHOUT_WITNESS
    {"witness", audit_witness,
     "--listen ADDRESS:PORT --key FILE --state DIR [--certificate FILE --certificate-key FILE]"
     " [--sandbox on|required|off] [--log VKEY]…",
     "Be a C2SP witness: cosign the checkpoints of logs that only ever grow, until SIGTERM.\n"
     "        Prints its verifier key and where it listens (port 0 takes a free one). Which logs:\n"
     "        those in DIR/logs, one VKEY a line, to which --log adds; DIR also remembers what "
     "was\n"
     "        cosigned last, and must never be lost or set back. Without a certificate it speaks\n"
     "        plain HTTP: put TLS in front. It shuts itself in as vaultd does (\"on\"), and with\n"
     "        \"required\" does not start where the kernel has no Landlock."},
    {"witness-key", audit_witness_key, "NAME FILE",
     "Make a witness's key: the private half into FILE, its verifier key to standard output."},
#endif
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void print_command(size_t number)
{
    printf("  %s %s\n        %s\n\n", commands[number].name, commands[number].arguments,
           commands[number].what);
}

static int print_help(void)
{
    puts(
        "usage: vault-audit COMMAND …\n"
        "\n"
        "Checks a Citizen Vault's access log from its published files (a C2SP tlog-tiles folder).\n"
        "VKEY is the log's verifier key, as name+hex+base64.\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        print_command(i);
    puts(
        "Exit codes: 0 all that was checked holds; 10 it does, but there was nothing from outside\n"
        "to hold it against; 11 too few cosignatures; 12 stale; 20 entries or hashes are missing;\n"
        "30 it differs from something kept; 40 invalid; 64 usage; 74 input or output. Of several,\n"
        "the largest.");
    return 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return true;
    }
    return false;
}

static int start(void)
{
    struct vault_error err;
    umask(077);
    json_start();
    /* Nothing of the vault's is secret here: memory is locked where that is allowed. */
    const enum vault_code code = crypto_start(true, &err);
    return code ? audit_failed(code, &err) : 0;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0))
        return print_help();
    for (size_t i = 0; argc >= 2 && i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (asks_for_help(argc - 2, argv + 2)) {
            fputs("usage: vault-audit\n", stdout);
            print_command(i);
            return 0;
        }
        const int failed = start();
        return failed ? failed : commands[i].run(argc - 2, argv + 2);
    }
    return audit_usage(argc < 2 ? "a command is missing" : "there is no such command");
}
