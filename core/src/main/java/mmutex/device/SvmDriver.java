package mmutex.device;

import java.util.function.LongSupplier;
import mmutex.change.SpaceTeardown;
import mmutex.exclusive.ExclusiveMaker;
import mmutex.fault.PageGetter;
import mmutex.hmm.HmmFlags;
import mmutex.hmm.HmmRange;
import mmutex.hmm.RangeFaulter;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.InvalidationRing;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;
import mmutex.sync.PhaseProbe.Path;
import mmutex.sync.PhaseProbe.Phase;
import mmutex.sync.Wait;

/**
 * Resolves a device's faults in the manner of drivers/gpu/drm/nouveau/nouveau_svm.c (6.12 with the fix of 6.14); semantics
 * 3.23.
 *
 * <p>Two subscribers: a temporary interval subscription per fault, whose callback moves the sequence (it ignores the
 * driver's own EXCLUSIVE event), and a list subscriber that erases device mappings for every event but the driver's own
 * MIGRATE. The interval stage runs first, so a fault that is about to program the table is stopped before its entry
 * could be missed.
 *
 * <p>Differs from the kernel's loop in two things, on purpose. Before a retry the page is brought into a plain writable
 * state outside the critical section: without that, a page whose first round collided with its own copy or restore
 * collides with itself in every further round (Q1). And a page that somebody else had locked (up to 6.14 make skips it) is
 * tried again instead of killing the channel, so that two devices can share a page.
 *
 * <p>Threads: the worker resolves faults; callbacks run on invalidating threads (INLINE) or the worker (RING).
 */
public final class SvmDriver {
    /** A fault that can't be resolved within this time is cancelled, as in the kernel. */
    private static final long FAULT_NS_MAX = 1_000_000_000L;

    private static final int BATCH_MAX = 64;
    private static final long PLAIN_WRITE = DevicePte.VALID | DevicePte.WRITE;

    private final SvmDevice device;
    private final Platform platform;
    private final AddressSpace space;
    private final LongSupplier clock;
    private final InvalidationRing ring;
    private final IntervalSubscription faultSubscription;
    private final NotifierSubscriber unmapper;
    private final HmmRange hmmRange = new HmmRange(1);
    private final long[] onePage = new long[1];
    private final DeviceFault[] batch = new DeviceFault[BATCH_MAX];
    private boolean attached;

    // Statistics, the worker's own:
    private long faultsResolved;
    private long faultsCancelled;
    private long retries;
    private long replays;

    SvmDriver(final SvmDevice device, final Delivery delivery, final int ringCapacity, final LongSupplier clock) {
        this.device = device;
        this.platform = device.platform();
        this.space = device.space();
        this.clock = clock;
        this.ring = delivery == Delivery.RING
                ? new InvalidationRing(
                        ringCapacity,
                        device.worker(),
                        (worker, hit, range, sequence) -> receive((Task) worker, hit, range, sequence))
                : null;
        this.faultSubscription = new IntervalSubscription((actor, hit, range, sequence) -> isOwnConversion(range)
                || (ring == null
                        ? moveSequence((Task) actor, hit, range, sequence)
                        : ring.deliver(actor, hit, range, sequence)));
        this.unmapper = new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                if (!range.isBlockable()) {
                    return false;
                }
                return ring == null ? unmap((Task) actor, range) : ring.deliver(actor, null, range, 0);
            }

            @Override
            public void release(final Actor actor) {
                final NotifierRange everything = new NotifierRange();
                everything.init(NotifierEvent.RELEASE, 0, Long.MAX_VALUE, NotifierRange.NO_OWNER);
                invalidateStart(actor, everything);
            }
        };
    }

    void attach(final Task task) {
        space.register(task, unmapper);
        attached = true;
    }

    void detach(final Task task) {
        if (attached) {
            space.notifiers().unregister(task, unmapper);
            attached = false;
        }
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

    /** Faults resolved. */
    public long faultsResolved() {
        return faultsResolved;
    }

    /** Faults given up: their lanes were cancelled. */
    public long faultsCancelled() {
        return faultsCancelled;
    }

    /** Rounds that collided with an invalidation. */
    public long retries() {
        return retries;
    }

    /** Batches replayed. */
    public long replays() {
        return replays;
    }

    // ---- notifications --------------------------------------------------------------------------------------

    private boolean receive(
            final Task worker, final IntervalSubscription hit, final NotifierRange range, final long sequence) {
        return hit == null ? unmap(worker, range) : moveSequence(worker, hit, range, sequence);
    }

    /** The one event that an interval callback may ignore: its own conversion. Owner only after event. */
    private boolean isOwnConversion(final NotifierRange range) {
        return range.event() == NotifierEvent.EXCLUSIVE
                && range.owner() == device.owner()
                && platform.profile().makePassesOwner();
    }

    /** nouveau_svm_range_invalidate. */
    private boolean moveSequence(
            final Task task, final IntervalSubscription hit, final NotifierRange range, final long sequence) {
        if (range.isBlockable()) {
            device.lock().lock(task);
        } else if (!device.lock().tryLock(task)) {
            return false;
        }
        hit.setSeq(sequence);
        device.lock().unlock(task);
        return true;
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

    // ---- faults ---------------------------------------------------------------------------------------------

    /** Takes a batch of faults, resolves each page once per kind, and replays. Returns whether there was any. */
    boolean serviceFaults(final DeviceWorker worker) {
        int count = 0;
        for (DeviceFault fault; count < BATCH_MAX && (fault = device.faults().poll()) != null; count++) {
            insertSorted(count, fault);
        }
        if (count == 0) {
            return false;
        }
        DeviceFault previous = null;
        boolean resolved = false;
        for (int i = 0; i < count; i++) {
            final DeviceFault fault = batch[i];
            if (previous == null || !isServedBy(previous, fault) || !resolved) {
                resolved = resolve(worker, fault.addr, fault.access) == Errno.OK;
                previous = fault;
            }
            finish(fault, resolved);
            batch[i] = null;
        }
        replays++;
        return true;
    }

    private void finish(final DeviceFault fault, final boolean resolved) {
        if (resolved) {
            faultsResolved++;
            fault.lane.replay();
        } else {
            faultsCancelled++;
            fault.lane.cancel();
        }
    }

    /** By page, then by kind, strongest first, so that duplicates find what they need. */
    private void insertSorted(final int count, final DeviceFault fault) {
        int at = count;
        while (at > 0 && compare(batch[at - 1], fault) > 0) {
            batch[at] = batch[at - 1];
            at--;
        }
        batch[at] = fault;
    }

    private int compare(final DeviceFault a, final DeviceFault b) {
        final int byPage = Long.compare(page(a.addr), page(b.addr));
        return byPage != 0 ? byPage : Integer.compare(strength(b.access), strength(a.access));
    }

    private boolean isServedBy(final DeviceFault done, final DeviceFault fault) {
        return page(done.addr) == page(fault.addr) && strength(done.access) >= strength(fault.access);
    }

    private static int strength(final DeviceAccess access) {
        return access == DeviceAccess.PREFETCH ? -1 : access.ordinal();
    }

    /**
     * Resolves one fault: afterwards the device maps the page for the access, unless it was revoked again meanwhile.
     *
     * @return OK; EINVAL if the page can't be had, EBUSY after {@value #FAULT_NS_MAX} ns, EFAULT without users
     */
    public Errno resolve(final Task worker, final long addr, final DeviceAccess access) {
        if (!space.tryPinUsers()) {
            return Errno.EFAULT;
        }
        final long page = addr & -platform.pageSize();
        Errno result = space.insert(worker, faultSubscription, page, platform.pageSize());
        if (result == Errno.OK) {
            result = access == DeviceAccess.ATOMIC ? resolveAtomic(worker, page) : resolvePlain(worker, page, access);
            space.notifiers().remove(worker, faultSubscription);
        }
        SpaceTeardown.unpin(worker, space);
        return result;
    }

    /** nouveau_atomic_range_fault. */
    private Errno resolveAtomic(final Task worker, final long page) {
        final long deadline = clock.getAsLong() + FAULT_NS_MAX;
        worker.probe().begin(Path.MAKE);
        Errno result = Errno.EBUSY;
        // Rounds are a wait as well: whoever keeps the page busy may be waiting for this worker's acknowledgement.
        final Wait wait = worker.startWait(null, page);
        for (int round = 0; result == Errno.EBUSY && clock.getAsLong() - deadline < 0; round++) {
            if (round > 0) {
                retries++;
                wait.pause();
                prefault(worker, page);
            }
            // a. A sample that no running invalidation of the page has hit.
            final long sample = faultSubscription.readBegin(worker);
            // b. The page, locked and referenced; the mmap lock is not needed beyond (H4).
            space.mmapLock().readLock(worker);
            worker.probe().mark(Phase.BEGIN);
            final long pfn = make(worker, page);
            space.mmapLock().readUnlock(worker);
            if (pfn < 0) {
                result = Errno.EINVAL;
                break;
            }
            if (pfn == ExclusiveMaker.NULL_SLOT) {
                continue;
            }
            // c., d. Under the driver lock: was the page hit since? If not, nobody can take it away before the entry is
            // stored; whoever comes later finds the entry.
            device.lock().lock(worker);
            // Without an owner the driver can't tell its own event and would collide with itself for ever: the drivers
            // of
            // that time made once and mapped, relying on the page lock alone.
            final boolean collided = platform.profile().makePassesOwner() && faultSubscription.readRetry(sample);
            if (!collided) {
                // 3. Program the device; the page is still locked, so the first use comes before a CPU's restore.
                result = device.table().store(page(page), DevicePte.of(pfn, DeviceAccess.ATOMIC.needs()))
                        ? Errno.OK
                        : Errno.ENOMEM;
            }
            // 4., e. In both cases page lock and reference are given back, before any retry (Q4).
            device.lock().unlock(worker);
            platform.unlockPage(worker, pfn);
            platform.putPage(pfn);
            worker.probe().mark(Phase.PROGRAM);
        }
        wait.finish();
        worker.probe().end(Path.MAKE, result == Errno.OK);
        return result;
    }

    /** A frame, NULL_SLOT if the page was busy, or negative if it can't be had. */
    private long make(final Task worker, final long page) {
        if (platform.profile().makeOnePage()) {
            return ExclusiveMaker.makeOne(worker, space, page, device.owner());
        }
        final int got = ExclusiveMaker.makeRange(worker, space, page, 1, device.owner(), onePage);
        return got == 1 ? onePage[0] : -1;
    }

    /**
     * Copy, restore or allocate outside the critical section, so that the next round finds a page it need not change;
     * and let whoever has it locked finish: up to 6.14 make only tries the lock, and a round that fails costs more than a
     * wait.
     */
    private void prefault(final Task worker, final long page) {
        space.mmapLock().readLock(worker);
        final boolean got = PageGetter.getPages(worker, space, page, 1, true, onePage) == 1;
        space.mmapLock().readUnlock(worker);
        if (got) {
            platform.pageLock().waitUnlocked(worker, platform.frames().head(onePage[0]), true);
            platform.putPage(onePage[0]);
        }
    }

    /** nouveau_range_fault: a plain mapping by hmm_range_fault. */
    private Errno resolvePlain(final Task worker, final long page, final DeviceAccess access) {
        final long deadline = clock.getAsLong() + FAULT_NS_MAX;
        final long request = access == DeviceAccess.PREFETCH
                ? 0
                : HmmFlags.REQ_FAULT | (access == DeviceAccess.WRITE ? HmmFlags.REQ_WRITE : 0);
        hmmRange.init(space, faultSubscription, page, page + platform.pageSize(), request, 0);
        while (clock.getAsLong() - deadline < 0) {
            hmmRange.sequence(faultSubscription.readBegin(worker));
            space.mmapLock().readLock(worker);
            final Errno error = RangeFaulter.fault(worker, hmmRange);
            space.mmapLock().readUnlock(worker);
            if (error != Errno.OK && error != Errno.EBUSY) {
                return Errno.EINVAL;
            }
            if (error == Errno.OK) {
                device.lock().lock(worker);
                final boolean collided = faultSubscription.readRetry(hmmRange.sequence());
                final boolean stored = collided || program(page, hmmRange.pfn(0));
                device.lock().unlock(worker);
                if (!collided) {
                    return stored ? Errno.OK : Errno.ENOMEM;
                }
            }
            retries++;
        }
        return Errno.EBUSY;
    }

    private boolean program(final long page, final long pfn) {
        if ((pfn & HmmFlags.VALID) == 0) {
            return true; // a prefetch of something that is not there
        }
        final long flags = (pfn & HmmFlags.WRITE) != 0 ? PLAIN_WRITE : DevicePte.VALID;
        return device.table().store(page(page), DevicePte.of(HmmFlags.frameNumber(pfn), flags));
    }

    private long page(final long addr) {
        return addr >>> space.pageShift();
    }
}
