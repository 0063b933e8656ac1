#include <stdio.h>

#include "ctl.h"
#include "vault/base/file.h"

int ctl_reload(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    size_t i;
    const json_t *name;
    struct vault_error err;
    const struct ctl_member none[] = {{NULL, NULL}};
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("reload takes no arguments");
    enum vault_code code = ctl_connect(ctl, &fd, &err);
    if (code == VAULT_OK)
        code = ctl_ask_texts(fd, "reload", none, &result, &err);
    if (code)
        return ctl_failed(code, &err);
    const json_t *changed = json_object_get(result, "changed");
    if (ctl->json) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(1024);
        json_write_value(&text, result);
        printf("%s\n", buf_string(&text));
        return 0;
    }
    if (json_array_size(changed) == 0)
        puts("Nothing has changed.");
    json_array_foreach(changed, i, name)
        printf("%s: new certificates are in force.\n", json_string_value(name));
    return 0;
}
