/*
 * vaultctl restore: a vault out of a backup, on the folders themselves.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_provider.h"
#include "options.h"
#include "progress.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/vault/restore.h"

#define TOLD_MAX 64 /* lines about services and purposes that are printed */

struct order {
    const struct ctl *ctl;
    const char *backup;
    const char *dir;
    const char *log;
    bool without_log;
    bool accept_lost_erasures;
    char absolute[PATH_MAX];
    struct ctl_opener opener;
    struct config_keyring made; /* the provider, for as long as the vault is in another place */
    struct config config;
    struct restore *restore;
    struct restore_report report;
    struct buf told;
};

/* --- Its configuration ---------------------------------------------------------------------- */

/* What will lie in the vault's folder lies where that is made. */
static enum vault_code move_in(const struct order *order, const char *made, char path[PATH_MAX],
                               struct vault_error *err)
{
    const size_t size = strlen(order->absolute);
    char rest[PATH_MAX];
    if (strncmp(path, order->absolute, size) != 0 || path[size] != '/')
        return VAULT_OK;
    snprintf(rest, sizeof rest, "%s", path + size + 1);
    return file_join(path, PATH_MAX, made, rest, err);
}

static int append(const char *text, size_t size, void *context)
{
    struct buf *out = context;
    buf_append(out, text, size);
    return out->problem ? -1 : 0;
}

/* The provider that the vault has from now on, in the place of the one that it had. */
static enum vault_code write_config(const struct order *order, const char *path,
                                    struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(json_free) json_t *part = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONFIG_FILE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf keyring = buf_limited(CONFIG_FILE_BYTES_MAX);
    VAULT_TRY(file_read_regular(path, &text, err));
    VAULT_TRY(json_parse(buf_view(&text), 8, &root, NULL, err));
    buf_byte(&keyring, '{');
    config_print_keyring(&order->opener.keyring, &keyring);
    buf_byte(&keyring, '}');
    VAULT_TRY(buf_check(&keyring, err));
    VAULT_TRY(json_parse(buf_view(&keyring), 8, &part, NULL, err));
    if (json_object_update(root, part) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    buf_clear(&text);
    if (json_dump_callback(root, append, &text, JSON_INDENT(2)) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    return file_replace(path, buf_view(&text), 0600, err);
}

/* --- The steps ------------------------------------------------------------------------------ */

static void tell(void *context, const char *service, const char *purpose, uint64_t consents)
{
    struct order *order = context;
    if (!*purpose)
        buf_format(&order->told,
                   "  service %s is suspended: look what was changed, and resume it\n", service);
    else if (consents)
        buf_format(&order->told, "  %llu consents to %s for %s are suspended\n",
                   (unsigned long long)consents, service, purpose);
}

static enum vault_code begin(struct order *order, struct vault_error *err)
{
    char made[PATH_MAX];
    const int length = snprintf(made, sizeof made, "%s.partial", order->absolute);
    if (length < 0 || (size_t)length >= sizeof made)
        return vault_fail(err, VAULT_TOO_LARGE, "the folder's path is too long");
    order->made = order->opener.keyring;
    if (order->opener.by_recovery) {
        VAULT_TRY(move_in(order, made, order->made.key_file, err));
        VAULT_TRY(ctl_provider_make_place(&order->made, order->absolute, err));
    }
    struct keyring_provider provider = config_provider(&order->made);
    provider.secret = order->opener.secret;
    const struct restore_options options = {.backup = order->backup,
                                            .dir = order->absolute,
                                            .log = order->log,
                                            .accept_unknown_erasures = order->accept_lost_erasures,
                                            .provider = provider,
                                            .recovery = order->opener.recovery,
                                            .shows = ctl_show};
    return restore_begin(&options, &order->restore, err);
}

static enum vault_code open_vault(struct order *order, struct vault **out, struct vault_error *err)
{
    const char *trust[CONFIG_TRUST_MAX];
    const struct config *config = &order->config;
    struct keyring_provider provider = config_provider(&order->made);
    provider.secret = order->opener.secret;
    for (int64_t i = 0; i < config->trust_count; i++)
        trust[i] = config->trust[i];
    const struct vault_options options = {.dir = restore_dir(order->restore),
                                          .origin = config->origin,
                                          .provider = provider,
                                          .trust = trust,
                                          .trust_count = (size_t)config->trust_count,
                                          .signatures = (size_t)config->signatures,
                                          .signatures_to_widen =
                                              (size_t)config->signatures_to_widen,
                                          .openings_months = (unsigned)config->log.openings_months,
                                          .entries_months = (unsigned)config->log.entries_months,
                                          .clock = clock_system,
                                          .clock_step_ms = LEDGER_CLOCK_STEP_MS};
    return vault_open(&options, out, err);
}

static enum vault_code replay(struct order *order, struct vault_error *err)
{
    struct vault *vault = NULL;
    VAULT_TRY(write_config(order, restore_config(order->restore), err));
    VAULT_TRY(config_read(restore_config(order->restore), &order->config, err));
    ctl_show(NULL, "what happened since", 0, 0);
    VAULT_TRY(open_vault(order, &vault, err));
    const enum vault_code code =
        restore_replay(order->restore, vault, tell, order, &order->report, err);
    vault_close(&vault);
    return code;
}

static enum vault_code check(struct order *order, struct vault_error *err)
{
    char folder[PATH_MAX];
    if (order->dir[0] == '/') {
        snprintf(order->absolute, sizeof order->absolute, "%s", order->dir);
    } else {
        if (!getcwd(folder, sizeof folder))
            return vault_fail_errno(err, "finding the working folder");
        VAULT_TRY(file_join(order->absolute, sizeof order->absolute, folder, order->dir, err));
    }
    for (size_t size = strlen(order->absolute); size > 1 && order->absolute[size - 1] == '/';
         size--)
        order->absolute[size - 1] = 0;
    return ctl_opener_settle(order->ctl, &order->opener, order->absolute, err);
}

static enum vault_code run(struct order *order, struct vault_error *err)
{
    VAULT_TRY(check(order, err));
    VAULT_TRY(begin(order, err));
    VAULT_TRY(replay(order, err));
    return restore_finish(order->restore, err);
}

/* --- Words ---------------------------------------------------------------------------------- */

static void print_json(const struct restore_report *report)
{
    printf("{\"erased\":%llu,\"unknown_erasures\":%llu,\"replayed\":%llu,\"suspended\":%llu,"
           "\"unreadable\":%llu,\"services_suspended\":%llu,\"policies\":%llu,\"log\":%llu,"
           "\"log_lost\":%s}\n",
           (unsigned long long)report->erased, (unsigned long long)report->unknown_erasures,
           (unsigned long long)report->replayed, (unsigned long long)report->suspended,
           (unsigned long long)report->unreadable, (unsigned long long)report->services_suspended,
           (unsigned long long)report->policies, (unsigned long long)report->log_size,
           report->log_lost ? "true" : "false");
}

static void print_words(struct order *order)
{
    const struct restore_report *report = &order->report;
    const char *told = buf_string(&order->told);
    printf("The vault is in %s; its log has %llu entries.\n"
           "Erased again: %llu. Changes made again as they were: %llu. Consents suspended, until "
           "the citizen resumes them: %llu.\n%s",
           order->absolute, (unsigned long long)report->log_size,
           (unsigned long long)report->erased, (unsigned long long)report->replayed,
           (unsigned long long)report->suspended, told ? told : "");
    if (report->log_lost)
        puts("The log was lost: what was entered since the backup is gone, and whoever kept a "
             "later checkpoint will see that.");
    if (report->unreadable)
        printf("%llu entries concern citizens, nobody knows which.\n",
               (unsigned long long)report->unreadable);
    if (report->unknown_erasures)
        printf("%llu erasures are not in the list: these people may be back, and have to be erased "
               "again.\n",
               (unsigned long long)report->unknown_erasures);
    if (report->policies)
        puts("A policy was activated since the backup and is not in it: activate it before you "
             "serve.");
    if (restore_has_elsewhere(order->restore))
        printf("Files that lay outside the vault's folder are in %s/elsewhere: put them back where "
               "they belong.\n",
               order->absolute);
}

static bool own_option(int argc, char **argv, int *i, struct order *order)
{
    const char *option = argv[*i];
    if (strcmp(option, "--without-log") == 0)
        return order->without_log = true;
    if (strcmp(option, "--accept-lost-erasures") == 0)
        return order->accept_lost_erasures = true;
    if (option[0] != '-' && !order->backup) {
        order->backup = option;
        return true;
    }
    if (*i + 1 >= argc)
        return false;
    if (strcmp(option, "--dir") == 0)
        order->dir = argv[++*i];
    else if (strcmp(option, "--log") == 0)
        order->log = argv[++*i];
    else
        return false;
    return true;
}

int ctl_restore(const struct ctl *ctl, int argc, char **argv)
{
    struct vault_error err = {0};
    struct order *order = calloc(1, sizeof *order);
    if (!order)
        return vault_code_exit(VAULT_NO_MEMORY);
    order->ctl = ctl;
    order->told = buf_limited(64UL * 1024);
    bool understood = true;
    for (int i = 1; i < argc && understood; i++)
        understood =
            ctl_opener_option(argc, argv, &i, &order->opener) || own_option(argc, argv, &i, order);
    if (!understood || !order->backup || !order->dir || !order->log == !order->without_log) {
        free(order);
        return ctl_usage(
            "restore BACKUP --dir DIR, and either --log FOLDER, the newest copy of the "
            "log's folder that there is, or --without-log");
    }
    progress_begin();
    const enum vault_code code = run(order, &err);
    progress_clear();
    if (code == VAULT_OK && ctl->json)
        print_json(&order->report);
    else if (code == VAULT_OK)
        print_words(order);
    restore_end(&order->restore);
    ctl_opener_finish(&order->opener);
    buf_finish(&order->told);
    free(order);
    return code ? ctl_failed(code, &err) : 0;
}
