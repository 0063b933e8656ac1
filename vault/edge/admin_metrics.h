/*
 * admin_metrics - the figures over the admin socket, as a command and as HTTP; for admin.c.
 */
#pragma once

#include "admin_line.h"
#include "vault/edge/admin.h"

/* Whether a first line begins a request of HTTP. */
bool admin_is_http(struct bytes line);

/* Read the rest of it and answer it; the connection is to be closed then. */
void admin_answer_http(const struct admin_context *context, struct admin_reader *reader,
                       struct bytes line);
