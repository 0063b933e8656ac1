#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/codec.h"
#include "vault/base/json.h"

void policy_report_free(struct policy_report **report)
{
    if (*report) {
        arena_finish(&(*report)->arena);
        free(*report);
    }
    *report = NULL;
}

void report_add(struct policy_report *report, bool is_error, const char *kind,
                const uint16_t rules[], size_t count, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct found *found = arena_take(&report->arena, 1, sizeof *found);
    uint16_t *copy = arena_take(&report->arena, count, sizeof *copy);
    const char *kept = arena_text(&report->arena, bytes_of_text(text));
    if (!found || !copy || !kept) {
        report->no_memory = true;
        return;
    }
    if (count)
        memcpy(copy, rules, count * sizeof *rules);
    *found = (struct found){{is_error, kind, copy, count, kept}, report->list};
    report->list = found;
    report->count++;
    report->errors += is_error;
}

/* Errors first, then by kind, rules and text. */
static int by_weight(const void *a, const void *b)
{
    const struct policy_finding *left = a;
    const struct policy_finding *right = b;
    if (left->is_error != right->is_error)
        return left->is_error ? -1 : 1;
    int order = strcmp(left->kind, right->kind);
    for (size_t i = 0; !order && i < left->rule_count && i < right->rule_count; i++)
        order = left->rules[i] - right->rules[i];
    if (!order)
        order = (left->rule_count > right->rule_count) - (left->rule_count < right->rule_count);
    return order ? order : strcmp(left->text, right->text);
}

static const char *keep(struct policy_report *report, const char *text)
{
    const char *copy = arena_text(&report->arena, bytes_of_text(text));
    report->no_memory = report->no_memory || !copy;
    return copy;
}

static void keep_worst(struct policy_report *report)
{
    const struct policy *policy = report->policy;
    const size_t classes = policy->names[POLICY_CLASS].count;
    report->worst = policy->table.worst;
    if (!report->worst.rules)
        return;
    const uint16_t actor = report->worst.actor;
    report->worst_is_service = actor >= classes;
    report->worst_actor =
        keep(report, report->worst_is_service
                         ? policy_id(policy, POLICY_SERVICE, (uint16_t)(actor - classes))
                         : policy_id(policy, POLICY_CLASS, actor));
    report->worst_purpose = keep(report, policy_id(policy, POLICY_PURPOSE, report->worst.purpose));
    report->worst_field = keep(report, policy_id(policy, POLICY_FIELD, report->worst.field));
}

enum vault_code report_settle(struct policy_report *report, struct vault_error *err)
{
    const struct policy *policy = report->policy;
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    hex_string(hash, policy->manifest_hash, SHA256_BYTES);
    report->name = keep(report, policy->name);
    report->hash = keep(report, hash);
    report->version = policy->version;
    report->rule_count = policy->rule_count;
    keep_worst(report);
    report->findings = arena_take(&report->arena, report->count, sizeof *report->findings);
    report->rule_ids = arena_take(&report->arena, policy->rule_count, sizeof *report->rule_ids);
    if (report->no_memory || !report->findings || !report->rule_ids)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < policy->rule_count; i++)
        report->rule_ids[i] = keep(report, policy->rules[i].id);
    size_t i = 0;
    for (const struct found *found = report->list; found; found = found->next)
        report->findings[i++] = found->finding;
    qsort(report->findings, report->count, sizeof *report->findings, by_weight);
    report->policy = NULL;
    return report->no_memory ? vault_fail(err, VAULT_NO_MEMORY, "out of memory") : VAULT_OK;
}

const struct policy_finding *policy_report_findings(const struct policy_report *report,
                                                    size_t *count)
{
    *count = report->count;
    return report->findings;
}

size_t policy_report_errors(const struct policy_report *report)
{
    return report->errors;
}

struct policy_cases policy_report_cases(const struct policy_report *report)
{
    return report->cases;
}

/* --- for people --- */

static void write_line(const struct policy_report *report, const struct policy_finding *finding,
                       struct buf *out)
{
    buf_format(out, "%s: %s: ", finding->is_error ? "error" : "warning", finding->kind);
    for (size_t i = 0; i < finding->rule_count; i++)
        buf_format(out, "%s%s", i ? ", " : "", report->rule_ids[finding->rules[i]]);
    buf_format(out, "%s%s\n", finding->rule_count ? ": " : "", finding->text);
}

static void write_lines(const struct policy_report *report, struct buf *out)
{
    for (size_t i = 0; i < report->count; i++)
        write_line(report, &report->findings[i], out);
    buf_format(out, "bundle %s, version %" PRIu64 ", %.16s\n", report->name, report->version,
               report->hash);
    buf_format(out, "%zu rules; ", report->rule_count);
    if (report->worst_actor)
        buf_format(out, "worst cell: %u rules, %u atoms (%s, %s, %s)\n", report->worst.rules,
                   report->worst.atoms, report->worst_actor, report->worst_purpose,
                   report->worst_field);
    else
        buf_text(out, "no cell has a rule\n");
    buf_format(out, "tests: %zu passed, %zu failed\n", report->cases.passed, report->cases.failed);
    const size_t warnings = report->count - report->errors;
    buf_format(out, "%zu error%s, %zu warning%s\n", report->errors, report->errors == 1 ? "" : "s",
               warnings, warnings == 1 ? "" : "s");
}

/* --- for programs --- */

static void write_member(struct buf *out, const char *name, const char *text)
{
    buf_format(out, "\"%s\":", name);
    json_write_string(out, bytes_of_text(text));
}

static void write_finding(const struct policy_report *report, const struct policy_finding *finding,
                          struct buf *out)
{
    buf_byte(out, '{');
    write_member(out, "kind", finding->kind);
    buf_byte(out, ',');
    write_member(out, "level", finding->is_error ? "error" : "warning");
    buf_text(out, ",\"rules\":[");
    for (size_t i = 0; i < finding->rule_count; i++)
        buf_format(out, "%s\"%s\"", i ? "," : "", report->rule_ids[finding->rules[i]]);
    buf_text(out, "],");
    write_member(out, "text", finding->text);
    buf_byte(out, '}');
}

static void write_worst(const struct policy_report *report, struct buf *out)
{
    buf_format(out, "\"worst_cell\":{\"atoms\":%u,", report->worst.atoms);
    if (report->worst_actor) {
        write_member(out, report->worst_is_service ? "service" : "class", report->worst_actor);
        buf_byte(out, ',');
        write_member(out, "field", report->worst_field);
        buf_byte(out, ',');
        write_member(out, "purpose", report->worst_purpose);
        buf_byte(out, ',');
    }
    buf_format(out, "\"rules\":%u}", report->worst.rules);
}

static void write_object(const struct policy_report *report, struct buf *out)
{
    buf_text(out, "{\"bundle\":{");
    write_member(out, "hash", report->hash);
    buf_byte(out, ',');
    write_member(out, "name", report->name);
    buf_format(out, ",\"version\":%" PRIu64 "},\"errors\":%zu,\"findings\":[", report->version,
               report->errors);
    for (size_t i = 0; i < report->count; i++) {
        if (i)
            buf_byte(out, ',');
        write_finding(report, &report->findings[i], out);
    }
    buf_format(out, "],\"rules\":%zu,\"tests\":{\"failed\":%zu,\"passed\":%zu},\"warnings\":%zu,",
               report->rule_count, report->cases.failed, report->cases.passed,
               report->count - report->errors);
    write_worst(report, out);
    buf_text(out, "}\n");
}

void policy_report_write(const struct policy_report *report, bool json, struct buf *out)
{
    if (json)
        write_object(report, out);
    else
        write_lines(report, out);
}
