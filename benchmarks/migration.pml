/* A migration under load, small enough for Spin: the scenario "3 commands, QD 3" of nvmelm_lab.races.

   Five LBAs that hold data, a guest that keeps three commands under way (write 0, write 2, deallocate 0), and a VMM
   that starts logging, copies all LBAs in chunks of two, two at a time, copies what one look at the queue tells,
   pauses the VM, suspends the controller, copies what is told up to the marker, and resumes at the destination.

   A command is fetched, executed, told of and completed in steps of its own.  Left out, against the kit: rings and
   doorbells, the admin queue, memory and controller state, interrupts, and that slots can be written over.

   -DCOMMANDS=2 makes the guest stop behind its second command.  -DNO_LAST_DRAIN leaves out the copy of what is told
   up to the marker, and then a write can be lost. */

#define LBAS 5
#ifndef COMMANDS
#define COMMANDS 3
#endif
#define LANES 2
#define MARKER 255

byte there[LBAS], here[LBAS];   /* versions at the source and at the destination; 0: deallocated */
byte wanted[LBAS];              /* what was executed last, wherever that was */
byte submitted, fetched, under_way, done;
bool logging, paused, suspended, resumed;

chan entries = [8] of { byte };          /* the User Data Migration Queue: an LBA, or the marker */
chan work = [LBAS] of { byte, byte };    /* copies to be made: first LBA, how many */
chan copied = [LBAS] of { bit };

inline lba_of(number, lba) {
    if
    :: number == 1 -> lba = 2
    :: else -> lba = 0
    fi
}

inline version_of(number, version) {
    if
    :: number == 2 -> version = 0
    :: else -> version = 10 + number
    fi
}

/* One command, from its fetch to its completion, at whichever controller runs. */
proctype command(byte number) {
    byte lba, version;
    bool is_told, is_moved;
    d_step { lba_of(number, lba); version_of(number, version) }
    atomic {                                             /* the source or the destination fetches, in order */
        (fetched == number && submitted > number && (!suspended || resumed));
        fetched++;
        under_way++;
        is_moved = resumed
    }
    d_step {                                             /* execute */
        if
        :: is_moved -> here[lba] = version
        :: else -> there[lba] = version; is_told = logging
        fi;
        wanted[lba] = version
    }
    if
    :: is_told -> entries!lba                            /* the entry */
    :: else
    fi;
    atomic { under_way--; done++ }                       /* the completion */
}

proctype guest() {
    do
    :: atomic { submitted < COMMANDS && !paused -> submitted++ }
    :: submitted == COMMANDS -> break
    od
}

/* One lane of copies: a Read at the source, a Write at the destination. */
proctype lane() {
    byte first, count, n;
    byte data[2];
end:
    do
    :: work?first, count ->
        d_step { n = 0; do :: n < count -> data[n] = there[first + n]; n++ :: else -> break od };
        d_step { n = 0; do :: n < count -> here[first + n] = data[n]; n++ :: else -> break od };
        d_step { n = 0; first = 0; count = 0; data[0] = 0; data[1] = 0 };
        copied!1
    od
}

inline wait_for_copies() {
    do
    :: outstanding > 0 -> copied?_; outstanding--
    :: else -> break
    od
}

inline copy_changed() {
    lba = 0;
    do
    :: lba < LBAS ->
        if
        :: changed & (1 << lba) -> work!lba, 1; outstanding++
        :: else
        fi;
        lba++
    :: else -> break
    od;
    changed = 0;
    wait_for_copies()
}

proctype vmm() {
    byte lba, outstanding, changed;
    xr entries; xr copied; xs work;
    logging = true;                                      /* Track Send */
    work!0, 2; work!2, 2; work!4, 1;                     /* the baseline */
    outstanding = 3;
    wait_for_copies();
    do                                                   /* one round */
    :: atomic { nempty(entries) -> entries?lba; changed = changed | (1 << lba) }
    :: empty(entries) -> break
    od;
    copy_changed();
    paused = true;                                       /* the VM stands still */
    suspended = true;                                    /* Suspend: nothing more is fetched ... */
    atomic { under_way == 0 -> entries!MARKER };         /* ... and it completes behind what was */
#ifndef NO_LAST_DRAIN
    do
    :: atomic {
        entries?lba ->
        if
        :: lba == MARKER -> break
        :: else -> changed = changed | (1 << lba)
        fi }
    od;
    copy_changed();
#endif
    resumed = true;
    paused = false;
    done == COMMANDS;
    lba = 0;                                             /* judge what Reads at the destination return */
    d_step {
        do
        :: lba < LBAS -> assert(here[lba] == wanted[lba]); lba++
        :: else -> break
        od
    }
}

init {
    byte n;
    atomic {
        do
        :: n < LBAS -> there[n] = 1; wanted[n] = 1; n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < COMMANDS -> run command(n); n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < LANES -> run lane(); n++
        :: else -> break
        od;
        run guest();
        run vmm()
    }
}
