/*
 * vaultctl policy key, sign, verify: who stands behind a bundle. No vault is needed.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "options.h"
#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/crypto/note.h"
#include "vault/policy/signature.h"

#define KEY_FILE_BYTES_MAX 1024

/* Make a signer's key: the private half into a file, the verifier key to standard output. */
static enum vault_code make_key(const struct ctl *ctl, const char *name, const char *path,
                                struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(KEY_FILE_BYTES_MAX);
    char vkey[NOTE_KEY_CHARS_MAX];
    VAULT_TRY(secret_random(SIGN_SEED_BYTES, &seed, err));
    VAULT_TRY(note_signer_make(bytes_of_text(name), NOTE_ED25519, seed, &signer, err));
    VAULT_TRY(note_signer_print(&signer, seed, &text, err));
    buf_byte(&text, '\n');
    VAULT_TRY(buf_check(&text, err));
    VAULT_TRY(file_create(path, buf_view(&text), 0600, err));
    note_key_print(&signer.key, vkey);
    printf(ctl->json ? "{\"key\":\"%s\"}\n" : "%s\n", vkey);
    return VAULT_OK;
}

int ctl_policy_key(const struct ctl *ctl, int argc, char **argv)
{
    struct vault_error err;
    if (argc != 3)
        return ctl_usage("policy key takes NAME FILE");
    enum vault_code code = program_start(true, &err);
    if (code == VAULT_OK)
        code = make_key(ctl, argv[1], argv[2], &err);
    return code ? ctl_failed(code, &err) : 0;
}

/* A line without its end. */
static struct bytes first_line(const struct buf *text)
{
    const struct bytes all = buf_view(text);
    const uint8_t *end = all.size ? memchr(all.data, '\n', all.size) : NULL;
    return (struct bytes){all.data, end ? (size_t)(end - all.data) : all.size};
}

static enum vault_code sign(const char *folder, const char *key_path,
                            const struct policy_manifest *manifest, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(KEY_FILE_BYTES_MAX);
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_TRY(file_read(key_path, &text, err));
    VAULT_TRY(note_signer_parse(first_line(&text), &signer, err));
    return policy_sign(folder, &signer, manifest, err);
}

/* What "policy sign" was told. */
struct signing {
    const char *key_path;
    struct policy_manifest manifest;
    uint8_t previous[SHA256_BYTES];
};

static bool read_version(const char *text, uint64_t *out)
{
    char *end;
    const unsigned long long version = strtoull(text, &end, 10);
    if (*text < '1' || *text > '9' || *end || version > INT64_MAX)
        return false;
    *out = version;
    return true;
}

static bool read_option(int option, const char *text, struct signing *signing)
{
    struct policy_manifest *manifest = &signing->manifest;
    switch (option) {
    case 'k':
        signing->key_path = text;
        return true;
    case 'n':
        manifest->name = text;
        return true;
    case 'v':
        return read_version(text, &manifest->version);
    case 'b':
        return instant_parse(bytes_of_text(text), &manifest->not_before_s, NULL) == VAULT_OK;
    case 'e':
        return instant_parse(bytes_of_text(text), &manifest->expires_s, NULL) == VAULT_OK;
    case 'p':
        manifest->previous = signing->previous;
        return hex_decode_exact(signing->previous, SHA256_BYTES, bytes_of_text(text), NULL) ==
               VAULT_OK;
    default:
        return false;
    }
}

int ctl_policy_sign(const struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},
        {"name", required_argument, NULL, 'n'},
        {"version", required_argument, NULL, 'v'},
        {"not-before", required_argument, NULL, 'b'},
        {"expires", required_argument, NULL, 'e'},
        {"previous", required_argument, NULL, 'p'},
        {NULL, 0, NULL, 0},
    };
    struct signing signing = {
        .manifest = {.name = "policy", .version = 1, .not_before_s = clock_now_s(&clock_system)}};
    struct vault_error err;
    bool good = true;
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        good = good && read_option(option, optarg, &signing);
    if (!good || !signing.key_path || optind + 1 != argc)
        return ctl_usage("policy sign takes DIR --key FILE, and for a new manifest --name NAME "
                         "--version N --not-before TIME --expires TIME --previous SHA256");
    enum vault_code code = program_start(true, &err);
    if (code == VAULT_OK)
        code = sign(argv[optind], signing.key_path, &signing.manifest, &err);
    if (code == VAULT_OK && ctl->json)
        puts("{}");
    return code ? ctl_failed(code == VAULT_NOT_FOUND ? VAULT_INVALID : code, &err) : 0;
}

static enum vault_code verify(const struct ctl *ctl, const char *folder, const char *trust_path,
                              size_t signatures, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_TRUST_FILE_BYTES_MAX);
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    struct policy_trust trust = {.signatures = signatures, .now_s = clock_now_s(&clock_system)};
    VAULT_TRY(file_read(trust_path, &text, err));
    const enum vault_code code = policy_trust_read(&trust, buf_view(&text), err);
    if (code) {
        vault_error_context(err, "%s", trust_path);
        return code;
    }
    if (signatures > trust.count)
        return vault_fail(err, VAULT_INVALID, "%s has %zu keys, and %zu signatures are asked for",
                          trust_path, trust.count, signatures);
    VAULT_TRY(policy_load_signed(folder, &trust, &policy, NULL, err));
    printf(ctl->json ? "{\"bundle\":\"%s\",\"version\":%llu,\"signatures\":%zu,\"trusted\":%zu}\n"
                     : "%s version %llu: signed by %zu or more of %zu trusted keys\n",
           policy_name(policy), (unsigned long long)policy_version(policy), signatures,
           trust.count);
    return VAULT_OK;
}

static bool read_signatures(const char *text, size_t *out)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);
    if (*text < '1' || *text > '9' || *end || number > POLICY_TRUST_MAX)
        return false;
    *out = number;
    return true;
}

int ctl_policy_verify(const struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"trust", required_argument, NULL, 't'},
        {"signatures", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    const char *trust_path = NULL;
    size_t signatures = 1;
    struct vault_error err;
    bool good = true;
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 't')
            trust_path = optarg;
        else
            good = good && option == 's' && read_signatures(optarg, &signatures);
    }
    if (!good || !trust_path || optind + 1 != argc)
        return ctl_usage("policy verify takes DIR --trust FILE, and --signatures K");
    enum vault_code code = program_start(true, &err);
    if (code == VAULT_OK)
        code = verify(ctl, argv[optind], trust_path, signatures, &err);
    if (code == VAULT_OK)
        return 0;
    ctl_failed(code, &err);
    return code == VAULT_DENIED ? 1
                                : vault_code_exit(code == VAULT_NOT_FOUND ? VAULT_INVALID : code);
}
