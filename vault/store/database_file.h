/*
 * database_file - the files of databases that are many, below SQLite.
 *
 * SQLite's own files (os_unix.c) lock with POSIX locks, which belong to the process and not to the
 * open file. So each opening walks the list of all files that the process has open, with all other
 * threads waiting: with a thousand citizens open that took as long as deriving a file's keys and
 * reading its tables. Here a lock is of the open file (F_OFD_SETLK), and there is no list.
 *
 * It is taken on the bytes that SQLite locks, shared from the first read on and alone from the
 * first write on. A connection by SQLite's own files, or another one by these, in this process or
 * elsewhere, finds the file busy just as it would if SQLite had locked it. All else is done as
 * SQLite does it, and journals, names and paths are left to it. There is no write-ahead log.
 */
#pragma once

#define DATABASE_FILE_VFS "vault-many"

/* Make it known to SQLite, once per process. */
void database_file_start(void);
