/*
 * vaultctl status, service …, log new-key, log prune: one question to the daemon, one answer.
 */
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "options.h"
#include "vault/base/file.h"

#define FILE_BYTES_MAX    (256U * 1024)
#define REQUEST_BYTES_MAX (1024U * 1024)

/* Ask the daemon, and print the result as JSON where that is wanted. */
static int ask(const struct ctl *ctl, const struct buf *request, json_t **result, const char *done)
{
    struct vault_error err = {0};
    VAULT_AUTO(file_close) int fd = -1;
    enum vault_code code = ctl_connect(ctl, &fd, &err);
    if (code == VAULT_OK)
        code = ctl_ask(fd, request, result, &err);
    if (code)
        return ctl_failed(code, &err);
    if (ctl->json) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(REQUEST_BYTES_MAX);
        json_write_value(&text, *result);
        printf("%s\n", buf_string(&text));
    } else if (done) {
        printf("%s\n", done);
    }
    return 0;
}

static void begin(struct buf *request, const char *command)
{
    buf_text(request, "{\"command\":");
    json_write_string(request, bytes_of_text(command));
}

static void add_text(struct buf *request, const char *member, struct bytes text)
{
    buf_format(request, ",\"%s\":", member);
    json_write_string(request, text);
}

/* Who outside has seen the log, and when; nothing if nobody is asked. */
static void print_anchor(const json_t *anchor)
{
    const json_t *witnesses = json_object_get(anchor, "witnesses");
    if (!json_is_object(anchor))
        return;
    printf("seen       %s, last confirmed %s\n",
           json_string_value(json_object_get(anchor, "state")),
           json_string_value(json_object_get(anchor, "anchored")));
    for (size_t i = 0; i < json_array_size(witnesses); i++) {
        const json_t *witness = json_array_get(witnesses, i);
        const char *problem = json_string_value(json_object_get(witness, "problem"));
        printf("witness    %s: %lld entries%s%s\n",
               json_string_value(json_object_get(witness, "name")),
               (long long)json_integer_value(json_object_get(witness, "size")),
               problem && *problem ? ", failing: " : "", problem ? problem : "");
    }
}

/* Of a sealed vault the log is as unknown as all else that is behind a key. */
static void print_log(const json_t *log)
{
    if (!json_is_object(log)) {
        puts("log        not known while the vault is sealed");
        return;
    }
    printf("log        %lld entries, %lld published\nlog key    %s\n",
           (long long)json_integer_value(json_object_get(log, "size")),
           (long long)json_integer_value(json_object_get(log, "published")),
           json_string_value(json_object_get(log, "key")));
}

static int ask_status(const struct ctl *ctl, json_t **result)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    begin(&request, "status");
    buf_byte(&request, '}');
    return ask(ctl, &request, result, NULL);
}

static void print_citizens_and_policy(const json_t *result)
{
    const json_t *policy = json_object_get(result, "policy");
    printf("citizens   %lld\n", (long long)json_integer_value(json_object_get(result, "citizens")));
    if (json_is_object(policy))
        printf("policy     %s, version %lld, %lld rules\n",
               json_string_value(json_object_get(policy, "bundle")),
               (long long)json_integer_value(json_object_get(policy, "version")),
               (long long)json_integer_value(json_object_get(policy, "rules")));
    else
        printf("policy     none is active\n");
}

static void print_endings(const json_t *result)
{
    const long long count =
        (long long)json_integer_value(json_object_get(result, "certificates_ending"));
    if (count)
        printf("clients    %lld without a certificate within 30 days: vaultctl doctor\n", count);
}

static void print_sandbox(const json_t *sandbox)
{
    const long long abi = (long long)json_integer_value(json_object_get(sandbox, "landlock"));
    const bool entered = json_is_true(json_object_get(sandbox, "seccomp"));
    if (entered && abi)
        printf("sandbox    seccomp, Landlock ABI %lld\n", abi);
    else
        printf("sandbox    %s\n", entered ? "seccomp, no Landlock" : "none");
}

int ctl_status(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("status takes no arguments");
    const int exit_code = ask_status(ctl, &result);
    if (exit_code || ctl->json)
        return exit_code;
    const bool ready = json_is_true(json_object_get(result, "ready"));
    printf("ready      %s%s\n", ready ? "yes" : "no: ",
           ready ? "" : json_string_value(json_object_get(result, "reason")));
    if (!json_is_true(json_object_get(result, "sealed")))
        print_citizens_and_policy(result);
    print_endings(result);
    print_anchor(json_object_get(result, "anchor"));
    print_log(json_object_get(result, "log"));
    print_sandbox(json_object_get(result, "sandbox"));
    return 0;
}

static int read_into(const char *path, struct buf *out)
{
    struct vault_error err;
    const enum vault_code code = file_read(path, out, &err);
    return code ? ctl_failed(code == VAULT_NOT_FOUND ? VAULT_IO : code, &err) : 0;
}

/* Where the certificate goes, opened before the daemon is asked for it: an answer must not be lost
 * because it cannot be written. */
static int open_output(const char *path, int *fd)
{
    struct vault_error err;
    *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (*fd >= 0)
        return 0;
    vault_fail_errno(&err, "opening %s", path);
    return ctl_failed(VAULT_IO, &err);
}

static int save_certificate(const json_t *result, int fd)
{
    struct vault_error err;
    const struct bytes pem = json_text(json_object_get(result, "certificate"));
    const enum vault_code code = file_write_all(fd, pem, &err);
    return code ? ctl_failed(code, &err) : 0;
}

/* Have a service's request signed, and write the certificate. */
static int add_certificate(const struct ctl *ctl, const char *command, const char *id,
                           const char *csr_path, const char *out_path)
{
    VAULT_AUTO(buf_finish) struct buf csr = buf_limited(FILE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *result = NULL;
    VAULT_AUTO(file_close) int fd = -1;
    int exit_code = read_into(csr_path, &csr);
    if (exit_code == 0)
        exit_code = open_output(out_path, &fd);
    if (exit_code)
        return exit_code;
    begin(&request, command);
    add_text(&request, "id", bytes_of_text(id));
    add_text(&request, "csr", buf_view(&csr));
    buf_byte(&request, '}');
    exit_code = ask(ctl, &request, &result, NULL);
    if (exit_code == 0)
        exit_code = save_certificate(result, fd);
    if (exit_code == 0 && !ctl->json)
        printf("%s: certificate in %s\n", id, out_path);
    return exit_code;
}

struct certificate_options {
    const char *csr;
    const char *out;
};

/* Read --csr and --out; what is left is at argv[optind]. */
static bool read_certificate_options(int argc, char **argv, struct certificate_options *out)
{
    static const struct option options[] = {
        {"csr", required_argument, NULL, 'c'},
        {"out", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c')
            out->csr = optarg;
        else if (option == 'o')
            out->out = optarg;
        else
            return false;
    }
    return (out->csr == NULL) == (out->out == NULL);
}

int ctl_service_add(const struct ctl *ctl, int argc, char **argv)
{
    struct certificate_options certificate = {0};
    VAULT_AUTO(buf_finish) struct buf registration = buf_limited(FILE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *result = NULL;
    VAULT_AUTO(json_free) json_t *parsed = NULL;
    struct vault_error err;
    if (!read_certificate_options(argc, argv, &certificate) || optind + 1 != argc)
        return ctl_usage("service add takes FILE.json, and --csr FILE with --out FILE");
    int exit_code = read_into(argv[optind], &registration);
    if (exit_code)
        return exit_code;
    const enum vault_code code = json_parse(buf_view(&registration), 8, &parsed, NULL, &err);
    if (code) {
        vault_error_context(&err, "%s", argv[optind]);
        return ctl_failed(code, &err);
    }
    begin(&request, "service add");
    add_text(&request, "registration", buf_view(&registration));
    buf_byte(&request, '}');
    /* As JSON there is one answer: with a certificate, that. */
    const struct ctl quiet = {ctl->socket, ctl->config, ctl->json && !certificate.csr};
    exit_code = ask(&quiet, &request, &result, ctl->json ? NULL : "registered");
    if (exit_code || !certificate.csr)
        return exit_code;
    return add_certificate(ctl, "service cert-add",
                           json_string_value(json_object_get(parsed, "id")), certificate.csr,
                           certificate.out);
}

int ctl_service_update(const struct ctl *ctl, int argc, char **argv)
{
    VAULT_AUTO(buf_finish) struct buf registration = buf_limited(FILE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 2)
        return ctl_usage("service update takes FILE.json");
    const int exit_code = read_into(argv[1], &registration);
    if (exit_code)
        return exit_code;
    begin(&request, "service update");
    add_text(&request, "registration", buf_view(&registration));
    buf_byte(&request, '}');
    return ask(ctl, &request, &result, "registered anew");
}

static int add_certificate_for(const struct ctl *ctl, int argc, char **argv, const char *command,
                               const char *usage)
{
    struct certificate_options certificate = {0};
    if (!read_certificate_options(argc, argv, &certificate) || optind + 1 != argc ||
        !certificate.csr)
        return ctl_usage(usage);
    return add_certificate(ctl, command, argv[optind], certificate.csr, certificate.out);
}

int ctl_service_cert_add(const struct ctl *ctl, int argc, char **argv)
{
    return add_certificate_for(ctl, argc, argv, "service cert-add",
                               "service cert-add takes ID --csr FILE --out FILE");
}

int ctl_auditor_add(const struct ctl *ctl, int argc, char **argv)
{
    return add_certificate_for(ctl, argc, argv, "auditor add",
                               "auditor add takes NAME --csr FILE --out FILE");
}

int ctl_service_cert_revoke(const struct ctl *ctl, int argc, char **argv)
{
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(FILE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *result = NULL;
    const bool by_key = argc == 4 && strcmp(argv[2], "--key") == 0;
    if (argc != 4 || (!by_key && strcmp(argv[2], "--cert") != 0))
        return ctl_usage("service cert-revoke takes ID --cert FILE, or ID --key HASH");
    const int exit_code = by_key ? 0 : read_into(argv[3], &certificate);
    if (exit_code)
        return exit_code;
    begin(&request, "service cert-revoke");
    add_text(&request, "id", bytes_of_text(argv[1]));
    if (by_key)
        add_text(&request, "key", bytes_of_text(argv[3]));
    else
        add_text(&request, "certificate", buf_view(&certificate));
    buf_byte(&request, '}');
    return ask(ctl, &request, &result, "revoked");
}

static int change_service(const struct ctl *ctl, int argc, char **argv, const char *command,
                          const char *done)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 2)
        return ctl_usage("this takes the ID of a service");
    begin(&request, command);
    add_text(&request, "id", bytes_of_text(argv[1]));
    buf_byte(&request, '}');
    return ask(ctl, &request, &result, done);
}

int ctl_service_suspend(const struct ctl *ctl, int argc, char **argv)
{
    return change_service(ctl, argc, argv, "service suspend", "suspended");
}

int ctl_service_resume(const struct ctl *ctl, int argc, char **argv)
{
    return change_service(ctl, argc, argv, "service resume", "active again");
}

int ctl_service_remove(const struct ctl *ctl, int argc, char **argv)
{
    return change_service(ctl, argc, argv, "service remove", "removed");
}

int ctl_service_list(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("service list takes no arguments");
    begin(&request, "service list");
    buf_byte(&request, '}');
    const int exit_code = ask(ctl, &request, &result, NULL);
    static const struct ctl_column columns[] = {{"id", 0}, {"state", 0}, {"name", 0}};
    if (exit_code == 0 && !ctl->json)
        ctl_print_table(result, columns, sizeof columns / sizeof *columns);
    return exit_code;
}

int ctl_service_subjects(const struct ctl *ctl, int argc, char **argv)
{
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *references = NULL;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 2)
        return ctl_usage("service subjects takes ID, and references on standard input");
    const enum vault_code code = ctl_read_references(&references, &err);
    if (code)
        return ctl_failed(code, &err);
    begin(&request, "service subjects");
    add_text(&request, "id", bytes_of_text(argv[1]));
    buf_text(&request, ",\"references\":");
    json_write_value(&request, references);
    buf_byte(&request, '}');
    const int exit_code = ask(ctl, &request, &result, NULL);
    for (size_t i = 0; exit_code == 0 && !ctl->json && i < json_array_size(result); i++)
        printf("%s %s\n", json_string_value(json_array_get(references, i)),
               json_string_value(json_array_get(result, i)));
    return exit_code;
}

int ctl_log_status(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("log status takes no arguments");
    const int exit_code = ask_status(ctl, &result);
    if (exit_code == 0 && !ctl->json)
        print_log(json_object_get(result, "log"));
    return exit_code;
}

int ctl_log_witness(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("log witness takes no arguments");
    const int exit_code = ask_status(ctl, &result);
    if (exit_code || ctl->json)
        return exit_code;
    const json_t *anchor = json_object_get(result, "anchor");
    if (json_is_object(anchor))
        print_anchor(anchor);
    else if (json_is_true(json_object_get(result, "sealed")))
        puts("not known while the vault is sealed");
    else
        puts("nobody outside is asked to confirm the log");
    return 0;
}

int ctl_log_prune(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("log prune takes no arguments");
    begin(&request, "log prune");
    buf_byte(&request, '}');
    return ask(ctl, &request, &result, "pruned");
}

int ctl_log_new_key(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("log new-key takes no arguments");
    begin(&request, "log new-key");
    buf_byte(&request, '}');
    const int exit_code = ask(ctl, &request, &result, NULL);
    if (exit_code == 0 && !ctl->json)
        printf(
            "%s\nsigns from the next start of vaultd on; give it to auditors and witnesses now\n",
            json_string_value(json_object_get(result, "key")));
    return exit_code;
}
