/*
 * pages_typed - what somebody wrote while their session ended.
 *
 * A form that comes too late is not lost: its sign-in page carries what was written along, the
 * answer to a sign-in shows it again, and nothing is done before it is sent once more. The browser
 * keeps it all that while, the vault nothing. Only forms with something to write are treated so
 * (KEEPS_TYPED in pages.c); any other is a click to be made again.
 */
#pragma once

#include "pages_visit.h"

/* Answer a form that came too late: sign in, and then again. */
void typed_ask(struct visit *visit);

/* Whether the sign-in form carries something along; and put it into the page that asks again. */
bool typed_is_there(const struct visit *visit);
void typed_put(struct visit *visit);

/* Show it to whoever is signed in now, to be sent or not. */
void typed_show(struct visit *visit);
