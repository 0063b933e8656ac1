/* vault-audit verify: reads what it is to be held against, runs the checks, prints the report. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/json.h"

#define JSON_MAX_BYTES (64UL * 1024)

struct request {
    const char *dir;
    const char *key;
    const char *known[AUDIT_REPEAT_MAX];
    size_t known_count;
    const char *former[LEDGER_FORMER_MAX];
    size_t former_count;
    const char *receipts;
    const char *policy;
    const char *max_age;
    const char *openings;
    bool json;
};

static int read_request(int argc, char **argv, struct request *request)
{
    struct audit_option options[] = {
        {"--key", &request->key, 1, 0},
        {"--receipts", &request->receipts, 1, 0},
        {"--policy", &request->policy, 1, 0},
        {"--max-age", &request->max_age, 1, 0},
        {"--openings", &request->openings, 1, 0},
        {"--known", request->known, AUDIT_REPEAT_MAX, 0},
        {"--former", request->former, LEDGER_FORMER_MAX, 0},
        {"--json", NULL, 0, 0},
    };
    const int code = audit_read_arguments(argc, argv, options, sizeof options / sizeof options[0],
                                          &request->dir, 1);
    request->known_count = options[5].count;
    request->former_count = options[6].count;
    request->json = options[7].count > 0;
    return code;
}

static int read_keys(const struct request *request, struct note_key *key,
                     struct note_key former[LEDGER_FORMER_MAX])
{
    int code = audit_read_key(request->key, key);
    for (size_t i = 0; code == 0 && i < request->former_count; i++)
        code = audit_read_key(request->former[i], &former[i]);
    return code;
}

/* Read a checkpoint that was kept. One that the log did not sign is a wrong argument. */
static int read_known(const char *path, const struct checkpoint_keys *keys,
                      struct verify_known *out)
{
    struct vault_error err;
    struct checkpoint checkpoint;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    enum vault_code code = audit_read_file(path, &note, &err);
    if (code && code != VAULT_TOO_LARGE)
        return audit_failed(code, &err);
    if (code == VAULT_OK)
        code = checkpoint_parse(buf_view(&note), &checkpoint, &err);
    if (code == VAULT_OK)
        code = checkpoint_verify_any(&checkpoint, keys, &err);
    if (code) {
        fprintf(stderr, "vault-audit: --known %s: %s\n", path, err.text);
        return AUDIT_EXIT_USAGE;
    }
    *out = (struct verify_known){path, {checkpoint.size, checkpoint.root}};
    return 0;
}

static int read_policy(const char *path, struct quorum **out)
{
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(QUORUM_FILE_MAX_BYTES);
    enum vault_code code = audit_read_file(path, &text, &err);
    if (code && code != VAULT_TOO_LARGE)
        return audit_failed(code, &err);
    if (code == VAULT_OK)
        code = quorum_parse(buf_view(&text), out, &err);
    if (code) {
        fprintf(stderr, "vault-audit: --policy %s: %s\n", path, err.text);
        return AUDIT_EXIT_USAGE;
    }
    return 0;
}

static void show_progress(void *context, uint64_t done, uint64_t size)
{
    (void)context;
    fprintf(stderr, "\r%3ju %% of %ju entries", (uintmax_t)(done * 100 / size), (uintmax_t)size);
    if (done + 65536 > size)
        fputs("\r\033[K", stderr);
}

static const char *meaning(int exit_code)
{
    switch (exit_code) {
    case VERIFY_EXIT_OK:
        return "all that was checked holds";
    case VERIFY_EXIT_ALONE:
        return "all that was checked holds, but nothing from outside the folder was given to hold "
               "it against: a log that was replaced as a whole would look the same";
    case VERIFY_EXIT_WITNESSES:
        return "fewer witnesses have seen this log than the policy asks for";
    case VERIFY_EXIT_STALE:
        return "the witnesses saw this log too long ago";
    case VERIFY_EXIT_MISSING:
        return "parts of the log are missing that nothing allows to be";
    case VERIFY_EXIT_DIFFERS:
        return "this log differs from what was kept of it: it was cut or rewritten";
    default:
        return "the log is damaged or forged";
    }
}

static void print_period(const struct verify_report *report)
{
    char first[INSTANT_CHARS + 1];
    char last[INSTANT_CHARS + 1];
    if (report->entries_read == 0 || report->first_time_ms < 0 || report->last_time_ms < 0)
        return;
    instant_format(first, report->first_time_ms / 1000);
    instant_format(last, report->last_time_ms / 1000);
    printf("read         %" PRIu64 " entries, %s to %s:", report->entries_read, first, last);
    for (unsigned i = 0; i < ENTRY_EVENT_COUNT; i++) {
        if (report->events[i])
            printf(" %s %" PRIu64, entry_event_name((enum entry_event)i), report->events[i]);
    }
    putchar('\n');
}

static void print_report(const struct verify_report *report)
{
    if (report->has_checkpoint) {
        char root[BASE64_CHARS(TREE_HASH_BYTES) + 1];
        base64_string(root, report->head.root.bytes, TREE_HASH_BYTES);
        printf("log          %s\n", report->origin);
        printf("checkpoint   %" PRIu64 " entries, root %s\n", report->head.size, root);
        print_period(report);
        putchar('\n');
    }
    for (unsigned i = 0; i < VERIFY_CHECK_COUNT; i++) {
        const struct verify_verdict *verdict = &report->verdicts[i];
        printf("%-12s %-12s %s\n", verify_state_name(verdict->state),
               verify_check_name((enum verify_check)i), verdict->detail);
    }
    printf("\nexit %d: %s.\n", report->exit_code, meaning(report->exit_code));
}

static void write_text_member(struct buf *out, const char *name, const char *text)
{
    buf_format(out, "\"%s\":", name);
    json_write_string(out, bytes_of_text(text));
}

static void write_checkpoint(struct buf *out, const struct verify_report *report)
{
    char root[BASE64_CHARS(TREE_HASH_BYTES) + 1];
    base64_string(root, report->head.root.bytes, TREE_HASH_BYTES);
    write_text_member(out, "origin", report->origin);
    buf_format(out,
               ",\"size\":%" PRIu64 ",\"root\":\"%s\",\"entries_read\":%" PRIu64
               ",\"pruned_below\":%" PRIu64 ",\"events\":{",
               report->head.size, root, report->entries_read, report->pruned_below);
    const char *separator = "";
    for (unsigned i = 0; i < ENTRY_EVENT_COUNT; i++) {
        if (report->events[i] == 0)
            continue;
        buf_format(out, "%s\"%s\":%" PRIu64, separator, entry_event_name((enum entry_event)i),
                   report->events[i]);
        separator = ",";
    }
    buf_text(out, "},");
}

static int print_json(const struct verify_report *report)
{
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(JSON_MAX_BYTES);
    buf_byte(&out, '{');
    if (report->has_checkpoint)
        write_checkpoint(&out, report);
    buf_text(&out, "\"checks\":{");
    for (unsigned i = 0; i < VERIFY_CHECK_COUNT; i++) {
        const struct verify_verdict *verdict = &report->verdicts[i];
        buf_format(&out, "%s\"%s\":{", i ? "," : "", verify_check_name((enum verify_check)i));
        write_text_member(&out, "verdict", verify_state_name(verdict->state));
        buf_byte(&out, ',');
        write_text_member(&out, "detail", verdict->detail);
        buf_byte(&out, '}');
    }
    buf_format(&out, "},\"exit\":%d,", report->exit_code);
    write_text_member(&out, "meaning", meaning(report->exit_code));
    buf_text(&out, "}\n");
    return audit_print(&out);
}

static int verify(const struct request *request, const struct verify_options *options)
{
    struct verify_report report;
    struct vault_error err;
    const enum vault_code code = verify_run(options, &report, &err);
    if (code == VAULT_INVALID)
        return audit_usage(err.text);
    if (code)
        return audit_failed(code, &err);
    if (request->json) {
        const int printed = print_json(&report);
        return printed ? printed : report.exit_code;
    }
    print_report(&report);
    return fflush(stdout) == 0 ? report.exit_code : AUDIT_EXIT_IO;
}

int audit_verify(int argc, char **argv)
{
    struct request request = {0};
    struct note_key key;
    struct note_key former[LEDGER_FORMER_MAX];
    struct verify_known known[AUDIT_REPEAT_MAX];
    uint64_t max_age_s = VERIFY_MAX_AGE_DEFAULT_S;
    VAULT_AUTO(quorum_free) struct quorum *policy = NULL;
    int code = read_request(argc, argv, &request);
    if (code == 0)
        code = read_keys(&request, &key, former);
    const struct checkpoint_keys keys = {&key, former, request.former_count};
    if (code == 0 && request.max_age)
        code = audit_read_number(request.max_age, "--max-age", &max_age_s);
    for (size_t i = 0; code == 0 && i < request.known_count; i++)
        code = read_known(request.known[i], &keys, &known[i]);
    if (code == 0 && request.policy)
        code = read_policy(request.policy, &policy);
    if (code)
        return code;
    const struct verify_options options = {
        .dir = request.dir,
        .key = &key,
        .former = former,
        .former_count = request.former_count,
        .known = known,
        .known_count = request.known_count,
        .receipts_dir = request.receipts,
        .policy = policy,
        .max_age_s = (int64_t)max_age_s,
        .now_s = clock_now_s(&clock_system),
        .openings_path = request.openings,
        .progress = isatty(STDERR_FILENO) ? show_progress : NULL,
    };
    return verify(&request, &options);
}
