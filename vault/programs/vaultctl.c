/*
 * vaultctl - the operator's tool: a table of commands.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "ctl_provider.h"
#include "options.h"
#include "policy_command.h"

#define POLICY_WORDS_MAX 32

static int run_policy(const struct ctl *ctl, int argc, char **argv)
{
    static char json[] = "--json";
    char *words[POLICY_WORDS_MAX + 1] = {NULL};
    struct vault_error err;
    if (argc >= POLICY_WORDS_MAX)
        return ctl_usage("too many words");
    memcpy(words, argv, (size_t)argc * sizeof *argv);
    if (ctl->json) /* it knows which of its verbs can */
        words[argc++] = json;
    json_start();
    const enum vault_code code = program_start(true, &err); /* handles no key of the vault */
    return code ? ctl_failed(code, &err) : policy_command(argc, words);
}

static const struct {
    const char *group;
    const char *verb; /* NULL: the group is the command, or has verbs of its own */
    ctl_run *run;
    bool offline; /* needs no daemon */
    const char *arguments;
    const char *what;
} commands[] = {
    {"init", NULL, ctl_init, true, "--dir DIR …", "make a new vault; see init --help"},
    {"status", NULL, ctl_status, false, "",
     "is it ready, how many citizens, which policy, the log's key"},
    {"metrics", NULL, ctl_metrics, false, "",
     "figures for a monitoring system, in the text format of Prometheus"},
    {"service", "add", ctl_service_add, false, "FILE.json [--csr FILE --out FILE]",
     "register a service, and sign a certificate for its own key"},
    {"service", "update", ctl_service_update, false, "FILE.json",
     "put another registration in the place of a service's, from the next request on"},
    {"service", "cert-add", ctl_service_cert_add, false, "ID --csr FILE --out FILE",
     "sign a certificate for one more key of a service"},
    {"service", "cert-revoke", ctl_service_cert_revoke, false, "ID --cert FILE | ID --key HASH",
     "trust a service's key no more, from the next request on"},
    {"service", "suspend", ctl_service_suspend, false, "ID",
     "let it in no more, from the next request on"},
    {"service", "resume", ctl_service_resume, false, "ID", "let a suspended service in again"},
    {"service", "remove", ctl_service_remove, false, "ID", "end it; its id is never given again"},
    {"service", "list", ctl_service_list, false, "", "which services there are, and their state"},
    {"service", "show", ctl_service_show, false, "ID", "its registration and its keys"},
    {"service", "subjects", ctl_service_subjects, false, "ID < REFERENCES",
     "print what the service calls these citizens: its enrolment list"},
    {"auditor", "add", ctl_auditor_add, false, "NAME --csr FILE --out FILE",
     "sign a certificate for an auditor's own key"},
    {"auditor", "remove", ctl_auditor_remove, false, "NAME",
     "let an auditor in no more, from the next request on"},
    {"citizen", "add", ctl_citizen_add, false, "< ROW.json",
     "bring one citizen in, as a row of an import"},
    {"citizen", "list", ctl_citizen_list, false, "", "which citizens there are, and since when"},
    {"citizen", "show", ctl_citizen_show, false, "< REFERENCES", "how they sign in; no value"},
    {"citizen", "import", ctl_citizen_import, false, "FILE.csv|FILE.jsonl|EXPORT.json",
     "bring citizens in, a row each; may be run again"},
    {"citizen", "export", ctl_citizen_export, false, "ID|- --out FILE",
     "write all of a citizen into a file of JSON; their log says so"},
    {"citizen", "schema", ctl_citizen_schema, true, "import|export",
     "print what an import takes, or what an export is, as JSON Schema"},
    {"citizen", "erase", ctl_citizen_erase, false, "ID|- --yes",
     "destroy a citizen's key and all that is theirs, for ever; - for IDs on standard input"},
    {"citizen", "sign-out", ctl_citizen_sign_out, false, "< REFERENCES",
     "end all their sessions; their log says so"},
    {"citizen", "activation-code", ctl_citizen_activation_code, false, "[--letter] < REFERENCES",
     "make each a code to set their first password with, as a table or as letters"},
    {"citizen", "guardian", ctl_citizen_guardian, false,
     "add MINOR GUARDIAN | remove MINOR GUARDIAN | list ID",
     "say who decides with a minor until they are 15; - for the IDs on standard input"},
    {"citizen", "rekey", ctl_citizen_rekey, false, "< REFERENCES",
     "give them new keys, and write their files under those"},
    {"correction", "list", ctl_correction_list, false, "",
     "which corrections citizens asked of which source, and which still wait"},
    {"correction", "close", ctl_correction_close, false, "ID",
     "end one that leads to no change; the citizen is told"},
    {"report", "list", ctl_report_list, false, "",
     "for the data-protection officer: which services citizens reported; names nobody"},
    {"report", "show", ctl_report_show, false, "ID",
     "read one: whose it is, their words, and the lines they chose; their log says so"},
    {"report", "close", ctl_report_close, false, "ID", "it is dealt with; the citizen is told"},
    {"mediator", "add-structure", ctl_structure_add, false, "ID NAME",
     "register a structure whose mediators may act for citizens under a mandate"},
    {"mediator", "remove-structure", ctl_structure_remove, false, "ID",
     "end it and its mediators' access at once; its id is never given again"},
    {"mediator", "add", ctl_mediator_add, false, "STRUCTURE LOGIN NAME",
     "register a mediator of a structure; prints their first password"},
    {"mediator", "reset", ctl_mediator_reset, false, "LOGIN",
     "end a mediator's sessions and password, and print a first one again"},
    {"mediator", "remove", ctl_mediator_remove, false, "LOGIN", "end a mediator's access at once"},
    {"mediator", "list", ctl_mediator_list, false, "", "which structures and mediators there are"},
    {"key", "rotate", ctl_key_rotate, false, "", "make a new root key; nothing else is rewritten"},
    {"key", "rewrap", ctl_key_rewrap, false, "",
     "wrap the citizens' keys by the new root key, and let the former one go; may be run again"},
    {"key", "provider", ctl_key_provider, true, "--provider NAME …",
     "open the vault by another provider from the next start on; needs --config"},
    {"key", "recover", ctl_key_recover, true, "[--provider NAME …] < RECOVERY-SECRET",
     "the provider is gone: make a fresh key, with the recovery secret; needs --config"},
    {"backup", NULL, ctl_backup, false, "DIR | --cancel",
     "make an encrypted copy of all of the vault in a new folder, while it serves"},
    {"verify-backup", NULL, ctl_verify_backup, true, "DIR [--recovery | --provider NAME …]",
     "check every file, page and log entry of a backup"},
    {"restore", NULL, ctl_restore, true,
     "BACKUP --dir DIR --log FOLDER|--without-log [--recovery] [--provider NAME …] "
     "[--accept-lost-erasures]",
     "make a vault of a backup, in which what was withdrawn or erased since stays so"},
    {"reload", NULL, ctl_reload, false, "",
     "read the listeners' certificates, keys, CAs and lists of revoked certificates again"},
    {"seal", NULL, ctl_seal, false, "", "close everything and forget every key, until unseal"},
    {"unseal", NULL, ctl_unseal, false, "",
     "open a sealed vault, with the passphrase or PIN if its provider needs one"},
    {"log", "status", ctl_log_status, false, "", "the log's size, and its verifier key"},
    {"log", "witness", ctl_log_witness, false, "",
     "when the log was last confirmed from outside, and how each witness does"},
    {"log", "prune", ctl_log_prune, false, "",
     "remove what the log has kept for its time now; also done every six hours"},
    {"log", "new-key", ctl_log_new_key, false, "",
     "have the access log sign with a new key from the next start on"},
    {"doctor", NULL, ctl_doctor, true, "[--quick]",
     "look for whatever is wrong, and change nothing; needs --config"},
    {"policy", "activate", ctl_policy_activate, false, "DIR",
     "make a signed bundle the one that decides"},
    {"policy", "key", ctl_policy_key, true, "NAME FILE", "make a key to sign bundles with"},
    {"policy", "sign", ctl_policy_sign, true,
     "DIR --key FILE [--name NAME] [--version N] [--not-before TIME] [--expires TIME] "
     "[--previous SHA256]",
     "write a signature, and before it the manifest if there is none; TIME: 2027-03-01T10:00:00Z"},
    {"policy", "verify", ctl_policy_verify, true, "DIR --trust FILE [--signatures K]",
     "check that K of a file's trusted keys (1), with their ends, have signed"},
    {"policy", NULL, run_policy, true, "VERB …",
     "work on a bundle without a vault; see policy --help"},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static int print_help(void)
{
    puts("usage: vaultctl [--socket PATH | --config FILE] [--json] GROUP [VERB] …\n"
         "\n"
         "The operator's tool of a Citizen Vault. All but init, doctor, policy, citizen schema,\n"
         "key provider, key recover, verify-backup and restore speak to a running vaultd through\n"
         "its admin socket, as its user or root.\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %s%s%s %s\n        %s\n", commands[i].group, commands[i].verb ? " " : "",
               commands[i].verb ? commands[i].verb : "", commands[i].arguments, commands[i].what);
    puts("\n"
         "  --socket PATH   the admin socket     --config FILE   the daemon's configuration\n"
         "  --json          answers as JSON      --version, --help\n"
         "\n"
         "Exit codes: 0 done, 1 not done, 64 usage, 65 bad input, 69 no daemon, 74 input or "
         "output,\n"
         "77 not allowed.");
    return 0;
}

/* Options before the group. Returns how many arguments they are, or -1. */
static int read_globals(int argc, char **argv, struct ctl *ctl)
{
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            ctl->json = true;
        else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc)
            ctl->socket = argv[++i];
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            ctl->config = argv[++i];
        else
            return -1;
    }
    return i;
}

/* --json may also stand at the end, where people put it. */
static void take_trailing_json(int *argc, char **argv, struct ctl *ctl)
{
    if (*argc > 1 && strcmp(argv[*argc - 1], "--json") == 0) {
        ctl->json = true;
        --*argc;
    }
}

static bool asks_for_help(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "--help") == 0;
}

static int print_command_help(size_t i)
{
    printf("usage: vaultctl %s%s%s%s %s\n\n  %s\n",
           commands[i].offline ? "" : "[--socket PATH | --config FILE] ", commands[i].group,
           commands[i].verb ? " " : "", commands[i].verb ? commands[i].verb : "",
           commands[i].arguments, commands[i].what);
    if (commands[i].run == ctl_verify_backup || commands[i].run == ctl_restore)
        printf("\n%s%s", CTL_OPENER_OPTIONS, CTL_PROVIDER_OPTIONS);
    if (commands[i].run == ctl_key_provider || commands[i].run == ctl_key_recover)
        printf("\n%s", CTL_PROVIDER_OPTIONS);
    return 0;
}

/* argv[0] is the command's last word. */
static int run(struct ctl *ctl, size_t i, int argc, char **argv)
{
    const bool has_own_help = commands[i].run == ctl_init || commands[i].run == run_policy;
    if (asks_for_help(argc, argv) && !has_own_help)
        return print_command_help(i);
    if (commands[i].run != run_policy)
        take_trailing_json(&argc, argv, ctl);
    if (!commands[i].offline && !ctl->socket && !ctl->config)
        return ctl_usage("which vault? give --socket PATH or --config FILE before the command");
    return commands[i].run(ctl, argc, argv);
}

static int dispatch(struct ctl *ctl, int argc, char **argv)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].group, argv[0]) != 0)
            continue;
        if (!commands[i].verb)
            return run(ctl, i, argc, argv);
        if (argc > 1 && strcmp(commands[i].verb, argv[1]) == 0)
            return run(ctl, i, argc - 1, argv + 1);
    }
    return ctl_usage("no such command");
}

int main(int argc, char **argv)
{
    struct ctl ctl = {0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return print_help();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts(CTL_PROGRAM " " VAULT_VERSION);
        return 0;
    }
    const int used = read_globals(argc, argv, &ctl);
    if (used < 0 || used >= argc)
        return ctl_usage("a command is needed");
    json_start();
    return dispatch(&ctl, argc - used, argv + used);
}
