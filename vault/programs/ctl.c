#include "ctl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "vault/edge/admin.h"
#include "vault/edge/config.h"

int ctl_usage(const char *what)
{
    return program_usage(CTL_PROGRAM, what);
}

int ctl_failed(enum vault_code code, const struct vault_error *err)
{
    return program_failed(CTL_PROGRAM, code, err);
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
    for (int code = VAULT_OK; code < VAULT_CODE_COUNT; code++) {
        if (name && strcmp(vault_code_name((enum vault_code)code), name) == 0)
            return (enum vault_code)code;
    }
    return VAULT_CORRUPT;
}

enum vault_code ctl_ask(int fd, const struct buf *request, json_t **result, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *answer = NULL;
    VAULT_TRY(admin_ask(fd, request, &answer, err));
    if (json_is_true(json_object_get(answer, "ok"))) {
        *result = json_incref(json_object_get(answer, "result"));
        return VAULT_OK;
    }
    const char *words = json_string_value(json_object_get(answer, "error"));
    return vault_fail(err, code_of_name(json_string_value(json_object_get(answer, "code"))), "%s",
                      words ? words : "the daemon's answer cannot be read");
}
