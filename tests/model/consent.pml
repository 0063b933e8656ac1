/*
 * The life of one consent between a citizen, two services' requests and crashes, as the vault floor
 * has it: everything is decided while the citizen is held; a record is stored before its entry is
 * put into the log's queue; the queue becomes durable later, in order; nothing is answered before
 * its entry is durable; a crash loses what was in memory and in the queue, and whoever holds the
 * citizen next first enters the records that have no entry.
 *
 *   - no release after a withdrawal's entry, in the order of the log
 *   - none at all once a withdrawal was acknowledged
 *   - no more releases than uses
 *   - none while everything is paused
 *   - none before both agreed, where a minor under 15 and a guardian must
 *   - no state without an exit (no invalid end state: spin's own check)
 *
 * tests/model/run checks it, and that each law is broken by a vault that lacks what keeps it: with
 * NO_LOCK requests are decided beside the citizen's lock, with EARLY_ANSWER a withdrawal is
 * acknowledged before it is stored, with NO_OUTBOX a record without an entry is forgotten, with
 * USE_AFTER a use is counted after the answer, with NO_PAUSE the door does not look whether
 * everything is paused.
 *
 * With REMOVAL the city removes the service at any time; the first who holds the citizen after that
 * ends what was given to it, so that
 *
 *   - nothing is released by who holds the citizen after the removal
 *
 * and with NO_CASCADE nobody does. With BOTH the citizen is a minor under 15, of whom a guardian is
 * the other half (half.h on the vault floor), and with ONE_HALF the first of two who agree makes a
 * consent.
 */
#define USES 2
#define ASKS 2 /* of each service's requests */
#ifdef REMOVAL
#define CHANGES 2 /* things that the citizen does */
#define CRASHES 1
#else
#define CHANGES 4
#define CRASHES 2
#endif

mtype = { NONE, GIVEN, WITHDRAWN, SUSPENDED };

/* What is on disk: the newest record, whether it has its entry, the uses, the pause. */
mtype record = NONE;
bool entered = true;         /* it has its entry, in the queue or on disk */
bool entered_durable = true; /* on disk, which is what counts after a crash */
byte used = 0;
bool paused = false;

/* The log, as far as the laws need it: whether the last entry about this consent lets a release
 * follow it; in the queue, and durable. */
bool open_queued = false;
bool open_durable = false;
byte queued = 0; /* entries that are not durable */
byte epoch = 0;  /* of the process: a crash begins another */

bool held = false;         /* the citizen's lock, in memory */
bool acknowledged = false; /* a withdrawal was, and nothing was given since */
byte released = 0;         /* on this consent */

/* Halves, as records on disk: who has agreed and waits for the other. And what the laws need: both
 * agreed to what is given now. */
bool half_minor = false;
bool half_guardian = false;
bool both_agreed = false;
byte crashes = 0;
byte done = 0;

#ifdef NO_LOCK
#define HOLD(mine) skip
#define LET_GO     skip
#else
#define HOLD(mine) atomic { !held -> held = true; mine = epoch }
#define LET_GO     held = false
#endif

/* What a record means for releases that come after its entry. */
inline enter(state) {
    open_queued = (state == GIVEN);
    queued++
}

#ifdef REMOVAL
bool removed = false; /* on disk */

active proctype city() {
    removed = true
}
#endif

/* What was given to a service that is gone ends, with its entry. */
inline follow_services() {
#ifdef REMOVAL
#ifndef NO_CASCADE
    if
    :: removed && (record == GIVEN || record == SUSPENDED) ->
        record = WITHDRAWN;
        entered_durable = false;
        enter(WITHDRAWN)
    :: else
    fi
#endif
#endif
    skip
}

/* The first thing that is done with a citizen who is held. */
inline catch_up() {
#ifndef NO_OUTBOX
    if
    :: !entered -> enter(record); entered = true
    :: else
    fi;
#else
    entered = true;
#endif
    follow_services()
}

/* Until all that is queued is durable; or the process is another one by then. */
#define DURABLE(mine) (queued == 0 || epoch != mine)

active proctype disk() {
end:
    do
    :: atomic {
           queued > 0 ->
           queued = 0;
           open_durable = open_queued;
           entered_durable = entered
       }
    :: atomic { done == 3 && queued == 0 -> break }
    od
}

active proctype crash() {
end:
    do
    :: atomic {
           crashes < CRASHES ->
           crashes++;
           epoch++;
           queued = 0;
           open_queued = open_durable;
           entered = entered_durable;
           held = false
       }
    :: done == 3 -> break
    od
}

/* One change: the record, then the entry, then the wait, then the answer. Whoever finds that the
 * process has died on the way leaves it there. */
inline change(state) {
    if
    :: atomic {
           epoch == mine ->
           record = state;
           if
           :: state == GIVEN && fresh ->
               used = 0;
               released = 0;
               acknowledged = false;
               both_agreed = agreed;
               half_minor = false;
               half_guardian = false
           :: else
           fi;
           entered = false;
           entered_durable = false
       }
    :: epoch != mine
    fi;
    if
    :: atomic { epoch == mine && !entered -> enter(state); entered = true }
    :: epoch != mine || entered
    fi
}

/* A half is a record of its own: it changes nothing that a release looks at. The consent's record
 * ends the halves that it came from. */
inline agree(mine_half, other_half) {
    if
    :: atomic {
           epoch == mine ->
           agreed = other_half;
#ifdef ONE_HALF
           fresh = true
#else
           fresh = other_half;
           if
           :: !other_half -> mine_half = true
           :: else
           fi
#endif
       }
    :: epoch != mine
    fi;
    if
    :: fresh -> change(GIVEN)
    :: else
    fi
}

active proctype citizen() {
    byte mine;
    byte i = 0;
    bool withdraws;
    bool fresh;
    bool agreed;
    do
    :: i < CHANGES ->
        i++;
        withdraws = false;
        fresh = false;
        agreed = false;
        HOLD(mine);
        if
        :: atomic { epoch == mine -> catch_up() }
        :: epoch != mine
        fi;
        if
        :: epoch != mine || record == NONE && paused || record == WITHDRAWN && paused -> skip
#ifdef BOTH
        /* One of the two agrees; which, is chosen. The second makes it a consent. */
        :: epoch == mine && record != GIVEN && record != SUSPENDED && !paused ->
            if
            :: true -> agree(half_minor, half_guardian)
            :: true -> agree(half_guardian, half_minor)
            fi
        /* Either takes back what waits. */
        :: atomic {
               epoch == mine && (half_minor || half_guardian) ->
               half_minor = false;
               half_guardian = false
           }
#else
        :: epoch == mine && record != GIVEN && record != SUSPENDED && !paused ->
            fresh = true;
            change(GIVEN)
#endif
        :: epoch == mine && (record == GIVEN || record == SUSPENDED) ->
            withdraws = true;
#ifdef EARLY_ANSWER
            acknowledged = true; /* before anything is stored */
#endif
            change(WITHDRAWN) /* by either, alone */
        :: epoch == mine && record == GIVEN -> change(SUSPENDED)
        :: epoch == mine && record == SUSPENDED && !paused -> change(GIVEN)
        :: atomic { epoch == mine && !paused -> paused = true }
        :: atomic { epoch == mine && paused -> paused = false }
        fi;
        if
        :: atomic { epoch == mine -> LET_GO }
        :: epoch != mine
        fi;
        DURABLE(mine);
        if
        :: atomic { epoch == mine && withdraws && record == WITHDRAWN -> acknowledged = true }
        :: else
        fi
    :: i == CHANGES -> break
    od;
    done++
}

active [2] proctype service() {
    byte mine;
    byte i = 0;
    bool may;
#ifdef REMOVAL
    bool gone;
#endif
    do
    :: i < ASKS ->
        i++;
        may = false;
        HOLD(mine);
#ifdef NO_LOCK
        mine = epoch;
#endif
        if
#ifdef REMOVAL
        :: atomic { epoch == mine -> catch_up(); gone = removed }
#else
        :: atomic { epoch == mine -> catch_up() }
#endif
        :: epoch != mine
        fi;
        /* Decide. */
        atomic {
            if
#ifdef NO_PAUSE
            :: epoch == mine && record == GIVEN && used < USES -> may = true
#else
            :: epoch == mine && record == GIVEN && used < USES && !paused -> may = true
#endif
            :: else
            fi
        }
        /* Count the use on disk, then enter the release. */
#ifndef USE_AFTER
        if
        :: atomic { may && epoch == mine -> used++ }
        :: !may
        :: may && epoch != mine -> may = false
        fi;
#endif
        if
        :: atomic {
               may && epoch == mine ->
               assert(open_queued);      /* not after a withdrawal's entry */
               assert(!acknowledged);    /* not after it was acknowledged */
               assert(!paused);
#ifdef REMOVAL
               assert(!gone);
#endif
#ifdef BOTH
               assert(both_agreed);      /* not on half an agreement */
#endif
               released++;
               assert(released <= USES);
               queued++
           }
        :: !may
        :: may && epoch != mine -> may = false
        fi;
        if
        :: atomic { epoch == mine -> LET_GO }
        :: epoch != mine
        fi;
        DURABLE(mine);
#ifdef USE_AFTER
        if
        :: atomic { may && epoch == mine -> used++ }
        :: else
        fi
#endif
    :: i == ASKS -> break
    od;
    done++
}
