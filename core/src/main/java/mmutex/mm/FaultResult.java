package mmutex.mm;

/** What a fault came to: {@code vm_fault_t} (6.12), one bit each so that a result stays an int on the hot path. */
public final class FaultResult {
    /** Done, or: look again. */
    public static final int DONE = 0;
    /** The mmap or VMA lock has been dropped; start over. */
    public static final int RETRY = 1;
    /** Out of frames. */
    public static final int OOM = 1 << 1;

    public static final int SIGBUS = 1 << 2;
    public static final int SIGSEGV = 1 << 3;
    public static final int HWPOISON = 1 << 4;
    /** The access had to wait for something slow. */
    public static final int MAJOR = 1 << 5;
    /** A user fault handler must resolve it, and can't be reached from here. */
    public static final int USER_FAULT = 1 << 6;

    /** The huge page can't be had or handled whole; small pages will do. Never leaves the fault handler. */
    public static final int FALLBACK = 1 << 7;

    /** Any failure. */
    public static final int ERROR = OOM | SIGBUS | SIGSEGV | HWPOISON | USER_FAULT;

    private FaultResult() {}
}
