#include "ctl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "vault/edge/admin.h"
#include "vault/edge/config.h"

#define REFERENCE_CHARS 128
#define TEXTS_BYTES_MAX (64U * 1024) /* of a request of texts alone */

int ctl_usage(const char *what)
{
    return program_usage(CTL_PROGRAM, what);
}

int ctl_failed(enum vault_code code, const struct vault_error *err)
{
    return program_failed(CTL_PROGRAM, code, err);
}

enum vault_code ctl_read_references(json_t **out, struct vault_error *err)
{
    char line[REFERENCE_CHARS + 2];
    VAULT_AUTO(json_free) json_t *list = json_array();
    while (list && fgets(line, sizeof line, stdin)) {
        const size_t size = strcspn(line, "\r\n");
        if (size > REFERENCE_CHARS)
            return vault_fail(err, VAULT_TOO_LARGE, "line %zu is longer than a reference can be",
                              json_array_size(list) + 1);
        line[size] = 0;
        if (json_array_size(list) == CTL_REFERENCES_MAX)
            return vault_fail(err, VAULT_TOO_LARGE, "more than %d references at a time",
                              CTL_REFERENCES_MAX);
        if (size && json_array_append_new(list, json_string(line)) != 0)
            return vault_fail(err, VAULT_INVALID, "line %zu is not UTF-8",
                              json_array_size(list) + 1);
    }
    if (ferror(stdin))
        return vault_fail_errno(err, "reading the references");
    if (json_array_size(list) == 0)
        return vault_fail(err, VAULT_INVALID,
                          "no reference came in: give them on standard input, one a line");
    *out = VAULT_TAKE(list);
    return VAULT_OK;
}

enum vault_code ctl_connect(const struct ctl *ctl, int *fd, struct vault_error *err)
{
    if (ctl->socket)
        return admin_connect(ctl->socket, fd, err);
    assert(ctl->config); /* main saw to it */
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    enum vault_code code = config_read(ctl->config, config, err);
    if (code == VAULT_NOT_FOUND)
        code = VAULT_IO;
    if (code == VAULT_OK)
        code = admin_connect(config->admin_socket, fd, err);
    free(config);
    return code;
}

static enum vault_code code_of_name(const char *name)
{
    for (int code = VAULT_OK + 1; code < VAULT_CODE_COUNT; code++) {
        if (name && strcmp(vault_code_name((enum vault_code)code), name) == 0)
            return (enum vault_code)code;
    }
    return VAULT_CORRUPT;
}

enum vault_code ctl_said(const json_t *answer, const char *otherwise, struct vault_error *err)
{
    const char *name = json_string_value(json_object_get(answer, "code"));
    const char *words = json_string_value(json_object_get(answer, "error"));
    return vault_fail(err, code_of_name(name), "%s",
                      words && vault_error_may_say(words) ? words : otherwise);
}

/* Question marks for what an administrator's terminal would obey, but the ends of lines and
 * columns. */
static enum vault_code disarm_text(json_t *text, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf shown = buf_limited(ADMIN_LINE_BYTES_MAX);
    const char *at = json_string_value(text);
    if (!*at || vault_error_may_say(at))
        return VAULT_OK;
    while (*at) {
        const bool ends = *at == '\n' || *at == '\t';
        const size_t command = ends ? 0 : vault_error_command(at);
        buf_byte(&shown, command ? '?' : (uint8_t)*at);
        at += command ? command : 1;
    }
    VAULT_TRY(buf_check(&shown, err));
    const int result = json_string_setn_nocheck(text, (const char *)shown.data, shown.size);
    return result ? vault_fail(err, VAULT_NO_MEMORY, "out of memory") : VAULT_OK;
}

/* What vaultd says may be what a stranger once sent it, or a vaultd says it that was taken over. */
static enum vault_code disarm(json_t *value, struct vault_error *err)
{
    const char *name;
    json_t *member;
    size_t i;
    if (json_is_string(value))
        return disarm_text(value, err);
    json_array_foreach(value, i, member) VAULT_TRY(disarm(member, err));
    json_object_foreach(value, name, member)
    {
        if (!vault_error_may_say(name))
            return vault_fail(err, VAULT_CORRUPT, "the daemon's answer cannot be read");
        VAULT_TRY(disarm(member, err));
    }
    return VAULT_OK;
}

enum vault_code ctl_ask(int fd, const struct buf *request, json_t **result, struct vault_error *err)
{
    return ctl_ask_with(fd, request, -1, result, err);
}

enum vault_code ctl_ask_with(int fd, const struct buf *request, int given, json_t **result,
                             struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *answer = NULL;
    VAULT_TRY(admin_ask_with(fd, request, given, &answer, err));
    json_t *found = json_object_get(answer, "result");
    if (json_is_true(json_object_get(answer, "ok")) && found) {
        VAULT_TRY(disarm(found, err));
        *result = json_incref(found);
        return VAULT_OK;
    }
    return ctl_said(answer, "the daemon's answer cannot be read", err);
}

enum vault_code ctl_ask_texts(int fd, const char *command, const struct ctl_member members[],
                              json_t **result, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(TEXTS_BYTES_MAX);
    buf_format(&request, "{\"command\":\"%s\"", command);
    for (; members->name; members++) {
        buf_format(&request, ",\"%s\":", members->name);
        json_write_string(&request, bytes_of_text(members->value));
    }
    buf_byte(&request, '}');
    VAULT_TRY(buf_check(&request, err));
    return ctl_ask(fd, &request, result, err);
}
