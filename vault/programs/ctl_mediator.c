/*
 * vaultctl mediator …: structures that act for citizens, and their mediators.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "options.h"
#include "vault/base/file.h"

#define REQUEST_BYTES_MAX (64U * 1024)

static enum vault_code ask(const struct ctl *ctl, const char *command,
                           const struct ctl_member members[], json_t **result,
                           struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    return ctl_ask_texts(fd, command, members, result, err);
}

static int change(const struct ctl *ctl, const char *command, const struct ctl_member members[],
                  const char *done)
{
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *result = NULL;
    const enum vault_code code = ask(ctl, command, members, &result, &err);
    if (code)
        return ctl_failed(code, &err);
    puts(ctl->json ? "{}" : done);
    return 0;
}

int ctl_structure_add(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 3)
        return ctl_usage("mediator add-structure takes ID NAME");
    const struct ctl_member members[] = {{"id", argv[1]}, {"name", argv[2]}, {NULL, NULL}};
    return change(ctl, "mediator add-structure", members, "the structure is registered");
}

int ctl_structure_remove(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 2)
        return ctl_usage("mediator remove-structure takes ID");
    const struct ctl_member members[] = {{"id", argv[1]}, {NULL, NULL}};
    return change(ctl, "mediator remove-structure", members, "the structure is out");
}

/* What the mediator is handed, who sets a password of their own with it. */
static int hand_over(const struct ctl *ctl, const char *command, const struct ctl_member members[])
{
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *result = NULL;
    const enum vault_code code = ask(ctl, command, members, &result, &err);
    if (code)
        return ctl_failed(code, &err);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(REQUEST_BYTES_MAX);
    if (ctl->json)
        json_write_value(&text, result);
    else
        buf_format(&text, "first password  %s\nuntil           %s\nat              %s",
                   json_string_value(json_object_get(result, "first_password")),
                   json_string_value(json_object_get(result, "until")),
                   json_string_value(json_object_get(result, "address")));
    if (buf_check(&text, &err))
        return ctl_failed(err.code, &err);
    puts(buf_string(&text));
    return 0;
}

int ctl_mediator_add(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 4)
        return ctl_usage("mediator add takes STRUCTURE LOGIN NAME");
    const struct ctl_member members[] = {
        {"structure", argv[1]}, {"login", argv[2]}, {"name", argv[3]}, {NULL, NULL}};
    return hand_over(ctl, "mediator add", members);
}

int ctl_mediator_reset(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 2)
        return ctl_usage("mediator reset takes LOGIN");
    const struct ctl_member members[] = {{"login", argv[1]}, {NULL, NULL}};
    return hand_over(ctl, "mediator reset", members);
}

int ctl_mediator_remove(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 2)
        return ctl_usage("mediator remove takes LOGIN");
    const struct ctl_member members[] = {{"login", argv[1]}, {NULL, NULL}};
    return change(ctl, "mediator remove", members, "the mediator is out");
}

static void print_structure(const json_t *structure)
{
    const json_t *mediators = json_object_get(structure, "mediators");
    printf("%s  %s\n", json_string_value(json_object_get(structure, "id")),
           json_string_value(json_object_get(structure, "name")));
    for (size_t i = 0; i < json_array_size(mediators); i++) {
        const json_t *mediator = json_array_get(mediators, i);
        printf("    %s  %s  %lld passkeys\n", json_string_value(json_object_get(mediator, "login")),
               json_string_value(json_object_get(mediator, "name")),
               (long long)json_integer_value(json_object_get(mediator, "passkeys")));
    }
}

int ctl_mediator_list(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    static const struct ctl_member none[] = {{NULL, NULL}};
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("mediator list takes no arguments");
    const enum vault_code code = ask(ctl, "mediator list", none, &result, &err);
    if (code)
        return ctl_failed(code, &err);
    if (ctl->json) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(REQUEST_BYTES_MAX * 16);
        json_write_value(&text, result);
        const char *line = buf_string(&text);
        puts(line ? line : "[]");
        return 0;
    }
    for (size_t i = 0; i < json_array_size(result); i++)
        print_structure(json_array_get(result, i));
    return 0;
}
