package mmutex.notify.legacy;

import mmutex.notify.IntervalCallback;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;

/**
 * The interval notifier under its first name: {@code struct mmu_range_notifier}, as posted in October 2019. The protocol
 * is the one that stayed; what differs is how a driver writes it down: the operations belong to the object and not to the
 * call that inserts it, and the functions are called mmu_range_read_begin, mmu_range_read_retry, mmu_range_check_retry,
 * mmu_range_set_seq. Keeping the users of the address space pinned is the caller's business.
 *
 * <p>Threads: as {@link RangeGuard}.
 */
public final class RangeNotifier implements RangeGuard {
    private final IntervalSubscription interval;

    /** Creates a notifier with its operations; not yet inserted. */
    public RangeNotifier(final IntervalCallback ops) {
        this.interval =
                new IntervalSubscription((actor, hit, range, sequence) -> ops.invalidate(actor, this, range, sequence));
    }

    /** What the address space knows it as. */
    public IntervalSubscription interval() {
        return interval;
    }

    @Override
    public long start() {
        return interval.start();
    }

    @Override
    public long last() {
        return interval.last();
    }

    /** mmu_range_read_begin. */
    @Override
    public long readBegin(final Actor actor) {
        return interval.readBegin(actor);
    }

    /** mmu_range_read_retry. */
    @Override
    public boolean readRetry(final long sample) {
        return interval.readRetry(sample);
    }

    /** mmu_range_check_retry. */
    @Override
    public boolean checkRetry(final long sample) {
        return interval.checkRetry(sample);
    }

    /** mmu_range_set_seq. */
    @Override
    public void setSeq(final long sequence) {
        interval.setSeq(sequence);
    }
}
