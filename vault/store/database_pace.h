/*
 * database_pace - what SQLite's own files write goes to the disk in small pieces.
 *
 * A write-ahead log gathers megabytes before they are synced and put into their places, and then
 * all of them are under way at once: whoever syncs a few bytes of another file waits behind them
 * for a tenth of a second. The access log does so for each release. So each piece is sent off, and
 * waited for, as soon as it has been written; whoever fills the index of openings is in no hurry.
 *
 * Nothing is durable by this: SQLite syncs what and when it would.
 */
#pragma once

#define DATABASE_PIECE_BYTES (256UL * 1024)

/* From here on, for the whole process. Once, before the first file is opened. */
void database_pace_start(void);
