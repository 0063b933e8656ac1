/*
 * evaluation - whether a field would be released, without releasing it.
 *
 * The decision is the release's own (release.h): the same policy, circumstances, consent and
 * objection, taken while the citizen is held. No value of the field is read and no use of a consent
 * is spent, so that "allowed" says that a release now would not be refused, and not that there is a
 * value to release.
 *
 * A service learns by it how a citizen decided, and that there is such a citizen at all where the
 * basis is another than consent. So it is an access like any other: the citizen's log has it, as a
 * denial with the field and why, or "evaluated", before the service is told. An unknown subject, an
 * erased citizen and one who refused are answered alike, by the same steps.
 */
#pragma once

#include "vault/vault/release.h"

/*
 * Decide and put the entry into the log's queue; the request has one field, and neither a key to be
 * repeated by nor a wish for a proof. *allowed must not leave before evaluation_complete(). The
 * codes and faults are release_enter()'s.
 */
enum vault_code evaluation_enter(struct vault *vault, const struct service *service,
                                 const struct release_request *request, bool *allowed,
                                 struct ledger_ticket *ticket, enum release_fault *fault,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* The entry is on disk. VAULT_UNAVAILABLE, VAULT_IO: it is not, and nothing is told. */
enum vault_code evaluation_complete(struct vault *vault, const struct ledger_ticket *ticket,
                                    struct vault_error *err) VAULT_MUST_CHECK;
