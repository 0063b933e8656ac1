/* Room, clock, and what the kernel lets a process have. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "doctor_parts.h"
#include "vault/base/file.h"
#include "vault/crypto/secret.h"

#define MIB              (1024ULL * 1024)
#define ROOM_NONE        (256 * MIB)  /* less, and the log may stop today */
#define ROOM_SHORT       (2048 * MIB) /* less, and of the disk less than a twentieth */
#define FILES_SHORT      10000ULL
#define LOCKED_EACH      (14ULL * 1024) /* that SQLCipher locks for an open file */
#define DESCRIPTORS_EACH 2ULL
#define DESCRIPTORS_REST 512ULL /* connections, listeners, the log */
#define CAP_IPC_LOCK_BIT 14

void doctor_judge_room(const struct doctor_room *room, const char *where, const struct checkup *out)
{
    const unsigned long long free_mib = (unsigned long long)(room->free_bytes / MIB);
    if (room->free_bytes < ROOM_NONE)
        checkup_tell(out, CHECKUP_ERROR,
                     "the disk of %s has %llu MiB left: when the log cannot grow, nothing is "
                     "released; make room",
                     where, free_mib);
    else if (room->free_bytes < ROOM_SHORT && room->free_bytes < room->total_bytes / 20)
        checkup_tell(out, CHECKUP_WARNING, "the disk of %s has %llu MiB left: make room", where,
                     free_mib);
    if (room->free_files < FILES_SHORT)
        checkup_tell(out, CHECKUP_WARNING,
                     "the disk of %s has room for %llu more files, and every citizen is one", where,
                     (unsigned long long)room->free_files);
}

static void check_disk(const char *path, const struct checkup *out)
{
    struct statvfs disk;
    if (!path[0] || statvfs(path, &disk) != 0)
        return; /* that it is not there is told by others */
    const struct doctor_room room = {
        .free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize,
        .total_bytes = (uint64_t)disk.f_blocks * disk.f_frsize,
        .free_files = disk.f_files ? disk.f_favail : UINT64_MAX,
    };
    doctor_judge_room(&room, path, out);
}

void doctor_check_room(const struct doctor *doctor, const struct checkup *out)
{
    char log[PATH_MAX];
    struct stat data_disk;
    struct stat log_disk;
    check_disk(doctor->config->data, out);
    if (file_join(log, sizeof log, doctor->config->data, "log", NULL) == VAULT_OK &&
        stat(doctor->config->data, &data_disk) == 0 && stat(log, &log_disk) == 0 &&
        data_disk.st_dev != log_disk.st_dev)
        check_disk(log, out);
    check_disk(doctor->config->log.keep, out);
}

void doctor_judge_clock(const struct doctor_clock *clock, const struct checkup *out)
{
    if (clock->now_s < clock->config_written_s)
        checkup_tell(out, CHECKUP_ERROR,
                     "the clock is before the time at which the configuration was written: set it "
                     "right");
    if (!clock->is_synchronised)
        checkup_tell(out, CHECKUP_NOTICE,
                     "the kernel does not know of a time service that keeps the clock: consents "
                     "end by it, and witnesses refuse times that are off");
}

void doctor_check_clock(const struct doctor *doctor, const struct checkup *out)
{
    struct timex state = {.modes = 0};
    struct stat status = {0};
    const int answer = adjtimex(&state);
    if (stat(doctor->config_path, &status) != 0)
        status.st_mtime = 0;
    const struct doctor_clock clock = {
        .now_s = doctor->now_s,
        .config_written_s = status.st_mtime,
        .is_synchronised = answer < 0 || (answer != TIME_ERROR && !(state.status & STA_UNSYNC)),
    };
    doctor_judge_clock(&clock, out);
}

void doctor_judge_mail(const struct mailer_figures *figures, const struct checkup *out)
{
    const uint64_t sent = figures->codes_sent + figures->messages_sent;
    if (figures->failures_in_a_row)
        checkup_tell(out, CHECKUP_WARNING,
                     "the last %llu letters could not be sent, and %llu codes wait: look at mail.* "
                     "of the configuration and at the relay; the program's log says why",
                     (unsigned long long)figures->failures_in_a_row,
                     (unsigned long long)figures->waiting);
    if (figures->refused > sent)
        checkup_tell(out, CHECKUP_WARNING,
                     "the mail relay refused %llu letters for good and took %llu: see whether it "
                     "lets this machine send from mail.from",
                     (unsigned long long)figures->refused, (unsigned long long)sent);
}

/* Whether the process may lock whatever it likes: of its effective capabilities (proc(5)). */
static bool may_lock_all(void)
{
    char line[128];
    unsigned long long capabilities = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status)) {
        if (sscanf(line, "CapEff: %llx", &capabilities) == 1) // NOLINT(cert-err34-c)
            break;
    }
    if (status)
        fclose(status);
    return capabilities >> CAP_IPC_LOCK_BIT & 1;
}

static bool has_swap(void)
{
    char line[256];
    int lines = 0;
    FILE *swaps = fopen("/proc/swaps", "re");
    while (swaps && lines < 2 && fgets(line, sizeof line, swaps))
        lines++;
    if (swaps)
        fclose(swaps);
    return lines > 1; /* the first is the table's head */
}

static uint64_t limit_of(__rlimit_resource_t resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

struct doctor_limits doctor_limits_here(void)
{
    return (struct doctor_limits){
        .locked_bytes = may_lock_all() ? UINT64_MAX : limit_of(RLIMIT_MEMLOCK),
        .descriptors = limit_of(RLIMIT_NOFILE),
        .has_swap = has_swap(),
    };
}

void doctor_judge_limits(const struct doctor_limits *limits, const struct config *config,
                         const struct checkup *out)
{
    const uint64_t citizens = (uint64_t)config->open_citizens;
    const uint64_t locked = SECRET_HEAP_BYTES + citizens * LOCKED_EACH;
    const uint64_t descriptors = citizens * DESCRIPTORS_EACH + DESCRIPTORS_REST;
    if (limits->locked_bytes < locked)
        checkup_tell(out, limits->has_swap ? CHECKUP_ERROR : CHECKUP_WARNING,
                     "vaultd may lock %llu KiB of memory and needs %llu for %llu open citizens: "
                     "keys%s; LimitMEMLOCK=infinity, or ulimit -l",
                     (unsigned long long)(limits->locked_bytes / 1024),
                     (unsigned long long)(locked / 1024), (unsigned long long)citizens,
                     limits->has_swap ? " and values may be written to swap"
                                      : " are not held fast");
    else if (config->allow_swap && limits->has_swap)
        checkup_tell(out, CHECKUP_WARNING,
                     "allow_swap is set and there is swap, so that keys may be written to it if "
                     "memory cannot be locked: take allow_swap out, now that it can");
    if (limits->descriptors < descriptors)
        checkup_tell(out, CHECKUP_WARNING,
                     "vaultd may have %llu files open and needs %llu for %llu open citizens: "
                     "LimitNOFILE, or ulimit -n",
                     (unsigned long long)limits->descriptors, (unsigned long long)descriptors,
                     (unsigned long long)citizens);
}
