#include "vault/vault/mediator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "event.h"
#include "mediator_parts.h"
#include "parts.h"
#include "vault/base/json.h"
#include "vault/ledger/entry.h"
#include "vault/vault/sign_in.h"

#define DAY_S 86400

static enum vault_code enter(struct vault *vault, struct vault_error *err)
{
    return event_of_operator(vault, ENTRY_ADMIN, (struct bytes){0}, err);
}

/* --- The operator --------------------------------------------------------------------------- */

/* A name stands in lines of the log: it is one line. */
static enum vault_code check_name(const char *name, size_t max, struct vault_error *err)
{
    const size_t size = strlen(name);
    bool good = size >= 1 && size <= max;
    for (size_t i = 0; i < size && good; i++)
        good = (uint8_t)name[i] >= 0x20 && name[i] != 0x7f;
    return good ? VAULT_OK
                : vault_fail(err, VAULT_INVALID,
                             "a name has 1 to %zu bytes and no control characters", max);
}

enum vault_code mediator_register_structure(struct vault *vault, const char *id, const char *name,
                                            struct vault_error *err)
{
    if (!entry_id_is_valid(bytes_of_text(id)))
        return vault_fail(err, VAULT_INVALID,
                          "a structure's id has small letters, digits, dots and hyphens");
    VAULT_TRY(check_name(name, STRUCTURE_NAME_BYTES, err));
    VAULT_TRY(structure_add(vault->store, id, name, err));
    return enter(vault, err);
}

enum vault_code mediator_remove_structure(struct vault *vault, const char *id,
                                          struct vault_error *err)
{
    VAULT_TRY(structure_remove(vault->store, id, err));
    return enter(vault, err);
}

/* A first password, drawn here, so that whoever registers somebody does not choose it. */
static enum vault_code draw_first(struct vault *vault, struct mediator *mediator,
                                  struct mediator_first *out, struct vault_error *err)
{
    struct mediator_first first = {.until_s = clock_now_s(&vault->options.clock) +
                                              (int64_t)MEDIATOR_FIRST_DAYS * DAY_S};
    code_draw(SIGN_IN_CODE_LETTERS, first.password);
    VAULT_TRY(mediator_first_hash(bytes_of_text(first.password), mediator->password_hash, err));
    mediator->first_until_s = first.until_s;
    *out = first;
    explicit_bzero(&first, sizeof first);
    return VAULT_OK;
}

enum vault_code mediator_register(struct vault *vault, const char *structure, const char *login,
                                  const char *name, struct mediator_first *out,
                                  struct vault_error *err)
{
    struct mediator mediator = {0};
    struct mediator_first first;
    VAULT_TRY(sign_in_login(bytes_of_text(login), mediator.login, err));
    VAULT_TRY(check_name(name, MEDIATOR_NAME_BYTES, err));
    if (strlen(structure) > STRUCTURE_ID_CHARS)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such structure");
    snprintf(mediator.name, sizeof mediator.name, "%s", name);
    snprintf(mediator.structure.id, sizeof mediator.structure.id, "%s", structure);
    VAULT_TRY(draw_first(vault, &mediator, &first, err));
    VAULT_TRY(mediator_add(vault->store, &mediator, err));
    VAULT_TRY(enter(vault, err));
    *out = first;
    explicit_bzero(&first, sizeof first);
    return VAULT_OK;
}

enum vault_code mediator_reset(struct vault *vault, const char *login, struct mediator_first *out,
                               struct vault_error *err)
{
    struct mediator mediator = {0};
    struct mediator_first first;
    VAULT_TRY(sign_in_login(bytes_of_text(login), mediator.login, err));
    VAULT_TRY(draw_first(vault, &mediator, &first, err));
    VAULT_TRY(mediator_set_password(vault->store, mediator.login, mediator.password_hash,
                                    clock_now_s(&vault->options.clock), mediator.first_until_s,
                                    NULL, err));
    VAULT_TRY(enter(vault, err));
    *out = first;
    explicit_bzero(&first, sizeof first);
    return VAULT_OK;
}

enum vault_code mediator_unregister(struct vault *vault, const char *login, struct vault_error *err)
{
    char known[SIGN_IN_LOGIN_CHARS + 1];
    VAULT_TRY(sign_in_login(bytes_of_text(login), known, err));
    VAULT_TRY(mediator_remove(vault->store, known, err));
    return enter(vault, err);
}

/* --- Lists ---------------------------------------------------------------------------------- */

/* Structures are few; they are taken before their mediators are asked for, since the list holds the
 * store. */
struct taking {
    struct structure *list;
    size_t count;
};

static enum vault_code take_structure(void *context, const struct structure *structure,
                                      struct vault_error *err)
{
    (void)err;
    struct taking *taking = context;
    if (taking->count < STRUCTURES_MAX)
        taking->list[taking->count++] = *structure;
    return VAULT_OK;
}

static enum vault_code take_all(struct vault *vault, struct taking *taking, struct vault_error *err)
{
    taking->list = calloc(STRUCTURES_MAX, sizeof *taking->list);
    if (!taking->list)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    return structure_list(vault->store, take_structure, taking, err);
}

static void taking_finish(struct taking *taking)
{
    free(taking->list);
}

enum vault_code mediator_structures(struct vault *vault, structure_each *each, void *context,
                                    struct vault_error *err)
{
    VAULT_AUTO(taking_finish) struct taking taking = {0};
    VAULT_TRY(take_all(vault, &taking, err));
    for (size_t i = 0; i < taking.count; i++)
        VAULT_TRY(each(context, &taking.list[i], err));
    return VAULT_OK;
}

struct writing {
    struct buf *out;
    size_t count;
};

static enum vault_code write_mediator(void *context, const struct mediator *mediator,
                                      struct vault_error *err)
{
    struct writing *writing = context;
    buf_text(writing->out, writing->count++ ? ",{\"login\":" : "{\"login\":");
    json_write_string(writing->out, bytes_of_text(mediator->login));
    buf_text(writing->out, ",\"name\":");
    json_write_string(writing->out, bytes_of_text(mediator->name));
    buf_format(writing->out, ",\"passkeys\":%u}", mediator->passkeys);
    return buf_check(writing->out, err);
}

enum vault_code mediator_write_list(struct vault *vault, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(taking_finish) struct taking taking = {0};
    VAULT_TRY(take_all(vault, &taking, err));
    buf_byte(out, '[');
    for (size_t i = 0; i < taking.count; i++) {
        struct writing writing = {.out = out};
        buf_format(out, "%s{\"id\":\"%s\",\"name\":", i ? "," : "", taking.list[i].id);
        json_write_string(out, bytes_of_text(taking.list[i].name));
        buf_text(out, ",\"mediators\":[");
        VAULT_TRY(mediator_list(vault->store, taking.list[i].id, write_mediator, &writing, err));
        buf_text(out, "]}");
    }
    buf_byte(out, ']');
    return buf_check(out, err);
}

void mediator_structure_name(struct vault *vault, const char *id,
                             char out[STRUCTURE_NAME_BYTES + 1])
{
    struct structure structure;
    const bool known = structure_get(vault->store, id, &structure, NULL) == VAULT_OK;
    snprintf(out, STRUCTURE_NAME_BYTES + 1, "%s", known ? structure.name : id);
}
