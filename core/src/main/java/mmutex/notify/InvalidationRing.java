package mmutex.notify;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.memory.Words;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;
import mmutex.sync.Actor;
import mmutex.sync.ActorLocal;
import mmutex.sync.LockClass;
import mmutex.sync.LockEvents;
import mmutex.sync.Wait;
import mmutex.sync.WaitQueue;

/**
 * Delivers callbacks to a device's worker: many producers (whoever opens spans), one consumer (the worker), records of
 * one cache line, each acknowledged to its producer.
 *
 * <pre>
 *   slot:  +0 turn   +8 start   +16 end   +24 event and flags   +32 owner   +40 sequence   +48 acknowledgement
 *
 *   turn == 2 position          free for the producer of that position
 *   turn == 2 position + 1      filled
 *   acknowledgement &gt;= ticket   done; bit 0 says whether the callback accepted
 * </pre>
 *
 * <p>A producer waits for the acknowledgement of its own record and only then frees the slot, so no acknowledgement is
 * overwritten. Ring full: a blockable producer waits, a non-blockable one is refused; no record is ever lost. A worker
 * that produces for itself runs the callback in place. The worker serves the ring in every pause of every wait, else two
 * devices that revoke each other would wait for ever.
 *
 * <p>Progress: producers are lock-free up to the wait for their acknowledgement. Not in the kernel: there the callback
 * runs on the invalidating thread.
 */
public final class InvalidationRing {
    private static final int SLOT_SHIFT = 6;
    private static final int TURN = 0;
    private static final int START = 8;
    private static final int END = 16;
    private static final int EVENT = 24;
    private static final int OWNER = 32;
    private static final int SEQUENCE = 40;
    private static final int ACKNOWLEDGED = 48;
    private static final long EVENT_MASK = 0xff;
    private static final long BLOCKABLE = 0x100;
    private static final NotifierEvent[] EVENTS = NotifierEvent.values();
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);
    private static final VarHandle TAIL;
    private static final VarHandle CLOSED;
    private static final VarHandle SERVING;
    private static final VarHandle GUARDS = MethodHandles.arrayElementVarHandle(RangeGuard[].class);

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            TAIL = lookup.findVarHandle(InvalidationRing.class, "tail", long.class);
            CLOSED = lookup.findVarHandle(InvalidationRing.class, "closed", boolean.class);
            SERVING = lookup.findVarHandle(InvalidationRing.class, "serving", boolean.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** What the worker does with a record. */
    @FunctionalInterface
    public interface Receiver {
        /**
         * Handles one record.
         *
         * @param guard the range that was hit; null for a list subscriber's start
         * @return as {@link IntervalCallback#invalidate}
         */
        boolean invalidate(Actor worker, RangeGuard guard, NotifierRange range, long sequence);
    }

    private final Words words;
    private final long instance = System.identityHashCode(this); // tells instances apart in reports
    private final int capacity;
    private final int mask;
    private final RangeGuard[] guards;
    private final WaitQueue producers = new WaitQueue();
    private final Actor worker;
    private final Receiver receiver;

    @SuppressWarnings("unused") // through TAIL
    private long tail;

    @SuppressWarnings("unused") // through CLOSED
    private boolean closed;

    @SuppressWarnings("unused") // through SERVING
    private boolean serving;

    // Whoever serves:
    private long head;

    /**
     * Creates a ring.
     *
     * @param capacity records, a power of two
     * @param worker the only consumer
     * @param receiver the callback it runs
     */
    public InvalidationRing(final int capacity, final Actor worker, final Receiver receiver) {
        if (Integer.bitCount(capacity) != 1) {
            throw new IllegalArgumentException("capacity must be a power of two: capacity=" + capacity);
        }
        this.capacity = capacity;
        this.mask = capacity - 1;
        this.guards = new RangeGuard[capacity];
        this.worker = worker;
        this.receiver = receiver;
        this.words = new Words("invalidation ring", (long) capacity << SLOT_SHIFT);
        for (int i = 0; i < capacity; i++) {
            words.ensure(slot(i));
            words.storeVolatile(slot(i) + TURN, free(i));
        }
    }

    /**
     * Delivers one invalidation and returns when the worker has handled it.
     *
     * @param guard the range that was hit; null for a list subscriber's start
     * @return false only for a non-blockable range: no room, or the callback refused
     */
    public boolean deliver(final Actor actor, final RangeGuard guard, final NotifierRange range, final long sequence) {
        if (actor == worker) {
            return receiver.invalidate(actor, guard, range, sequence);
        }
        LockEvents.waitsFor(actor, LockClass.RING, instance);
        final long position = claim(actor, range.isBlockable());
        if (position < 0) {
            return false;
        }
        final long slot = slot(position);
        words.store(slot + START, range.start());
        words.store(slot + END, range.end());
        words.store(slot + EVENT, range.event().ordinal() | (range.isBlockable() ? BLOCKABLE : 0));
        words.store(slot + OWNER, range.owner());
        words.store(slot + SEQUENCE, sequence);
        GUARDS.set(guards, (int) position & mask, guard);
        SchedulePoint.before(Step.RING_POST, position);
        // ORDER(ring-publish) release: the record is complete before its turn says filled. Pairs with the acquire in
        // serve. Litmus: RingStress.
        words.storeRelease(slot + TURN, filled(position));
        worker.wake();
        final boolean accepted = awaitAcknowledgement(actor, position);
        // ORDER(ring-recycle) release: the acknowledgement has been read before the slot is free. Pairs with the
        // acquire in claim.
        words.storeRelease(slot + TURN, free(position + capacity));
        producers.wakeIfAny(actor, capacity);
        return accepted;
    }

    private long claim(final Actor actor, final boolean mayWait) {
        Wait wait = null;
        long position = (long) TAIL.getOpaque(this);
        while (true) { // ends: a failed compare-and-set means another producer's success; full means waiting for one
            final long turn = words.loadAcquire(slot(position) + TURN); // ORDER(ring-recycle) acquire
            if (turn == free(position)) {
                if (TAIL.compareAndSet(this, position, position + 1)) {
                    break;
                }
            } else if (turn < free(position)) {
                if (!mayWait) {
                    position = -1;
                    break;
                }
                if (wait == null) {
                    wait = actor.startWait(producers, capacity);
                }
                wait.pause();
            }
            position = (long) TAIL.getOpaque(this);
        }
        if (wait != null) {
            wait.finish();
        }
        return position;
    }

    private boolean awaitAcknowledgement(final Actor actor, final long position) {
        final long at = slot(position) + ACKNOWLEDGED;
        final long ticket = (position + 1) << 1;
        // ORDER(ring-acknowledge) acquire: what the worker did (device stores drained, table erased) is visible to the
        // producer. Pairs with the release in serve. Litmus: RingStress.
        long seen = words.loadAcquire(at);
        if (seen < ticket) {
            final Wait wait = actor.startWait(producers, position & mask);
            while ((seen = words.loadAcquire(at)) < ticket) { // ends: the worker serves the ring whenever it waits
                if (!(boolean) CLOSED.getVolatile(this) || !serveAs(actor)) {
                    wait.pause();
                }
            }
            wait.finish();
        }
        return (seen & 1) != 0;
    }

    /**
     * Handles every record that is there. Only the worker calls this; nested calls, from a wait inside a callback, do
     * nothing.
     *
     * @return whether there was any
     */
    public boolean serve() {
        return words.loadAcquire(slot(head) + TURN) == filled(head)
                && !(boolean) CLOSED.getOpaque(this)
                && serveAs(worker);
    }

    /**
     * The worker stops serving, for good. From now on a producer runs the callbacks itself: the device does nothing any
     * more, so any thread may.
     */
    public void close() {
        serveAs(worker);
        CLOSED.setVolatile(this, true);
        // A producer that posted after the last look finds the ring closed, or is woken to find it.
        for (int i = 0; i < capacity; i++) {
            producers.wakeIfAny(worker, i);
        }
    }

    /** Serves as the only one that does; false if somebody else is serving, or there is nothing. */
    private boolean serveAs(final Actor actor) {
        // ORDER(ring-serve) acquire and release: the head is handed from one server to the next.
        if (!SERVING.compareAndSet(this, false, true)) {
            return false;
        }
        boolean any = false;
        final NotifierRange range = RANGE.of(actor);
        while (words.loadAcquire(slot(head) + TURN) == filled(head)) { // ORDER(ring-publish) acquire
            any = true;
            final long slot = slot(head);
            SchedulePoint.before(Step.RING_TAKE, head);
            final long event = words.load(slot + EVENT);
            range.init(
                    EVENTS[(int) (event & EVENT_MASK)],
                    words.load(slot + START),
                    words.load(slot + END),
                    words.load(slot + OWNER));
            if ((event & BLOCKABLE) == 0) {
                range.nonBlockable();
            }
            final RangeGuard guard = (RangeGuard) GUARDS.get(guards, (int) head & mask);
            final boolean accepted = receiver.invalidate(actor, guard, range, words.load(slot + SEQUENCE));
            SchedulePoint.before(Step.RING_ACKNOWLEDGE, head);
            // ORDER(ring-acknowledge) release: pairs with the acquire in awaitAcknowledgement.
            words.storeRelease(slot + ACKNOWLEDGED, (head + 1) << 1 | (accepted ? 1 : 0));
            producers.wakeIfAny(actor, head & mask);
            head++;
        }
        SERVING.setRelease(this, false); // ORDER(ring-serve) release
        return any;
    }

    // Two values a position, so that "filled" and "free for the next" differ even in a ring of one record.

    private static long free(final long position) {
        return position << 1;
    }

    private static long filled(final long position) {
        return position << 1 | 1;
    }

    private long slot(final long position) {
        return (position & mask) << SLOT_SHIFT;
    }
}
