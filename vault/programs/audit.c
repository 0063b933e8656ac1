#include "audit.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "vault/base/file.h"

int audit_usage(const char *what)
{
    fprintf(stderr, "vault-audit: %s; try vault-audit --help\n", what);
    return AUDIT_EXIT_USAGE;
}

int audit_failed(enum vault_code code, const struct vault_error *err)
{
    fprintf(stderr, "vault-audit: %s\n", err->text);
    switch (code) {
    case VAULT_NOT_FOUND:
    case VAULT_CONFLICT: /* what is to be made is there, or in somebody's hands */
    case VAULT_IO:
    case VAULT_NO_MEMORY:
    case VAULT_UNAVAILABLE:
        return AUDIT_EXIT_IO;
    default:
        return VERIFY_EXIT_INVALID;
    }
}

static struct audit_option *find_option(struct audit_option *options, size_t count,
                                        const char *argument)
{
    const size_t size = strcspn(argument, "=");
    for (size_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == size && strncmp(options[i].name, argument, size) == 0)
            return &options[i];
    }
    return NULL;
}

/* Take an option and perhaps the argument behind it. Returns how many arguments it was, or 0. */
static int take_option(struct audit_option *option, int left, char **argv)
{
    const char *equals = strchr(argv[0], '=');
    if (!option->values) {
        option->count = 1;
        return equals ? 0 : 1;
    }
    if (option->count == option->values_max || (!equals && left < 2))
        return 0;
    option->values[option->count++] = equals ? equals + 1 : argv[1];
    return equals ? 1 : 2;
}

int audit_read_arguments(int argc, char **argv, struct audit_option *options, size_t option_count,
                         const char **names, size_t name_count)
{
    bool only_names = false;
    size_t found = 0;
    for (int i = 0; i < argc;) {
        if (!only_names && strcmp(argv[i], "--") == 0) {
            only_names = true;
            i++;
        } else if (!only_names && strncmp(argv[i], "--", 2) == 0) {
            struct audit_option *option = find_option(options, option_count, argv[i]);
            const int taken = option ? take_option(option, argc - i, argv + i) : 0;
            if (taken == 0) {
                fprintf(stderr, "vault-audit: ");
                fprintf(stderr, option ? "%s needs one value\n" : "%s is no option here\n",
                        argv[i]);
                return AUDIT_EXIT_USAGE;
            }
            i += taken;
        } else if (found == name_count) {
            return audit_usage("too many arguments");
        } else {
            names[found++] = argv[i++];
        }
    }
    return found == name_count ? 0 : audit_usage("an argument is missing");
}

int audit_read_key(const char *text, struct note_key *out)
{
    struct vault_error err;
    if (!text)
        return audit_usage("--key VKEY, the log's verifier key, is missing");
    if (note_key_parse(bytes_of_text(text), out, &err) != VAULT_OK)
        return audit_usage(err.text);
    return out->kind == NOTE_ED25519 ? 0
                                     : audit_usage("--key is the key of a witness, not a log's");
}

enum vault_code audit_read_file(const char *path, struct buf *out, struct vault_error *err)
{
    const enum vault_code code = file_read_regular(path, out, err);
    return code == VAULT_CORRUPT ? VAULT_IO : code;
}

int audit_read_number(const char *text, const char *what, uint64_t *out)
{
    uint64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && at - text < 18; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == text || *at || (text[0] == '0' && at - text > 1)) {
        fprintf(stderr, "vault-audit: %s is no number\n", what);
        return AUDIT_EXIT_USAGE;
    }
    *out = number;
    return 0;
}

void audit_close_log(struct audit_log *log)
{
    buf_finish(&log->note);
    tile_source_free(&log->tiles);
}

int audit_open_log(const char *dir, struct audit_log *out)
{
    char path[PATH_MAX];
    struct vault_error err;
    *out = (struct audit_log){.dir = dir, .note = buf_limited(CHECKPOINT_MAX_BYTES)};
    enum vault_code code = file_join(path, sizeof path, dir, "checkpoint", &err);
    if (code == VAULT_OK)
        code = file_read_regular(path, &out->note, &err);
    if (code == VAULT_OK)
        code = checkpoint_parse(buf_view(&out->note), &out->checkpoint, &err);
    if (code == VAULT_OK)
        code = tile_source_new(dir, out->checkpoint.size, &out->tiles, &err);
    return code ? audit_failed(code, &err) : 0;
}

/* A log's own tile that is missing is a part of the log that is missing. */
static int tiles_failed(enum vault_code code, const struct vault_error *err)
{
    const int exit_code = audit_failed(code, err);
    return code == VAULT_NOT_FOUND ? VERIFY_EXIT_MISSING : exit_code;
}

int audit_root_at(struct audit_log *log, uint64_t size, struct tree_hash *root,
                  struct tree_proof *consistency)
{
    struct vault_error err;
    const struct tree_source nodes = tile_source_nodes(log->tiles);
    const struct checkpoint *now = &log->checkpoint;
    *consistency = (struct tree_proof){0};
    if (size == now->size) {
        *root = now->root;
        return 0;
    }
    enum vault_code code = tree_root(&nodes, size, root, &err);
    if (code == VAULT_OK)
        code = tree_prove_consistency(&nodes, size, now->size, consistency, &err);
    if (code)
        return tiles_failed(code, &err);
    if (tree_check_consistency(consistency, size, now->size, root, &now->root, NULL) == VAULT_OK)
        return 0;
    fprintf(stderr, "vault-audit: the tiles in %s do not lead to its checkpoint\n", log->dir);
    return VERIFY_EXIT_INVALID;
}

int audit_print(const struct buf *text)
{
    const bool written = text->size == 0 || fwrite(text->data, 1, text->size, stdout) == text->size;
    if (text->problem || !written || fflush(stdout) != 0) {
        fprintf(stderr, "vault-audit: the output cannot be written\n");
        return AUDIT_EXIT_IO;
    }
    return 0;
}
