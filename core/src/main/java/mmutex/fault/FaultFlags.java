package mmutex.fault;

/** How a fault may behave: {@code enum fault_flag} (6.12). */
public final class FaultFlags {
    /** The access writes. */
    public static final int WRITE = 1;
    /** The fault may drop its lock and ask to be started over. */
    public static final int ALLOW_RETRY = 1 << 1;
    /** It has been started over once. */
    public static final int TRIED = 1 << 2;
    /** Waits may be ended by a fatal signal. */
    public static final int KILLABLE = 1 << 3;
    /** The per-VMA lock is held, not the mmap lock. */
    public static final int VMA_LOCK = 1 << 4;
    /** On behalf of another task: no user fault handler is reached. */
    public static final int REMOTE = 1 << 5;
    /** The page is to become this process's own although nobody writes: a read-only pin. */
    public static final int UNSHARE = 1 << 6;

    private FaultFlags() {}

    static boolean isFirstRetry(final int flags) {
        return (flags & (ALLOW_RETRY | TRIED)) == ALLOW_RETRY;
    }
}
