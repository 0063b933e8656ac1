/* The operator's command that makes another policy decide. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_parts.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"
#include "vault/base/log.h"
#include "vault/policy/policy.h"
#include "vault/vault/active_policy.h"

/* What changed, as "1 gains, 0 loses…" for the program's log: counts, nothing of anybody. */
static void log_activation(const struct policy_activation *activation)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1024);
    const struct policy_passed *passed = &activation->passed;
    if (activation->was_damaged)
        buf_text(&text, "not compared, the one before is damaged");
    else if (!passed->compared)
        buf_text(&text, "the first one");
    for (size_t kind = 0; passed->compared && kind < POLICY_CHANGE_KINDS; kind++)
        buf_format(&text, "%s%zu %s", kind ? ", " : "", passed->changes[kind],
                   policy_change_name((enum policy_change_kind)kind));
    if (passed->besides)
        buf_format(&text, ", %zu besides", passed->besides);
    const char *words = buf_string(&text);
    log_event(LOG_INFO, "policy", "version %llu decides: %s%s",
              (unsigned long long)activation->version, words ? words : "",
              passed->widens ? "; wider than before" : "");
}

static void write_activation(const struct policy_activation *activation, struct buf *out)
{
    const struct policy_passed *passed = &activation->passed;
    buf_format(out, "{\"version\":%llu,\"compared\":%s,", (unsigned long long)activation->version,
               passed->compared ? "true" : "false");
    if (!passed->compared)
        buf_format(out, "\"why\":\"%s\",", activation->was_damaged ? "damaged" : "first");
    buf_format(out, "\"widens\":%s,\"changes\":{", passed->widens ? "true" : "false");
    for (size_t kind = 0; kind < POLICY_CHANGE_KINDS; kind++)
        buf_format(out, "%s\"%s\":%zu", kind ? "," : "",
                   policy_change_name((enum policy_change_kind)kind), passed->changes[kind]);
    buf_format(out, ",\"besides\":%zu},\"diff\":", passed->besides);
    json_write_string(out, bytes_of_text(activation->diff_path));
    buf_byte(out, '}');
}

/* --- A bundle that was handed over ---------------------------------------------------------- */

#define INCOMING       "incoming" /* in the vault's folder */
#define COPY_BYTES     (64U * 1024)
#define FILE_BYTES_MAX POLICY_FILE_BYTES_MAX

static enum vault_code copy_part(int from, const char *path, uint64_t size, struct vault_error *err)
{
    uint8_t chunk[COPY_BYTES];
    VAULT_AUTO(file_close)
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0)
        return vault_fail_errno(err, "making %s", path);
    while (size > 0) {
        const ssize_t got = read(from, chunk, size < sizeof chunk ? (size_t)size : sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return vault_fail(err, VAULT_INVALID, "the bundle was handed over cut short");
        VAULT_TRY(file_write_all(to, (struct bytes){chunk, (size_t)got}, err));
        size -= (uint64_t)got;
    }
    return VAULT_OK;
}

static enum vault_code take_file(const json_t *item, int from, const char *folder,
                                 struct vault_error *err)
{
    char path[PATH_MAX];
    const char *name = json_string_value(json_object_get(item, "name"));
    const json_int_t size = json_integer_value(json_object_get(item, "bytes"));
    if (!name || !folder_name_is_safe(name) || size < 0 || (uint64_t)size > FILE_BYTES_MAX)
        return vault_fail(err, VAULT_INVALID, "files is a list of names and sizes");
    VAULT_TRY(folder_create_for(folder, name, err));
    VAULT_TRY(file_join(path, sizeof path, folder, name, err));
    return copy_part(from, path, (uint64_t)size, err);
}

static enum vault_code take_files(const json_t *files, int from, const char *folder,
                                  struct vault_error *err)
{
    struct stat status;
    if (fstat(from, &status) != 0 || !S_ISREG(status.st_mode) || lseek(from, 0, SEEK_SET) != 0)
        return vault_fail(err, VAULT_INVALID, "what was handed over is no file");
    if (json_array_size(files) > POLICY_FILES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "a bundle has at most %d files", POLICY_FILES_MAX);
    VAULT_TRY(folder_remove(folder, err));
    VAULT_TRY(folder_create(folder, err));
    for (size_t i = 0; i < json_array_size(files); i++)
        VAULT_TRY(take_file(json_array_get(files, i), from, folder, err));
    return VAULT_OK;
}

/* One at a time: there is one folder for what comes in. */
static enum vault_code activate_handed_over(const struct command_call *call, const json_t *files,
                                            struct policy_activation *out)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    char folder[PATH_MAX];
    VAULT_TRY(file_join(folder, sizeof folder, call->context->config->data, INCOMING, call->err));
    pthread_mutex_lock(&one);
    enum vault_code code = take_files(files, *call->given, folder, call->err);
    if (code == VAULT_OK)
        code = active_policy_replace(call->vault, folder, out, call->err);
    (void)!folder_remove(folder, NULL);
    pthread_mutex_unlock(&one);
    return code;
}

enum vault_code admin_run_policy_activate(const struct command_call *call)
{
    const char *folder;
    struct policy_activation activation;
    VAULT_TRY(admin_text_of(call, "folder", &folder));
    const json_t *files = json_object_get(call->request, "files");
    if (files && *call->given >= 0)
        VAULT_TRY(activate_handed_over(call, files, &activation));
    else
        VAULT_TRY(active_policy_replace(call->vault, folder, &activation, call->err));
    log_activation(&activation);
    write_activation(&activation, call->result);
    return VAULT_OK;
}
