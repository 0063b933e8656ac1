/*
 * vaultctl citizen guardian …: who is whose guardian. The two are named by arguments or, since
 * every process can read those, on standard input, a line each.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "options.h"
#include "vault/base/file.h"

#define REQUEST_BYTES_MAX (16U * 1024)
#define ANSWER_BYTES_MAX  (64U * 1024)
#define USAGE                                                                                      \
    "citizen guardian takes add MINOR GUARDIAN, remove MINOR GUARDIAN or list ID; - reads them "   \
    "from standard input"

/* The texts that the verb needs, by name; the second NULL: one. */
struct verb {
    const char *name;
    const char *command;
    const char *members[2];
    const char *done;
};

static const struct verb verbs[] = {
    {"add", "citizen guardian-add", {"minor", "guardian"}, "the guardian is registered"},
    {"remove", "citizen guardian-remove", {"minor", "guardian"}, "they are no guardian any more"},
    {"list", "citizen guardian-list", {"citizen", NULL}, NULL},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static size_t count_of(const struct verb *verb)
{
    return verb->members[1] ? 2 : 1;
}

/* The references, from the arguments or, for "-", from standard input. */
static enum vault_code read_references(const struct verb *verb, int argc, char **argv, json_t **out,
                                       struct vault_error *err)
{
    const size_t count = count_of(verb);
    if (argc == 1 && strcmp(argv[0], "-") == 0)
        VAULT_TRY(ctl_read_references(out, err));
    else
        *out = argc == 2 ? json_pack("[ss]", argv[0], argv[1]) : json_pack("[s]", argv[0]);
    if (!*out)
        return vault_fail(err, VAULT_INVALID, "a reference is not UTF-8");
    return json_array_size(*out) == count
               ? VAULT_OK
               : vault_fail(err, VAULT_INVALID, "%zu references are needed, a line each", count);
}

static enum vault_code ask(const struct ctl *ctl, const struct verb *verb, const json_t *references,
                           json_t **result, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    buf_format(&request, "{\"command\":\"%s\"", verb->command);
    for (size_t i = 0; i < count_of(verb); i++) {
        buf_format(&request, ",\"%s\":", verb->members[i]);
        json_write_value(&request, json_array_get(references, i));
    }
    buf_byte(&request, '}');
    VAULT_TRY(buf_check(&request, err));
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    return ctl_ask(fd, &request, result, err);
}

static void print_people(const char *what, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        printf("%s\t%s\n", what, json_string_value(json_object_get(one, "reference")));
    }
}

static void print_result(const struct ctl *ctl, const struct verb *verb, const json_t *result)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ANSWER_BYTES_MAX);
    if (ctl->json) {
        json_write_value(&text, result);
        const char *line = buf_string(&text);
        puts(line ? line : "{}");
    } else if (verb->done) {
        puts(verb->done);
    } else {
        print_people("guardian", json_object_get(result, "guardians"));
        print_people("minor", json_object_get(result, "minors"));
    }
}

int ctl_citizen_guardian(const struct ctl *ctl, int argc, char **argv)
{
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *references = NULL;
    VAULT_AUTO(json_free) json_t *result = NULL;
    const struct verb *verb = argc > 2 ? find_verb(argv[1]) : NULL;
    if (!verb || (size_t)argc - 2 > count_of(verb) ||
        ((size_t)argc - 2 < count_of(verb) && strcmp(argv[2], "-") != 0))
        return ctl_usage(USAGE);
    enum vault_code code = read_references(verb, argc - 2, argv + 2, &references, &err);
    if (code == VAULT_OK)
        code = ask(ctl, verb, references, &result, &err);
    if (code)
        return ctl_failed(code, &err);
    print_result(ctl, verb, result);
    return 0;
}
