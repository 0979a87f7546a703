package mmutex.device;

import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.notify.IntervalCallback;
import mmutex.notify.InvalidationRing;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.RangeGuard;
import mmutex.sync.Actor;

/**
 * What a driver does when memory changes (nouveau_svm.c, 6.12): one callback for the range under fault, which moves its
 * sequence, one for everything, which erases device mappings. Both under the driver lock; with {@link Delivery#RING} both
 * on the device's worker.
 *
 * <p>Threads: invalidating threads, or the worker.
 */
final class DriverCallbacks implements IntervalCallback, NotifierSubscriber {
    private final SvmDevice device;
    private final boolean knowsOwner;
    private final int pageShift;
    private final InvalidationRing ring;

    DriverCallbacks(final SvmDevice device, final Delivery delivery, final int ringCapacity) {
        this.device = device;
        this.knowsOwner = device.platform().profile().makePassesOwner();
        this.pageShift = device.space().pageShift();
        this.ring = delivery == Delivery.RING
                ? new InvalidationRing(
                        ringCapacity,
                        device.worker(),
                        (worker, guard, range, sequence) -> receive((Task) worker, guard, range, sequence))
                : null;
    }

    /** Handles what is on the ring. Only the worker calls this. */
    boolean serveRing() {
        return ring != null && ring.serve();
    }

    /** The worker serves no more; later notifications run on the threads that send them. */
    void stopServing() {
        if (ring != null) {
            ring.close();
        }
    }

    // ---- the range under fault ------------------------------------------------------------------------------

    /** The one event that the range's callback may ignore: its own conversion. The owner only after the event. */
    @Override
    public boolean isOwn(final NotifierRange range) {
        return range.event() == NotifierEvent.EXCLUSIVE && range.owner() == device.owner() && knowsOwner;
    }

    @Override
    public boolean invalidate(
            final Actor actor, final RangeGuard guard, final NotifierRange range, final long sequence) {
        if (isOwn(range)) {
            return true;
        }
        // An acknowledgement is a wait (I32). The sequence is under the driver lock, so any thread may move it.
        return ring == null || !range.isBlockable()
                ? moveSequence((Task) actor, guard, range, sequence)
                : ring.deliver(actor, guard, range, sequence);
    }

    /** nouveau_svm_range_invalidate. */
    private boolean moveSequence(
            final Task task, final RangeGuard guard, final NotifierRange range, final long sequence) {
        if (range.isBlockable()) {
            device.lock().lock(task);
        } else if (!device.lock().tryLock(task)) {
            return false;
        }
        guard.setSeq(sequence);
        device.lock().unlock(task);
        return true;
    }

    // ---- everything -----------------------------------------------------------------------------------------

    @Override
    public boolean invalidateStart(final Actor actor, final NotifierRange range) {
        if (!range.isBlockable()) {
            return false;
        }
        return ring == null ? unmap((Task) actor, range) : ring.deliver(actor, null, range, 0);
    }

    @Override
    public boolean wantsEnds() {
        return false;
    }

    @Override
    public void release(final Actor actor) {
        final NotifierRange everything = new NotifierRange();
        everything.init(NotifierEvent.RELEASE, 0, Long.MAX_VALUE, NotifierRange.NO_OWNER);
        invalidateStart(actor, everything);
    }

    /** nouveau_svmm_invalidate_range_start: returns when no access through the erased entries is in progress (O6). */
    private boolean unmap(final Task task, final NotifierRange range) {
        device.lock().lock(task);
        if (range.event() != NotifierEvent.MIGRATE || range.owner() != device.owner()) {
            // The end may be the last address there is (exit): rounding it up must not overflow.
            device.table().erase(task, page(range.start()), page(range.end() - 1) + 1);
        }
        device.lock().unlock(task);
        return true;
    }

    private boolean receive(final Task worker, final RangeGuard guard, final NotifierRange range, final long sequence) {
        return guard == null ? unmap(worker, range) : moveSequence(worker, guard, range, sequence);
    }

    private long page(final long addr) {
        return addr >>> pageShift;
    }
}
