/*
 * vaultctl policy activate: the bundle is read here, where its folder can be opened, and handed
 * over to the daemon, whose sandbox ends at its own folder.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctl.h"
#include "options.h"
#include "vault/base/file.h"
#include "vault/policy/bundle.h"

#define REQUEST_BYTES_MAX (1024U * 1024)

static void print_json(const json_t *result)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(REQUEST_BYTES_MAX);
    json_write_value(&text, result);
    printf("%s\n", buf_string(&text));
}

/* The counts of a result by name, "1 gains, 0 loses…". */
static void print_changes(const json_t *changes)
{
    static const char *const kinds[] = {"gains",    "loses",       "weaker",
                                        "stricter", "obligations", "besides"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        printf("%s%lld %s", i ? ", " : "",
               (long long)json_integer_value(json_object_get(changes, kinds[i])), kinds[i]);
    printf("\n");
}

static void print_activation(const json_t *result)
{
    const char *why = json_string_value(json_object_get(result, "why"));
    printf("active: version %lld%s\n",
           (long long)json_integer_value(json_object_get(result, "version")),
           json_is_true(json_object_get(result, "widens")) ? ", wider than before" : "");
    if (json_is_true(json_object_get(result, "compared")))
        print_changes(json_object_get(result, "changes"));
    else
        printf("nothing to compare it with: %s\n", why && strcmp(why, "damaged") == 0
                                                       ? "the one that was active is damaged"
                                                       : "it is the first one");
    printf("recorded in %s\n", json_string_value(json_object_get(result, "diff")));
}

/* The bundle's files into one that has no name, one after the other; the request says where one
 * ends: ,"files":[{"name":"rules/plie.json","bytes":812},…] */
static enum vault_code gather(const char *folder, struct buf *request, int *out,
                              struct vault_error *err)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    VAULT_AUTO(file_close) int fd = memfd_create("bundle", MFD_CLOEXEC);
    if (fd < 0)
        return vault_fail_errno(err, "making room for the bundle");
    VAULT_TRY(bundle_read(folder, &bundle, NULL, err));
    struct bytes content;
    const char *name;
    buf_text(request, ",\"files\":[");
    for (size_t i = 0; (name = bundle_file(bundle, i, &content)); i++) {
        buf_text(request, i ? ",{\"name\":" : "{\"name\":");
        json_write_string(request, bytes_of_text(name));
        buf_format(request, ",\"bytes\":%zu}", content.size);
        VAULT_TRY(file_write_all(fd, content, err));
    }
    buf_byte(request, ']');
    *out = fd;
    fd = -1;
    return VAULT_OK;
}

static enum vault_code activate(const struct ctl *ctl, const char *folder, json_t **result,
                                struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(file_close) int files = -1;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    VAULT_TRY(program_start(true, err)); /* what is hashed is public */
    buf_text(&request, "{\"command\":\"policy activate\",\"folder\":");
    json_write_string(&request, bytes_of_text(folder));
    VAULT_TRY(gather(folder, &request, &files, err));
    buf_byte(&request, '}');
    return ctl_ask_with(fd, &request, files, result, err);
}

int ctl_policy_activate(const struct ctl *ctl, int argc, char **argv)
{
    char folder[PATH_MAX];
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 2)
        return ctl_usage("policy activate takes DIR");
    if (!realpath(argv[1], folder)) {
        vault_fail_errno(&err, "%s", argv[1]);
        return ctl_failed(VAULT_IO, &err);
    }
    const enum vault_code code = activate(ctl, folder, &result, &err);
    if (code)
        return ctl_failed(code, &err);
    if (ctl->json)
        print_json(result);
    else
        print_activation(result);
    return 0;
}
