package mmutex.notify;

/**
 * The argument of a span: which bytes, why, for whom. Reused by its holder.
 *
 * <p>{@link #init} leaves the owner as it was, as the kernel's does: a callback may look at the owner only after it has
 * matched the event. Kernel counterpart: {@code struct mmu_notifier_range} (6.12).
 */
public final class NotifierRange {
    /** The null owner. */
    public static final long NO_OWNER = 0;

    private long start;
    private long end;
    private NotifierEvent event;
    private long owner;
    private boolean blockable;

    /** mmu_notifier_range_init: the owner field is not written. */
    public NotifierRange init(final NotifierEvent newEvent, final long startAddr, final long endAddr) {
        if (event != newEvent) { // a stored reference costs a collector's barrier
            this.event = newEvent;
        }
        this.start = startAddr;
        this.end = endAddr;
        this.blockable = true;
        return this;
    }

    /** mmu_notifier_range_init_owner. */
    public NotifierRange init(
            final NotifierEvent newEvent, final long startAddr, final long endAddr, final long newOwner) {
        this.owner = newOwner;
        return init(newEvent, startAddr, endAddr);
    }

    /** Makes the span non-blockable: callbacks may not wait. */
    public NotifierRange nonBlockable() {
        this.blockable = false;
        return this;
    }

    /** First byte. */
    public long start() {
        return start;
    }

    /** First byte behind the range. */
    public long end() {
        return end;
    }

    public NotifierEvent event() {
        return event;
    }

    /** Cookie of the owner; meaningful for events that carry one. */
    public long owner() {
        return owner;
    }

    public boolean isBlockable() {
        return blockable;
    }

    @Override
    public String toString() {
        return event + " [0x" + Long.toHexString(start) + ", 0x" + Long.toHexString(end) + ") owner=" + owner
                + (blockable ? "" : " non-blockable");
    }
}
