#include "vault/edge/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "vault/base/json.h"
#include "vault/edge/mailer.h"
#include "vault/vault/figures.h"

/* --- The format ----------------------------------------------------------------------------- */

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void whole(struct buf *out, const char *name, uint64_t value)
{
    buf_format(out, "%s %" PRIu64 "\n", name, value);
}

/* A family of one sample without labels. */
static void single(struct buf *out, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    family(out, name, type, help);
    whole(out, name, value);
}

/* --- The program ---------------------------------------------------------------------------- */

static uint64_t count_of(const atomic_uint_fast64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void write_answers(const struct metrics *metrics, struct buf *out)
{
    family(out, "vault_http_answers_total", "counter", "Answers, by their status.");
    for (size_t i = 0; i < metrics->listener_count; i++) {
        const struct metrics_listener *listener = &metrics->listeners[i];
        for (size_t n = 0; n < HTTP_STATUS_COUNT; n++)
            buf_format(out, "vault_http_answers_total{listener=\"%s\",status=\"%u\"} %" PRIu64 "\n",
                       listener->name, http_status_at(n), count_of(&listener->counts->answers[n]));
    }
}

static void write_connections(const struct metrics *metrics, struct buf *out)
{
    family(out, "vault_connections", "gauge", "Connections that are open.");
    for (size_t i = 0; i < metrics->listener_count; i++)
        buf_format(out, "vault_connections{listener=\"%s\"} %" PRIu64 "\n",
                   metrics->listeners[i].name, count_of(&metrics->listeners[i].counts->open));
    family(out, "vault_connections_total", "counter", "Connections that were opened.");
    for (size_t i = 0; i < metrics->listener_count; i++)
        buf_format(out, "vault_connections_total{listener=\"%s\"} %" PRIu64 "\n",
                   metrics->listeners[i].name,
                   count_of(&metrics->listeners[i].counts->connections));
}

static void write_mail(const struct metrics *metrics, struct buf *out)
{
    static const char name[] = "vault_mail_letters_total";
    if (!metrics->mailer)
        return;
    const struct mailer_figures figures = mailer_figures(metrics->mailer);
    family(out, name, "counter", "Letters that the mail relay took, or never will.");
    buf_format(out, "%s{kind=\"code\",outcome=\"sent\"} %" PRIu64 "\n", name, figures.codes_sent);
    buf_format(out, "%s{kind=\"message\",outcome=\"sent\"} %" PRIu64 "\n", name,
               figures.messages_sent);
    buf_format(out, "%s{kind=\"any\",outcome=\"refused\"} %" PRIu64 "\n", name, figures.refused);
    single(out, "vault_mail_failures_total", "counter",
           "Times that a letter could not be sent, and is tried again.", figures.failures);
    single(out, "vault_mail_failures_in_a_row", "gauge", "Those since the last that was.",
           figures.failures_in_a_row);
    single(out, "vault_mail_waiting", "gauge", "Codes that wait to be sent.", figures.waiting);
}

/* --- The vault ------------------------------------------------------------------------------ */

/* Figures of one family stand beside each other. */
static const struct {
    enum figure figure;
    const char *name;
    const char *labels;
    const char *help;
} counted[] = {
    {FIGURE_RELEASED, "vault_releases_total", "outcome=\"released\"",
     "Requests of services for fields, by what came of them."},
    {FIGURE_WITHHELD, "vault_releases_total", "outcome=\"withheld\"", NULL},
    {FIGURE_EVALUATED, "vault_releases_total", "outcome=\"evaluated\"", NULL},
    {FIGURE_DEPOSITED, "vault_deposits_total", "outcome=\"stored\"",
     "Deposits of services, by what came of them."},
    {FIGURE_DEPOSIT_REFUSED, "vault_deposits_total", "outcome=\"refused\"", NULL},
    {FIGURE_PASSWORD_TAKEN, "vault_sign_ins_total", "by=\"password\",outcome=\"taken\"",
     "Tries of citizens to sign in, by what came of them."},
    {FIGURE_PASSWORD_REFUSED, "vault_sign_ins_total", "by=\"password\",outcome=\"refused\"", NULL},
    {FIGURE_PASSKEY_TAKEN, "vault_sign_ins_total", "by=\"passkey\",outcome=\"taken\"", NULL},
    {FIGURE_PASSKEY_REFUSED, "vault_sign_ins_total", "by=\"passkey\",outcome=\"refused\"", NULL},
    {FIGURE_ACTIVATION_TAKEN, "vault_sign_ins_total", "by=\"activation\",outcome=\"taken\"", NULL},
    {FIGURE_ACTIVATION_REFUSED, "vault_sign_ins_total", "by=\"activation\",outcome=\"refused\"",
     NULL},
};

static void write_counted(const struct figures *figures, struct buf *out)
{
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        if (counted[i].help)
            family(out, counted[i].name, "counter", counted[i].help);
        buf_format(out, "%s{%s} %" PRIu64 "\n", counted[i].name, counted[i].labels,
                   figures->counts[counted[i].figure]);
    }
}

static void write_store(const struct store_stats *stats, struct buf *out)
{
    single(out, "vault_citizens_open", "gauge", "Citizens whose files are open.",
           stats->open_citizens);
    single(out, "vault_citizens_open_max", "gauge", "How many may be open.",
           stats->open_citizens_max);
    single(out, "vault_citizens_opened_total", "counter", "Files of citizens that were opened.",
           stats->misses);
    single(out, "vault_citizens_found_open_total", "counter", "Those that were open already.",
           stats->hits);
    single(out, "vault_citizens_evicted_total", "counter", "Those closed to make room.",
           stats->evictions);
}

static void write_keyholder(const struct keyholder_figures *keyholder, struct buf *out)
{
    single(out, "vault_keys_unwrapped_total", "counter", "Citizens' keys that the keyholder gave.",
           keyholder->unwrapped);
    single(out, "vault_keys_wrapped_total", "counter", "Those that it wrapped.",
           keyholder->wrapped);
    single(out, "vault_keyholder_signatures_total", "counter",
           "Heads of the log and receipts that it signed.", keyholder->signatures);
    single(out, "vault_keyholder_refused_total", "counter",
           "Keys over keyring.unwraps_per_minute and heads of another log, which it did not.",
           keyholder->refused);
}

static void write_batches(const struct ledger_stats *log, struct buf *out)
{
    static const char name[] = "vault_log_batch_seconds";
    family(out, name, "histogram",
           "How long it took to make a batch of entries durable, with its one sync.");
    for (size_t i = 0; i < LEDGER_BATCH_BOUNDS; i++)
        buf_format(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, ledger_batch_bounds_s[i],
                   log->batches_within[i]);
    buf_format(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.9f\n%s_count %" PRIu64 "\n", name,
               log->batches, name, (double)log->batches_ns / 1e9, name, log->batches);
}

static void write_log(const struct ledger_stats *log, struct buf *out)
{
    single(out, "vault_log_entries_total", "counter", "Entries that the access log has.",
           log->size);
    single(out, "vault_log_waiting", "gauge", "Entries that wait to become durable.", log->waiting);
    single(out, "vault_log_unpublished", "gauge", "Durable entries that wait to be published.",
           log->unpublished);
    family(out, "vault_log_checkpoint_age_seconds", "gauge",
           "Since the newest checkpoint was published.");
    buf_format(out, "vault_log_checkpoint_age_seconds %.3f\n", (double)log->published_ms / 1000);
    write_batches(log, out);
}

/* Who outside has seen the log, as vault_status() tells it. */
static void write_anchor(struct vault *vault, struct buf *out)
{
    static const char *const states[] = {"fresh", "late", "stale", "contradicted"};
    VAULT_AUTO(json_free) json_t *anchor = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(METRICS_BYTES_MAX);
    if (!vault_describe_anchor(vault, &text) ||
        json_parse(buf_view(&text), 8, &anchor, NULL, NULL) != VAULT_OK)
        return;
    const char *state = json_string_value(json_object_get(anchor, "state"));
    family(out, "vault_anchor_state", "gauge", "1 for how fresh the log's anchors are.");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        buf_format(out, "vault_anchor_state{state=\"%s\"} %d\n", states[i],
                   state && strcmp(state, states[i]) == 0);
    family(out, "vault_anchor_age_seconds", "gauge", "Since somebody outside last saw the log.");
    buf_format(out, "vault_anchor_age_seconds %lld\n",
               (long long)json_integer_value(json_object_get(anchor, "age_s")));
}

void metrics_write(const struct metrics *metrics, struct vault *vault, struct buf *out)
{
    struct figures figures = {0};
    if (vault)
        vault_figures(vault, &figures);
    family(out, "vault_build_info", "gauge", "1, with the program's version.");
    buf_text(out, "vault_build_info{version=\"" VAULT_VERSION "\"} 1\n");
    family(out, "vault_start_time_seconds", "gauge", "When the program was started.");
    buf_format(out, "vault_start_time_seconds %" PRId64 "\n", metrics->started_s);
    single(out, "vault_sealed", "gauge", "1 while it is sealed.", vault == NULL);
    single(out, "vault_ready", "gauge", "1 while it can release.", figures.ready);
    write_connections(metrics, out);
    write_answers(metrics, out);
    write_mail(metrics, out);
    if (!vault)
        return;
    single(out, "vault_client_certificates_ending", "gauge",
           "Services and auditors whose last certificate ends within 30 days.",
           figures.clients_ending);
    write_counted(&figures, out);
    write_store(&figures.store, out);
    write_keyholder(&figures.keyholder, out);
    write_log(&figures.log, out);
    write_anchor(vault, out);
}
