/*
 * world - puts into a vault that no vaultd has open what its measurements need and no command gives
 * by the thousand: consents, and a long log.
 *
 *     world consents CONFIG FIELD... <LINES     each line "REFERENCE SERVICE PURPOSE"
 *     world entries CONFIG SIZE                 until the log has so many
 *
 * Everything goes the way it goes in vaultd: consents by consent_give(), durable one by one, on
 * several threads so that they share syncs; entries by the vault's own log under its own key, as
 * those of citizens who do not exist are: they have no opening. At the end it says how many, and
 * how fast.
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/edge/config.h"
#include "vault/parts.h"
#include "vault/vault/consent.h"
#include "vault/vault/people.h"

#define THREADS    16
#define LINE_BYTES 256
#define FIELDS_MAX 8
#define DAYS       366

static struct vault *vault;
static struct consent_field fields[FIELDS_MAX];
static size_t field_count;
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
static size_t given;

static void open_vault(const char *path)
{
    static struct config config;
    static const char *trust[CONFIG_TRUST_MAX];
    bench_must(config_read(path, &config, &bench_error));
    for (int64_t i = 0; i < config.trust_count; i++)
        trust[i] = config.trust[i];
    const struct vault_options options = {
        .dir = config.data,
        .origin = config.origin,
        .provider = config_provider(&config.keyring),
        .open_citizens_max = (size_t)config.open_citizens,
        .trust = trust,
        .trust_count = (size_t)config.trust_count,
        .signatures = (size_t)config.signatures,
        .signatures_to_widen = (size_t)config.signatures_to_widen,
        .clock = clock_system,
    };
    bench_must(vault_open(&options, &vault, &bench_error));
}

/* --- Consents --------------------------------------------------------------------------------- */

static bool read_line(char line[LINE_BYTES])
{
    pthread_mutex_lock(&reading);
    const bool is_there = fgets(line, LINE_BYTES, stdin) != NULL;
    given += is_there;
    pthread_mutex_unlock(&reading);
    return is_there;
}

static void give(char *line)
{
    char *rest = line;
    const char *reference = strsep(&rest, " \n");
    const char *service = strsep(&rest, " \n");
    const char *purpose = strsep(&rest, " \n");
    struct vault_error err;
    struct citizen_id citizen;
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    bench_must_all(purpose != NULL, "reading a line: REFERENCE SERVICE PURPOSE");
    const struct consent_decision decision = {.service = service,
                                              .purpose = purpose,
                                              .fields = fields,
                                              .field_count = field_count,
                                              .days = DAYS,
                                              .uses = CONSENT_UNLIMITED,
                                              .language = "fr",
                                              .text = "Le texte affiché."};
    enum vault_code code = people_find(vault, reference, &citizen, &err);
    code = code ? code : consent_give(vault, &citizen, &decision, id, &seq, &err);
    if (code) {
        fprintf(stderr, "world: %s, for %s: %s\n", reference, service, err.text);
        exit(1); // NOLINT(concurrency-mt-unsafe)
    }
}

static void *give_all(void *context)
{
    char line[LINE_BYTES];
    (void)context;
    while (read_line(line))
        give(line);
    return NULL;
}

static size_t add_consents(int count, char **names)
{
    pthread_t threads[THREADS];
    bench_must_all(count >= 1 && count <= FIELDS_MAX, "1 to 8 fields");
    for (int i = 0; i < count; i++)
        snprintf(fields[i].name, sizeof fields[i].name, "%s", names[i]);
    field_count = (size_t)count;
    for (size_t i = 0; i < THREADS; i++)
        bench_must_all(pthread_create(&threads[i], NULL, give_all, NULL) == 0, "a thread");
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return given;
}

/* --- Entries ---------------------------------------------------------------------------------- */

static size_t add_entries(uint64_t size)
{
    const uint64_t before = ledger_head(vault->ledger).size;
    const struct entry entry = {
        .event = ENTRY_DENY,
        .service = bytes_of_text("plie-rennes"),
        .has_client = true,
        .purpose = bytes_of_text("employment.support"),
        .has_policy = true,
        .policy_version = 1,
        .commitments = {{.present = true}, {0}, {.present = true}, {.present = true}, {0}},
    };
    struct ledger_ticket ticket;
    for (uint64_t at = before; at < size;) {
        const enum vault_code code =
            ledger_enqueue(vault->ledger, &entry, (struct bytes){0}, &ticket, &bench_error);
        /* Faster than the disk, or than it is published: let it come after. */
        if (code == VAULT_LIMITED ||
            (code == VAULT_UNAVAILABLE && !ledger_has_stopped(vault->ledger))) {
            usleep(1000);
            continue;
        }
        bench_must(code);
        at = ticket.index + 1;
    }
    return size > before ? size - before : 0;
}

int main(int argc, char **argv)
{
    const bool consents = argc > 3 && strcmp(argv[1], "consents") == 0;
    if (!consents && (argc != 4 || strcmp(argv[1], "entries") != 0)) {
        fputs("usage: world consents CONFIG FIELD... <LINES\n"
              "       world entries CONFIG SIZE\n",
              stderr);
        return 64;
    }
    json_start();
    bench_must(crypto_start(true, &bench_error));
    open_vault(argv[2]);
    const double began = bench_now_s();
    const size_t count =
        consents ? add_consents(argc - 3, argv + 3) : add_entries(strtoull(argv[3], NULL, 10));
    const double took = bench_now_s() - began;
    vault_close(&vault);
    printf("%zu %s added, %.0f/s\n", count, consents ? "consents" : "entries",
           (double)count / (took > 0 ? took : 1));
    return 0;
}
