/*
 * mailbox - the receiving side of SMTP, tests/support/mailbox, run by a test.
 */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "vault/base/buf.h"

struct mailbox {
    char folder[64];
    char relay[64]; /* smtp://127.0.0.1:PORT */
    pid_t pid;
    FILE *until; /* it ends with this */
};

void mailbox_open(struct mailbox *mailbox);
void mailbox_close(struct mailbox *mailbox);

/* Answer every recipient so from now on; NULL: take letters again. */
void mailbox_refuse(const struct mailbox *mailbox, const char *reply);

/* Wait for the n-th letter, from 1 on, and read it as it came, and who it is from and to. */
void mailbox_read(const struct mailbox *mailbox, unsigned n, struct buf *letter, struct buf *to);

/* How many there are. */
unsigned mailbox_count(const struct mailbox *mailbox);

/* The n-th letter's text, decoded. */
void mailbox_text(const struct mailbox *mailbox, unsigned n, struct buf *text);
