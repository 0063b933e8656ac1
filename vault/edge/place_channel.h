/*
 * place_channel - a backup's place (vault/backup_place.h) at the other end of a socket.
 *
 * vaultd makes the backup, and its sandbox lets it write nowhere but in the vault's own folder;
 * vaultctl has the folder that the operator named. vaultctl makes a pair of sockets, hands one to
 * vaultd with the command, and serves the other: it makes each file that is asked for and hands
 * back its descriptor. So a vaultd that was taken over can write outside only while an operator
 * makes a backup, and only there.
 *
 * Each question and each answer is one datagram of a SOCK_SEQPACKET: a letter or a code, then a
 * name or words. An end that is gone or silent (PLACE_CHANNEL_WAIT_S; for finishing, which waits
 * for the disk, PLACE_CHANNEL_FINISH_S) is VAULT_UNAVAILABLE.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/vault/backup_place.h"

#define PLACE_CHANNEL_WAIT_S   30
#define PLACE_CHANNEL_FINISH_S 600

/* The end that asks; it takes the descriptor over, and lets go of it at close(). */
enum vault_code place_channel_new(int *fd, struct backup_place *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The end that serves, until the other is closed. What was begun and neither finished nor given up
 * by then stays, for the next backup to remove. */
void place_channel_serve(int fd, const struct backup_place *place);
