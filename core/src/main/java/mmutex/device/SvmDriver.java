package mmutex.device;

import java.util.function.LongSupplier;
import mmutex.change.SpaceTeardown;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Quirk;
import mmutex.mm.RangeTracker;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.notify.RangeGuard;
import mmutex.sync.FairRwLock;
import mmutex.sync.LockClass;

/**
 * Serves a device's faults in the manner of drivers/gpu/drm/nouveau/nouveau_svm.c (6.12 with the fix of 6.14); semantics
 * 3.23.
 *
 * <pre>
 *   lanes -> FaultQueue -> FaultBatch -> AtomicFault or PlainFault, page by page -> one replay
 *                                              |
 *                           RangeTracker (the page)        DriverCallbacks &lt;- whoever changes memory
 * </pre>
 *
 * <p>The driver hears of changes twice: as the keeper of the page under fault, whose sequence it moves (it ignores its own
 * EXCLUSIVE event), and as a subscriber to everything, which erases device mappings for every event but its own MIGRATE.
 * The range comes first, so a fault that is about to program the table is stopped before its entry could be missed.
 *
 * <p>Threads: the worker resolves faults; callbacks run on invalidating threads (INLINE) or the worker (RING); detach comes
 * from any thread.
 */
public final class SvmDriver {
    /** A fault that can't be resolved within this time is cancelled, as in the kernel. */
    static final long FAULT_NS_MAX = 1_000_000_000L;

    private final SvmDevice device;
    private final AddressSpace space;
    private final DriverCallbacks callbacks;
    private final RangeTracker tracker;
    private final AtomicFault atomicFault;
    private final PlainFault plainFault;
    private final FaultBatch batch;
    private final boolean asCoded;
    /** Held over a batch, and by whoever ends the fault work: the kernel's flush_work. */
    private final FairRwLock faultWork = new FairRwLock(LockClass.FW);

    private boolean attached; // under faultWork

    // Statistics, the worker's own:
    private long faultsResolved;
    private long faultsCancelled;
    private long replays;

    SvmDriver(
            final SvmDevice device,
            final Delivery delivery,
            final int ringCapacity,
            final DriverSpec spec,
            final LongSupplier clock) {
        this.device = device;
        this.space = device.space();
        this.callbacks = new DriverCallbacks(device, delivery, ringCapacity);
        this.tracker = RangeTracker.of(spec.protocol(), space, callbacks, callbacks, clock);
        this.atomicFault = new AtomicFault(device, tracker.guard(), clock, spec.retryPolicy());
        this.plainFault = new PlainFault(device, tracker.guard(), clock);
        this.asCoded = device.platform().has(Quirk.STICKY_ATOMIC);
        this.batch = new FaultBatch(space.pageShift(), asCoded);
    }

    // ---- attaching ------------------------------------------------------------------------------------------

    void attach(final Task task) {
        final Errno errno = tracker.attach(task);
        if (errno != Errno.OK) {
            throw new IllegalStateException("a device can't be attached to " + space + ": " + errno);
        }
        attached = true;
    }

    /**
     * nouveau_svm_fini: the fault work in flight is finished and no other begins, then the driver is unsubscribed; returns
     * when none of its callbacks is running or will run (I24).
     */
    void detach(final Task task) {
        faultWork.writeLock(task);
        final boolean was = attached;
        attached = false;
        faultWork.writeUnlock(task);
        if (was) {
            tracker.detach(task);
            device.platform().srcu().barrier(task);
        }
    }

    /** Handles what is on the ring. Only the worker calls this. */
    boolean serveRing() {
        return callbacks.serveRing();
    }

    /** The worker serves no more; later notifications run on the threads that send them. */
    void stopServing() {
        callbacks.stopServing();
    }

    // ---- figures --------------------------------------------------------------------------------------------

    /** Faults resolved. */
    public long faultsResolved() {
        return faultsResolved;
    }

    /** Faults given up: their lanes were cancelled. */
    public long faultsCancelled() {
        return faultsCancelled;
    }

    /** Rounds that collided with an invalidation, or met a page that somebody else had locked. */
    public long retries() {
        return atomicFault.retries() + plainFault.retries();
    }

    /** Batches replayed. */
    public long replays() {
        return replays;
    }

    /** What the driver follows the page under fault by (checkers). */
    public RangeGuard guard() {
        return tracker.guard();
    }

    // ---- faults ---------------------------------------------------------------------------------------------

    /** nouveau_svm_fault: takes a batch, resolves it page by page, replays once. Returns whether there was any. */
    boolean serviceFaults(final DeviceWorker worker) {
        if (device.faults().isEmpty()) {
            return false;
        }
        faultWork.writeLock(worker);
        batch.take(device.faults());
        if (!attached) {
            cancelAll();
        } else if (asCoded) {
            resolveAsCoded(worker);
        } else {
            resolveStrongestFirst(worker);
        }
        replay();
        faultWork.writeUnlock(worker);
        return true;
    }

    /** As the kernel's comments have it: of several faults on a page the strongest first, which serves them all. */
    private void resolveStrongestFirst(final Task worker) {
        DeviceFault served = null;
        for (int i = 0; i < batch.size(); i++) {
            final DeviceFault fault = batch.get(i);
            if (served != null
                    && served.cancelled == null
                    && batch.isSamePage(served, fault)
                    && FaultBatch.strength(served.access) >= FaultBatch.strength(fault.access)) {
                fault.cancelled = null;
            } else {
                fault.cancelled = CancelReason.of(resolve(worker, fault.addr, fault.access));
                served = fault;
            }
        }
    }

    /**
     * As the kernel's code has it (Q5): the weakest first; what else wants the page is skipped, and has to fault again; and
     * whatever follows an atomic fault is handled as one.
     */
    private void resolveAsCoded(final Task worker) {
        boolean atomic = false;
        int next;
        for (int first = 0; first < batch.size(); first = next) {
            final DeviceFault fault = batch.get(first);
            atomic |= fault.access == DeviceAccess.ATOMIC;
            final CancelReason reason =
                    CancelReason.of(resolve(worker, fault.addr, atomic ? DeviceAccess.ATOMIC : fault.access));
            // A failure maps nothing, so only what asked for nothing (a prefetch) takes its duplicates along.
            final boolean skips = reason == null || fault.access == DeviceAccess.PREFETCH;
            next = first;
            do {
                batch.get(next++).cancelled = reason;
            } while (skips && next < batch.size() && batch.isSamePage(fault, batch.get(next)));
        }
    }

    private void cancelAll() {
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).cancelled = CancelReason.DETACHED;
        }
    }

    /** One replay at the end of the batch; lanes whose faults failed are killed. */
    private void replay() {
        boolean any = false;
        for (int i = 0; i < batch.size(); i++) {
            final DeviceFault fault = batch.get(i);
            if (fault.cancelled == null) {
                any = true;
                faultsResolved++;
                fault.lane.replay();
            } else {
                faultsCancelled++;
                fault.lane.cancel(fault.cancelled);
            }
        }
        replays += any ? 1 : 0;
    }

    /**
     * Resolves one fault: afterwards the device maps the page for the access, unless it was revoked again meanwhile.
     *
     * @return OK; EINVAL if the page can't be had, EBUSY after {@value #FAULT_NS_MAX} ns, EFAULT without users, ENOMEM
     *     without a table for the entry, EINTR on a fatal signal
     */
    public Errno resolve(final Task worker, final long addr, final DeviceAccess access) {
        if (!space.tryPinUsers()) {
            return Errno.EFAULT;
        }
        final long page = addr & -space.pageSize();
        Errno result = tracker.insert(worker, page, space.pageSize());
        if (result == Errno.OK) {
            result = access == DeviceAccess.ATOMIC
                    ? atomicFault.resolve(worker, page)
                    : plainFault.resolve(worker, page, access);
            tracker.remove(worker);
        }
        SpaceTeardown.unpin(worker, space);
        return result;
    }
}
