#include "policy_command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/policy/bench.h"
#include "vault/policy/bundle.h"
#include "vault/policy/cases.h"
#include "vault/policy/check.h"
#include "vault/policy/diff.h"
#include "vault/policy/explain.h"
#include "vault/policy/line.h"

enum { EXIT_NO = 1, EXIT_USAGE = 64, EXIT_UNLOADABLE = 65, EXIT_INPUT_OUTPUT = 74 };

#define REPORT_BYTES_MAX (256UL * 1024 * 1024)

/* What the words of a command line came to. */
struct call {
    const char *folders[2];
    size_t folder_count;
    bool json;
    enum policy_language language;
    const char *requests; /* a file of them, or NULL */
    size_t repeat;
    struct vault_error err;
};

struct loaded {
    struct bundle *bundle;
    struct policy *policy;
};

static void loaded_finish(struct loaded *loaded)
{
    policy_free(&loaded->policy);
    bundle_free(&loaded->bundle);
}

static int complain(const struct call *call, int exit_code)
{
    fprintf(stderr, "vaultctl policy: %s\n", call->err.text);
    return exit_code;
}

static enum vault_code load_folder(struct call *call, size_t folder, struct loaded *loaded,
                                   struct policy_fault *fault)
{
    VAULT_TRY(bundle_read(call->folders[folder], &loaded->bundle, fault, &call->err));
    return policy_compile(loaded->bundle, &loaded->policy, fault, &call->err);
}

static enum vault_code load(struct call *call, struct loaded *loaded, struct policy_fault *fault)
{
    return load_folder(call, 0, loaded, fault);
}

/* Write to standard output at once, so that who asks line by line is answered line by line. */
static bool print(struct call *call, const struct buf *out)
{
    if (fwrite(out->data, 1, out->size, stdout) == out->size && fflush(stdout) == 0)
        return true;
    vault_fail(&call->err, VAULT_IO, "standard output could not be written");
    return false;
}

/* --- test --- */

static void print_failure(void *context, const char *file, const char *name, const char *what)
{
    (void)context;
    printf("%s: %s: %s\n", file, name, what);
}

static int run_test(struct call *call)
{
    VAULT_AUTO(loaded_finish) struct loaded loaded = {NULL, NULL};
    struct policy_cases cases;
    if (load(call, &loaded, NULL) || policy_cases_run(loaded.policy, loaded.bundle, print_failure,
                                                      NULL, NULL, &cases, &call->err))
        return complain(call, EXIT_UNLOADABLE);
    printf("%zu passed, %zu failed\n", cases.passed, cases.failed);
    return cases.failed ? EXIT_NO : EXIT_SUCCESS;
}

/* --- check --- */

static void print_unloadable(const struct policy_fault *fault)
{
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    buf_format(&out, "{\"fault\":{\"column\":%zu,\"file\":", fault->column);
    json_write_string(&out, bytes_of_text(fault->file));
    buf_format(&out, ",\"line\":%zu,\"pointer\":", fault->line);
    json_write_string(&out, bytes_of_text(fault->pointer));
    buf_text(&out, ",\"reason\":");
    json_write_string(&out, bytes_of_text(fault->reason));
    buf_text(&out, "}}");
    puts(buf_string(&out));
}

static int run_check(struct call *call)
{
    VAULT_AUTO(loaded_finish) struct loaded loaded = {NULL, NULL};
    VAULT_AUTO(policy_report_free) struct policy_report *report = NULL;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(REPORT_BYTES_MAX);
    struct policy_fault fault = {.line = 0};
    if (load(call, &loaded, &fault)) {
        if (!*fault.reason)
            snprintf(fault.reason, sizeof fault.reason, "%s", call->err.text);
        if (call->json)
            print_unloadable(&fault);
        return complain(call, EXIT_UNLOADABLE);
    }
    if (policy_check(loaded.policy, loaded.bundle, clock_now_s(&clock_system), &report, &call->err))
        return complain(call, EXIT_INPUT_OUTPUT);
    policy_report_write(report, call->json, &out);
    if (buf_check(&out, &call->err) || !print(call, &out))
        return complain(call, EXIT_INPUT_OUTPUT);
    return policy_report_errors(report) ? EXIT_NO : EXIT_SUCCESS;
}

/* --- decide --- */

/* Read a line without its newline; more than the buffer takes is passed over, and its problem then
 * says so. false at the end of the input. */
static bool read_line(FILE *input, struct buf *line)
{
    buf_clear(line);
    int c = getc_unlocked(input);
    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc_unlocked(input))
        buf_byte(line, (uint8_t)c);
    return true;
}

static int run_decide(struct call *call)
{
    VAULT_AUTO(loaded_finish) struct loaded loaded = {NULL, NULL};
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(POLICY_LINE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(64 * POLICY_LINE_BYTES_MAX);
    if (load(call, &loaded, NULL))
        return complain(call, EXIT_UNLOADABLE);
    for (size_t number = 1; read_line(stdin, &line); number++) {
        buf_clear(&answer);
        if (line.problem)
            buf_format(&answer, "{\"error\":\"line %zu: the line is too long\",\"id\":null}",
                       number);
        else
            policy_line_answer_at(loaded.policy, buf_view(&line), number, &answer);
        buf_byte(&answer, '\n');
        if (buf_check(&answer, &call->err) || !print(call, &answer))
            return complain(call, EXIT_INPUT_OUTPUT);
    }
    return EXIT_SUCCESS;
}

/* --- explain --- */

static enum vault_code read_input(struct buf *text, struct vault_error *err)
{
    for (int c = getc_unlocked(stdin); c != EOF; c = getc_unlocked(stdin))
        buf_byte(text, (uint8_t)c);
    return buf_check(text, err);
}

static int run_explain(struct call *call)
{
    VAULT_AUTO(loaded_finish) struct loaded loaded = {NULL, NULL};
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(POLICY_LINE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf prose = buf_limited(REPORT_BYTES_MAX);
    if (load(call, &loaded, NULL) || read_input(&request, &call->err) ||
        policy_explain(loaded.policy, buf_view(&request), call->language, &prose, &call->err))
        return complain(call, EXIT_UNLOADABLE);
    return print(call, &prose) ? EXIT_SUCCESS : complain(call, EXIT_INPUT_OUTPUT);
}

/* --- diff --- */

static enum vault_code load_of_two(struct call *call, size_t folder, struct loaded *loaded)
{
    const enum vault_code code = load_folder(call, folder, loaded, NULL);
    if (code)
        vault_error_context(&call->err, "%s", call->folders[folder]);
    return code;
}

static int run_diff(struct call *call)
{
    VAULT_AUTO(loaded_finish) struct loaded old = {NULL, NULL};
    VAULT_AUTO(loaded_finish) struct loaded new = {NULL, NULL};
    VAULT_AUTO(policy_diff_free) struct policy_diff *diff = NULL;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(REPORT_BYTES_MAX);
    if (load_of_two(call, 0, &old) || load_of_two(call, 1, &new))
        return complain(call, EXIT_UNLOADABLE);
    if (policy_diff_make(old.policy, new.policy, &diff, &call->err))
        return complain(call, EXIT_INPUT_OUTPUT);
    if (call->json)
        policy_diff_write_json(diff, &out);
    else
        policy_diff_write(diff, call->language, &out);
    if (buf_check(&out, &call->err) || !print(call, &out))
        return complain(call, EXIT_INPUT_OUTPUT);
    return policy_diff_is_same(diff) ? EXIT_SUCCESS : EXIT_NO;
}

/* --- bench --- */

static void file_close(FILE **file)
{
    if (*file)
        fclose(*file);
    *file = NULL;
}

static enum vault_code read_requests(struct call *call, struct policy_bench *bench)
{
    VAULT_AUTO(file_close) FILE *file = fopen(call->requests, "r");
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(POLICY_LINE_BYTES_MAX);
    if (!file)
        return vault_fail_errno(&call->err, "opening %s", call->requests);
    for (size_t number = 1; read_line(file, &line); number++) {
        enum vault_code code = buf_check(&line, &call->err);
        if (code == VAULT_OK)
            code = policy_bench_add(bench, buf_view(&line), &call->err);
        if (code) {
            vault_error_context(&call->err, "%s, request %zu", call->requests, number);
            return code;
        }
    }
    return ferror(file) ? vault_fail(&call->err, VAULT_IO, "reading %s", call->requests) : VAULT_OK;
}

static int run_bench(struct call *call)
{
    VAULT_AUTO(loaded_finish) struct loaded loaded = {NULL, NULL};
    VAULT_AUTO(policy_bench_free) struct policy_bench *bench = NULL;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(POLICY_LINE_BYTES_MAX);
    if (load(call, &loaded, NULL) || policy_bench_new(loaded.policy, &bench, &call->err) ||
        read_requests(call, bench) ||
        policy_bench_run(bench, call->repeat, clock_monotonic_ns, &out, &call->err))
        return complain(call, EXIT_UNLOADABLE);
    return print(call, &out) ? EXIT_SUCCESS : complain(call, EXIT_INPUT_OUTPUT);
}

/* --- the command line --- */

enum option { TAKES_JSON = 1, TAKES_LANGUAGE = 2, TAKES_REQUESTS = 4 };

static const struct verb {
    const char *name;
    const char *arguments;
    int (*run)(struct call *call);
    size_t folders;
    unsigned options; /* a set of enum option */
} verbs[] = {
    {"check", "DIR [--json]", run_check, 1, TAKES_JSON},
    {"test", "DIR", run_test, 1, 0},
    {"decide", "DIR", run_decide, 1, 0},
    {"explain", "DIR [--lang fr|en]", run_explain, 1, TAKES_LANGUAGE},
    {"diff", "OLD NEW [--json] [--lang fr|en]", run_diff, 2, TAKES_JSON | TAKES_LANGUAGE},
    {"bench", "DIR --requests FILE [--repeat N]", run_bench, 1, TAKES_REQUESTS},
};

static int print_usage(FILE *out, int exit_code)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        fprintf(out, "%s vaultctl policy %s %s\n", i ? "      " : "usage:", verbs[i].name,
                verbs[i].arguments);
    return exit_code;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static bool read_repeat(const char *text, size_t *out)
{
    char *end;
    const unsigned long long number = strtoull(text, &end, 10);
    if (*text < '1' || *text > '9' || *end || number > POLICY_BENCH_REPEAT_MAX)
        return false;
    *out = (size_t)number;
    return true;
}

/* One option with its value, if it has one. Returns how many words it took; 0 if it is none that
 * the verb has. */
static int read_option(int argc, char **argv, const struct verb *verb, struct call *call)
{
    if (verb->options & TAKES_JSON && strcmp(argv[0], "--json") == 0) {
        call->json = true;
        return 1;
    }
    if (argc > 1 && verb->options & TAKES_LANGUAGE && strcmp(argv[0], "--lang") == 0) {
        call->language = policy_language_find(bytes_of_text(argv[1]));
        return call->language == POLICY_LANGUAGE_COUNT ? 0 : 2;
    }
    if (argc > 1 && verb->options & TAKES_REQUESTS && strcmp(argv[0], "--requests") == 0) {
        call->requests = argv[1];
        return 2;
    }
    if (argc > 1 && verb->options & TAKES_REQUESTS && strcmp(argv[0], "--repeat") == 0)
        return read_repeat(argv[1], &call->repeat) ? 2 : 0;
    return 0;
}

static bool read_arguments(int argc, char **argv, const struct verb *verb, struct call *call)
{
    for (int i = 2; i < argc;) {
        const bool option = argv[i][0] == '-';
        if (!option && call->folder_count == verb->folders)
            return false;
        if (!option)
            call->folders[call->folder_count++] = argv[i];
        const int used = option ? read_option(argc - i, argv + i, verb, call) : 1;
        if (!used)
            return false;
        i += used;
    }
    return call->folder_count == verb->folders &&
           (!(verb->options & TAKES_REQUESTS) || call->requests);
}

int policy_command(int argc, char **argv)
{
    struct call call = {.language = POLICY_FR, .repeat = 1};
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return print_usage(stdout, EXIT_SUCCESS);
    const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
    if (!verb || !read_arguments(argc, argv, verb, &call))
        return print_usage(stderr, EXIT_USAGE);
    json_start();
    if (crypto_start(true, &call.err))
        return complain(&call, EXIT_INPUT_OUTPUT);
    return verb->run(&call);
}
