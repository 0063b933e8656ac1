/*
 * vaultctl key rotate, key rewrap, citizen rekey, seal, unseal: asked of the daemon.
 * vaultctl key provider, key recover: on the keyring itself, with no daemon needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_provider.h"
#include "options.h"
#include "progress.h"
#include "vault/base/file.h"

#define REQUEST_BYTES_MAX (64UL * 1024)

/* --- Asked of the daemon -------------------------------------------------------------------- */

static enum vault_code ask_plain(int fd, const char *command, json_t **result,
                                 struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    buf_format(&request, "{\"command\":\"%s\"}", command);
    return ctl_ask(fd, &request, result, err);
}

/* With what the provider needs, if it needs anything of a person. */
static enum vault_code ask_with_secret(int fd, const char *command, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *answer = NULL;
    VAULT_AUTO(json_free) json_t *result = NULL;
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_TRY(ask_plain(fd, "key needs", &answer, err));
    const char *needs = json_string_value(json_object_get(answer, "needs"));
    if (needs && *needs)
        VAULT_TRY(ctl_read_secret(needs, false, &secret, err));
    buf_format(&request, "{\"command\":\"%s\"", command);
    if (secret) {
        buf_text(&request, ",\"secret\":");
        json_write_string(&request, secret_view(secret));
    }
    buf_byte(&request, '}');
    return ctl_ask(fd, &request, &result, err);
}

static int ask_and_say(const struct ctl *ctl, int argc, const char *command, const char *said)
{
    struct vault_error err;
    VAULT_AUTO(file_close) int fd = -1;
    if (argc != 1)
        return ctl_usage("this command takes no arguments");
    enum vault_code code = program_start(true, &err); /* handles no key of the vault */
    if (code == VAULT_OK)
        code = ctl_connect(ctl, &fd, &err);
    if (code == VAULT_OK)
        code = ask_with_secret(fd, command, &err);
    if (code)
        return ctl_failed(code, &err);
    puts(ctl->json ? "{}" : said);
    return 0;
}

int ctl_key_rotate(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    return ask_and_say(ctl, argc, "key rotate",
                       "There is a new root key. 'vaultctl key rewrap' wraps the citizens' keys by "
                       "it and lets the former one go.");
}

int ctl_unseal(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    return ask_and_say(ctl, argc, "unseal", "The vault is open.");
}

int ctl_seal(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    struct vault_error err;
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("seal takes no arguments");
    enum vault_code code = ctl_connect(ctl, &fd, &err);
    if (code == VAULT_OK)
        code = ask_plain(fd, "seal", &result, &err);
    if (code)
        return ctl_failed(code, &err);
    puts(ctl->json ? "{}" : "The vault is sealed.");
    return 0;
}

static long long number_of(const json_t *answer, const char *name)
{
    return (long long)json_integer_value(json_object_get(answer, name));
}

/* Until it is done. */
static enum vault_code rewrap_all(int fd, json_t **last, struct vault_error *err)
{
    progress_begin();
    for (;;) {
        json_free(last);
        VAULT_TRY(ask_plain(fd, "key rewrap", last, err));
        if (json_is_true(json_object_get(*last, "done")))
            break;
        progress_show(0, 0, "%lld keys looked at, %lld wrapped again", number_of(*last, "seen"),
                      number_of(*last, "rewrapped"));
    }
    return VAULT_OK;
}

int ctl_key_rewrap(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    struct vault_error err;
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(json_free) json_t *last = NULL;
    if (argc != 1)
        return ctl_usage("key rewrap takes no arguments");
    enum vault_code code = ctl_connect(ctl, &fd, &err);
    if (code == VAULT_OK)
        code = rewrap_all(fd, &last, &err);
    progress_clear();
    if (code)
        return ctl_failed(code, &err);
    printf(ctl->json ? "{\"seen\":%lld,\"rewrapped\":%lld}\n"
                     : "%lld keys looked at, %lld wrapped again; former root keys are gone.\n",
           number_of(last, "seen"), number_of(last, "rewrapped"));
    return 0;
}

static enum vault_code rekey_one(int fd, const json_t *reference, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *result = NULL;
    buf_text(&request, "{\"command\":\"citizen rekey\",\"reference\":");
    json_write_value(&request, reference);
    buf_byte(&request, '}');
    VAULT_TRY(buf_check(&request, err));
    return ctl_ask(fd, &request, &result, err);
}

int ctl_citizen_rekey(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    struct vault_error err;
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(json_free) json_t *references = NULL;
    size_t done = 0;
    if (argc != 1)
        return ctl_usage("citizen rekey takes references on standard input");
    enum vault_code code = ctl_read_references(&references, &err);
    if (code == VAULT_OK)
        code = ctl_connect(ctl, &fd, &err);
    progress_begin();
    while (code == VAULT_OK && done < json_array_size(references)) {
        progress_show(done, json_array_size(references), "%zu rekeyed", done);
        code = rekey_one(fd, json_array_get(references, done), &err);
        if (code)
            vault_error_context(&err, "line %zu", done + 1);
        else
            done++;
    }
    progress_clear();
    printf(ctl->json ? "{\"rekeyed\":%zu}\n" : "%zu rekeyed\n", done);
    return code ? ctl_failed(code, &err) : 0;
}

/* --- On the keyring itself ------------------------------------------------------------------ */

/* What both work on: the vault's configuration, and the provider that is to be. */
struct offline {
    struct config config;
    struct config_keyring next;
    bool is_given; /* by options; else it is that of the configuration */
};

static enum vault_code offline_read(const struct ctl *ctl, int argc, char **argv,
                                    struct offline *out, struct vault_error *err)
{
    for (int i = 1; i < argc; i++) {
        if (!ctl_provider_option(argc, argv, &i, &out->next))
            return vault_fail(err, VAULT_INVALID, "what is %s? see 'vaultctl key %s --help'",
                              argv[i < argc ? i : argc - 1], argv[0]);
        out->is_given = true;
    }
    enum vault_code code = config_read(ctl->config, &out->config, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_IO : code;
    if (!out->is_given)
        out->next = out->config.keyring;
    else
        VAULT_TRY(ctl_provider_settle(&out->next, NULL, err));
    return program_start(out->config.allow_swap, err);
}

static void say_configuration(const struct ctl *ctl, const struct offline *offline)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONFIG_FILE_BYTES_MAX);
    config_print_keyring(&offline->next, &text);
    const char *words = buf_string(&text);
    if (ctl->json)
        printf("{%s}\n", words ? words : "");
    else if (offline->is_given)
        printf("Put this into %s before the next start:\n\n  %s\n", ctl->config,
               words ? words : "");
}

/* The recovery secret is the first line of standard input, the new provider's the second. */
static enum vault_code recover(struct offline *offline, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    struct keyring_provider next = config_provider(&offline->next);
    VAULT_TRY(ctl_read_secret("recovery secret", false, &recovery, err));
    VAULT_TRY(ctl_provider_secret(&offline->next, true, &secret, err));
    next.secret = secret;
    return keyring_recover(offline->config.data, secret_view(recovery), &next, err);
}

/* Today's provider's secret is the first line, the new one's the second. */
static enum vault_code move(struct offline *offline, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *now = NULL;
    VAULT_AUTO(secret_free) struct secret *then = NULL;
    struct keyring_provider from = config_provider(&offline->config.keyring);
    struct keyring_provider to = config_provider(&offline->next);
    if (!offline->is_given)
        return vault_fail(err, VAULT_INVALID, "which provider? see 'vaultctl key provider --help'");
    VAULT_TRY(ctl_provider_secret(&offline->config.keyring, false, &now, err));
    VAULT_TRY(ctl_provider_secret(&offline->next, true, &then, err));
    from.secret = now;
    to.secret = then;
    return keyring_move(offline->config.data, &from, &to, err);
}

static int run_offline(const struct ctl *ctl, int argc, char **argv,
                       enum vault_code (*work)(struct offline *offline, struct vault_error *err),
                       const char *said)
{
    struct vault_error err = {0};
    if (!ctl->config)
        return ctl_usage("which vault? give --config FILE before the command");
    struct offline *offline = calloc(1, sizeof *offline);
    if (!offline)
        return vault_code_exit(VAULT_NO_MEMORY);
    enum vault_code code = offline_read(ctl, argc, argv, offline, &err);
    if (code == VAULT_OK)
        code = work(offline, &err);
    if (code == VAULT_OK) {
        if (!ctl->json)
            puts(said);
        say_configuration(ctl, offline);
    }
    free(offline);
    return code ? ctl_failed(code, &err) : 0;
}

int ctl_key_recover(const struct ctl *ctl, int argc, char **argv)
{
    return run_offline(ctl, argc, argv, recover,
                       "The vault opens with a fresh key. The recovery secret stays as it is.");
}

int ctl_key_provider(const struct ctl *ctl, int argc, char **argv)
{
    return run_offline(ctl, argc, argv, move,
                       "The vault opens with the new provider's key, and no more with the former "
                       "one: destroy that.");
}
