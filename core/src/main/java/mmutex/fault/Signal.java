package mmutex.fault;

/** How an access of a CPU ended. */
public enum Signal {
    /** It was performed, or may be tried again. */
    NONE,
    /** SIGSEGV, SEGV_MAPERR: no VMA there. */
    SEGV_MAPERR,
    /** SIGSEGV, SEGV_ACCERR: the VMA forbids it. */
    SEGV_ACCERR,
    /** SIGBUS, BUS_ADRERR: nothing behind the mapping. */
    BUS_ADRERR,
    /** SIGBUS, BUS_MCEERR_AR: poisoned. */
    BUS_MCEERR_AR,
    /** Out of memory: the emulated kernel found no frame and nothing to kill but the caller. */
    OUT_OF_MEMORY,
    /** A fatal signal was pending. */
    KILLED
}
