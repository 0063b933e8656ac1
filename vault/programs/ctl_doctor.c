/*
 * vaultctl doctor: whether a vault and its surroundings are as they should be. Beside a running
 * vaultd the vault is asked, and looks at itself; else its files are looked at as they rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_provider.h"
#include "options.h"
#include "progress.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/edge/admin.h"
#include "vault/edge/doctor.h"
#include "vault/ledger/verify.h"

#define REQUEST_BYTES    512
#define REPORT_BYTES_MAX (8UL * 1024 * 1024)
#define FOUND_EXIT       1

struct visit {
    const struct ctl *ctl;
    struct config *config;
    struct doctor doctor;
    bool quick;
    int fd;
    struct buf report; /* for --json */
    size_t counts[CHECKUP_SEVERITY_COUNT];
    struct store_checked citizens;
};

/* --- What is said --------------------------------------------------------------------------- */

static void draw_progress(const struct visit *visit, unsigned shard)
{
    progress_show(shard, STORE_CHECK_SHARDS, "%llu citizens",
                  (unsigned long long)visit->citizens.citizens);
}

static void found(void *context, const char *check, enum checkup_severity severity,
                  const char *text)
{
    struct visit *visit = context;
    const size_t before = visit->counts[0] + visit->counts[1] + visit->counts[2];
    visit->counts[severity]++;
    if (!visit->ctl->json) {
        progress_clear();
        printf("%-8s %s: %s\n", checkup_severity_name(severity), check, text);
        return;
    }
    buf_format(&visit->report,
               "%s{\"check\":\"%s\",\"severity\":\"%s\",\"text\":", before ? "," : "", check,
               checkup_severity_name(severity));
    json_write_string(&visit->report, bytes_of_text(text));
    buf_byte(&visit->report, '}');
}

static struct checkup checkup_of(struct visit *visit, const char *check)
{
    return (struct checkup){.each = found, .context = visit, .check = check};
}

static void tell(struct visit *visit, const char *check, enum checkup_severity severity,
                 const char *text)
{
    found(visit, check, severity, text);
}

/* --- A vault that rests --------------------------------------------------------------------- */

static enum vault_code check_shards(struct visit *visit, struct vault *vault,
                                    struct vault_error *err)
{
    const struct checkup checkup = checkup_of(visit, "citizens");
    for (unsigned shard = 0; shard < STORE_CHECK_SHARDS; shard++) {
        VAULT_TRY(checkup_citizens(vault, shard, !visit->quick, &checkup, &visit->citizens, err));
        draw_progress(visit, shard + 1);
    }
    checkup_citizens_end(vault, &checkup, &visit->citizens);
    return VAULT_OK;
}

static enum vault_code look(struct visit *visit, struct vault **out, struct vault_error *err)
{
    const struct config *config = visit->config;
    const char *trust[CONFIG_TRUST_MAX];
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(ctl_provider_secret(&config->keyring, false, &secret, err));
    struct keyring_provider provider = config_provider(&config->keyring);
    provider.secret = secret;
    for (int64_t i = 0; i < config->trust_count; i++)
        trust[i] = config->trust[i];
    const struct vault_options options = {
        .dir = config->data,
        .origin = config->origin,
        .provider = provider,
        .trust = trust,
        .trust_count = (size_t)config->trust_count,
        .signatures = (size_t)config->signatures,
        .clock = clock_system,
    };
    VAULT_AUTO(vault_close) struct vault *vault = NULL;
    VAULT_TRY(vault_look(&options, &vault, err));
    const struct checkup checkup = checkup_of(visit, "vault");
    VAULT_TRY(checkup_run(vault, &checkup, err));
    VAULT_TRY(check_shards(visit, vault, err));
    *out = VAULT_TAKE(vault);
    return VAULT_OK;
}

static void visit_resting(struct visit *visit)
{
    VAULT_AUTO(vault_close) struct vault *vault = NULL;
    struct vault_error err;
    char text[CHECKUP_TEXT_CHARS + 1];
    const enum vault_code code = look(visit, &vault, &err);
    if (code == VAULT_OK)
        return;
    if (code == VAULT_UNAVAILABLE)
        snprintf(text, sizeof text, "%s, and no vaultd answers at %s: end that process", err.text,
                 visit->config->admin_socket);
    else
        snprintf(text, sizeof text, "the vault does not open, and nothing in it was looked at: %s",
                 err.text);
    tell(visit, "vault", code == VAULT_CONFLICT ? CHECKUP_WARNING : CHECKUP_ERROR, text);
}

/* --- A vault that serves -------------------------------------------------------------------- */

static enum checkup_severity severity_of(const json_t *finding)
{
    const char *name = json_string_value(json_object_get(finding, "severity"));
    for (enum checkup_severity i = CHECKUP_NOTICE; name && i < CHECKUP_ERROR; i++) {
        if (strcmp(checkup_severity_name(i), name) == 0)
            return i;
    }
    return CHECKUP_ERROR;
}

/* Ask, and pass on what was found. */
static enum vault_code ask(struct visit *visit, const char *request, json_t **result,
                           struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(REQUEST_BYTES);
    VAULT_AUTO(json_free) json_t *answer = NULL;
    size_t i;
    const json_t *finding;
    buf_text(&line, request);
    VAULT_TRY(ctl_ask(visit->fd, &line, &answer, err));
    json_array_foreach(json_object_get(answer, "findings"), i, finding)
    {
        const char *check = json_string_value(json_object_get(finding, "check"));
        const char *text = json_string_value(json_object_get(finding, "text"));
        tell(visit, check ? check : "vault", severity_of(finding), text ? text : "");
    }
    if (result)
        *result = VAULT_TAKE(answer);
    return VAULT_OK;
}

static uint64_t number_of(const json_t *answer, const char *member)
{
    const int64_t value = json_integer_value(json_object_get(answer, member));
    return value > 0 ? (uint64_t)value : 0;
}

static enum vault_code ask_shards(struct visit *visit, struct vault_error *err)
{
    struct store_checked *all = &visit->citizens;
    char request[REQUEST_BYTES];
    for (unsigned shard = 0; shard < STORE_CHECK_SHARDS; shard++) {
        VAULT_AUTO(json_free) json_t *answer = NULL;
        snprintf(request, sizeof request,
                 "{\"command\":\"doctor citizens\",\"shard\":%u,\"pages\":%s}", shard,
                 visit->quick ? "false" : "true");
        VAULT_TRY(ask(visit, request, &answer, err));
        all->citizens += number_of(answer, "citizens");
        all->former_keys += number_of(answer, "former_keys");
        all->unchecked += number_of(answer, "unchecked");
        draw_progress(visit, shard + 1);
    }
    snprintf(request, sizeof request,
             "{\"command\":\"doctor end\",\"former_keys\":%llu,\"unchecked\":%llu}",
             (unsigned long long)all->former_keys, (unsigned long long)all->unchecked);
    return ask(visit, request, NULL, err);
}

/* The published log, by its files and the key that the vault says it has. */
static enum vault_code verify_published(struct visit *visit, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *status = NULL;
    struct note_key key;
    struct verify_report report;
    char dir[PATH_MAX];
    char text[CHECKUP_TEXT_CHARS + 1];
    VAULT_TRY(ask(visit, "{\"command\":\"status\"}", &status, err));
    const json_t *log = json_object_get(status, "log");
    VAULT_TRY(note_key_parse(json_text(json_object_get(log, "key")), &key, err));
    VAULT_TRY(file_join(dir, sizeof dir, visit->config->data, "log", err));
    const struct verify_options options = {.dir = dir,
                                           .key = &key,
                                           .max_age_s = VERIFY_MAX_AGE_DEFAULT_S,
                                           .now_s = clock_now_s(&clock_system)};
    VAULT_TRY(verify_run(&options, &report, err));
    for (enum verify_check check = VERIFY_FORMAT; check < VERIFY_CHECK_COUNT; check++) {
        if (report.verdicts[check].state != VERIFY_FAIL)
            continue;
        snprintf(text, sizeof text, "the published access log: %s: %s; restore it from a backup",
                 verify_check_name(check), report.verdicts[check].detail);
        tell(visit, "log", CHECKUP_ERROR, text);
    }
    return VAULT_OK;
}

static enum vault_code ask_all(struct visit *visit, bool *sealed, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *status = NULL;
    VAULT_TRY(ask(visit, "{\"command\":\"status\"}", &status, err));
    *sealed = json_is_true(json_object_get(status, "sealed"));
    if (*sealed)
        return VAULT_OK;
    VAULT_TRY(ask(visit, "{\"command\":\"doctor\"}", NULL, err));
    VAULT_TRY(verify_published(visit, err));
    return ask_shards(visit, err);
}

static void visit_serving(struct visit *visit)
{
    struct vault_error err;
    char text[CHECKUP_TEXT_CHARS + 1];
    bool sealed = false;
    if (ask_all(visit, &sealed, &err)) {
        snprintf(text, sizeof text, "the vault could not be asked to the end: %s", err.text);
        tell(visit, "vault", CHECKUP_ERROR, text);
    } else if (sealed) {
        tell(visit, "vault", CHECKUP_WARNING,
             "the vault is sealed, and what needs its keys was not looked at: vaultctl unseal");
    }
}

/* --- The visit ------------------------------------------------------------------------------ */

static void visit_all(struct visit *visit)
{
    struct vault_error err;
    doctor_run(&visit->doctor);
    if (admin_connect(visit->config->admin_socket, &visit->fd, &err) == VAULT_OK)
        visit_serving(visit);
    else
        visit_resting(visit);
    file_close(&visit->fd);
}

static void print_end(struct visit *visit)
{
    const size_t errors = visit->counts[CHECKUP_ERROR];
    const size_t warnings = visit->counts[CHECKUP_WARNING];
    if (visit->ctl->json) {
        const char *findings = buf_string(&visit->report);
        printf("{\"findings\":[%s],\"errors\":%zu,\"warnings\":%zu,\"citizens\":%llu}\n",
               findings ? findings : "", errors, warnings,
               (unsigned long long)visit->citizens.citizens);
    } else if (errors || warnings) {
        printf("%zu errors, %zu warnings\n", errors, warnings);
    } else {
        puts("nothing is wrong");
    }
}

static int visit_vault(struct visit *visit)
{
    struct vault_error err;
    enum vault_code code = config_read(visit->ctl->config, visit->config, &err);
    if (code == VAULT_OK)
        code = program_start(visit->config->allow_swap, &err);
    if (code)
        tell(visit, "configuration", CHECKUP_ERROR, err.text);
    else
        visit_all(visit);
    progress_clear();
    print_end(visit);
    return visit->counts[CHECKUP_ERROR] || visit->counts[CHECKUP_WARNING] ? FOUND_EXIT : 0;
}

int ctl_doctor(const struct ctl *ctl, int argc, char **argv)
{
    const bool quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
    if (!ctl->config || (argc != 1 && !quick))
        return ctl_usage("doctor takes --quick, and needs --config FILE before it");
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return vault_code_exit(VAULT_NO_MEMORY);
    struct visit visit = {
        .ctl = ctl,
        .config = config,
        .quick = quick,
        .fd = -1,
        .report = buf_limited(REPORT_BYTES_MAX),
    };
    visit.doctor = (struct doctor){.config_path = ctl->config,
                                   .config = config,
                                   .now_s = clock_now_s(&clock_system),
                                   .out = checkup_of(&visit, "vault")};
    progress_begin();
    const int result = visit_vault(&visit);
    buf_finish(&visit.report);
    free(config);
    return result;
}
