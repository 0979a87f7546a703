package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Sleepable read sections with a grace period: a writer that has unlinked something waits until every section that may
 * have seen it is over.
 *
 * <p>Assumptions: a section ends; {@link #synchronize} is never called inside one. Progress: readers are wait-free, one
 * read-modify-write on entry and one on exit.
 *
 * <p>Readers count themselves in one of two counters, the current one. A writer makes the other one current and waits
 * until the old one is zero, twice: a reader may have picked the index before the first flip and counted itself only
 * after the writer had looked.
 *
 * <p>Kernel counterpart: SRCU as used by mm/mmu_notifier.c (6.12).
 */
public final class SrcuDomain {
    private static final VarHandle CURRENT;
    private static final VarHandle COUNTS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int STRIDE = 16; // two cache lines between the counters

    static {
        try {
            CURRENT = MethodHandles.lookup().findVarHandle(SrcuDomain.class, "current", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final long[] counts = new long[3 * STRIDE];
    private final FairRwLock writers = new FairRwLock(LockClass.LF);
    private final WaitQueue queue = new WaitQueue();
    private final SpinLock pendingLock = new SpinLock(LockClass.LF);
    private final long instance = System.identityHashCode(this); // tells instances apart in reports
    private List<Runnable> pending = List.of(); // under pendingLock

    @SuppressWarnings("unused") // through CURRENT
    private int current;

    /** Enters a read section; the result goes to {@link #readUnlock}. */
    public int readLock(final Actor actor) {
        LockEvents.acquiring(actor, LockClass.SR, instance, true, false);
        final int index = (int) CURRENT.getVolatile(this);
        // ORDER(srcu) read-modify-write: counted before anything protected is read. Pairs with the volatile look at the
        // count in synchronize.
        COUNTS.getAndAdd(counts, slot(index), 1L);
        LockEvents.acquired(actor, LockClass.SR, instance, true);
        return index;
    }

    /** Leaves a read section. */
    public void readUnlock(final Actor actor, final int index) {
        LockEvents.released(actor, LockClass.SR, instance, true);
        if ((long) COUNTS.getAndAdd(counts, slot(index), -1L) == 1L) { // ORDER(srcu) read-modify-write
            queue.wakeIfAnyAfterUpdate(actor, index);
        }
    }

    /**
     * call_srcu: has something done once every section that has begun is over, and returns at once. Core has no thread for
     * it: it is done by whoever next waits for a grace period.
     *
     * @param callback takes no lock and waits for nothing
     */
    public void call(final Actor actor, final Runnable callback) {
        pendingLock.lock(actor);
        final List<Runnable> more = new ArrayList<>(pending);
        more.add(callback);
        pending = more;
        pendingLock.unlock(actor);
    }

    /** srcu_barrier: waits until all that was left to {@link #call} before is done. */
    public void barrier(final Actor actor) {
        synchronize(actor);
    }

    private List<Runnable> takePending(final Actor actor) {
        pendingLock.lock(actor);
        final List<Runnable> taken = pending;
        pending = List.of();
        pendingLock.unlock(actor);
        return taken;
    }

    /** synchronize_srcu: waits until every section that had begun before the call is over. */
    public void synchronize(final Actor actor) {
        LockEvents.waitsFor(actor, LockClass.SR, instance);
        writers.writeLock(actor);
        final List<Runnable> due = takePending(actor);
        for (int flip = 0; flip < 2; flip++) {
            final int old = (int) CURRENT.getVolatile(this);
            CURRENT.setVolatile(this, old ^ 1);
            // ORDER(srcu) full fence: unlinked before the count is looked at. Pairs with the read-modify-writes of the
            // readers: either the section is counted here, or it finds the thing unlinked.
            VarHandle.fullFence();
            final Wait wait = actor.startWait(queue, old);
            while ((long) COUNTS.getVolatile(counts, slot(old)) != 0) { // ends: new readers count in the other one
                wait.pause();
            }
            wait.finish();
        }
        due.forEach(Runnable::run); // still as the only writer: a barrier that comes now waits for them
        writers.writeUnlock(actor);
    }

    private static int slot(final int index) {
        return (index + 1) * STRIDE;
    }
}
