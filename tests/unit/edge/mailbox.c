#include "mailbox.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"

#define PATIENCE_MS 10000
#define BYTES_MAX   (64U * 1024)

static void become_mailbox(const struct mailbox *mailbox, int in, int out)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execl(MAILBOX, MAILBOX, mailbox->folder, (char *)NULL);
    _exit(127);
}

void mailbox_open(struct mailbox *mailbox)
{
    int in[2];
    int out[2];
    unsigned port = 0;
    *mailbox = (struct mailbox){.folder = "/tmp/mailbox-XXXXXX"};
    assert_non_null(mkdtemp(mailbox->folder));
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    mailbox->pid = fork();
    if (mailbox->pid == 0)
        become_mailbox(mailbox, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    mailbox->until = fdopen(in[1], "w");
    FILE *said = fdopen(out[0], "r");
    assert_int_equal(fscanf(said, "%u", &port), 1); // NOLINT(cert-err34-c)
    fclose(said);
    snprintf(mailbox->relay, sizeof mailbox->relay, "smtp://127.0.0.1:%u", port);
}

void mailbox_close(struct mailbox *mailbox)
{
    fclose(mailbox->until);
    assert_int_equal(waitpid(mailbox->pid, NULL, 0), mailbox->pid);
    assert_done(folder_remove(mailbox->folder, &test_error));
}

static const char *path_of(const struct mailbox *mailbox, const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", mailbox->folder, name);
    return path;
}

void mailbox_refuse(const struct mailbox *mailbox, const char *reply)
{
    unlink(path_of(mailbox, "reply"));
    if (reply)
        assert_done(
            file_create(path_of(mailbox, "reply"), bytes_of_text(reply), 0600, &test_error));
}

static const char *letter_path(const struct mailbox *mailbox, unsigned n, const char *suffix)
{
    char name[32];
    snprintf(name, sizeof name, "%u.%s", n, suffix);
    return path_of(mailbox, name);
}

unsigned mailbox_count(const struct mailbox *mailbox)
{
    unsigned n = 0;
    while (file_exists(letter_path(mailbox, n + 1, "eml")))
        n++;
    return n;
}

void mailbox_read(const struct mailbox *mailbox, unsigned n, struct buf *letter, struct buf *to)
{
    const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (mailbox_count(mailbox) < n && clock_monotonic_ms() < until_ms)
        usleep(5000);
    assert_done(file_read(letter_path(mailbox, n, "eml"), letter, &test_error));
    assert_done(file_read(letter_path(mailbox, n, "to"), to, &test_error));
}

void mailbox_text(const struct mailbox *mailbox, unsigned n, struct buf *text)
{
    VAULT_AUTO(buf_finish) struct buf letter = buf_limited(BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf to = buf_limited(BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf encoded = buf_limited(BYTES_MAX);
    mailbox_read(mailbox, n, &letter, &to);
    const char *body = strstr(buf_string(&letter), "\r\n\r\n");
    assert_non_null(body);
    for (; *body; body++) {
        if (*body != '\r' && *body != '\n')
            buf_byte(&encoded, (uint8_t)*body);
    }
    assert_done(base64_decode(text, buf_view(&encoded), &test_error));
}
