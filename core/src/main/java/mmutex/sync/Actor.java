package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import mmutex.memory.LeafHint;

/**
 * Who performs an operation: the kernel's {@code current}. Passed as a parameter everywhere, never looked up.
 *
 * <p>An actor is used by one thread at a time; only {@link #kill} and {@link #wake} may come from other threads. It
 * carries what its thread needs in order to wait ({@link Wait}), per-actor scratch objects ({@link ActorLocal}), so that
 * hot paths allocate nothing, and the probe that times its paths.
 *
 * <p>Kernel counterpart: {@code struct task_struct}.
 */
public class Actor {
    /** Waits that may be nested: a wait whose pause serves a ring whose callback waits for a driver lock, and spare. */
    private static final int NESTED_WAITS_MAX = 8;

    private static final int LOCALS_MAX = 64;
    private static final VarHandle THREAD;
    private static final VarHandle ASLEEP;
    private static final VarHandle KILLED;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            THREAD = lookup.findVarHandle(Actor.class, "thread", Thread.class);
            ASLEEP = lookup.findVarHandle(Actor.class, "asleep", boolean.class);
            KILLED = lookup.findVarHandle(Actor.class, "killed", boolean.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int id;
    private final String name;
    private final Wait[] waits = new Wait[NESTED_WAITS_MAX];
    private final YieldPolicy yields = new YieldPolicy();
    private final LeafHint leafHint = new LeafHint();
    private final Object[] locals = new Object[LOCALS_MAX];
    private int waitDepth;
    private PhaseProbe probe = PhaseProbe.NONE;

    @SuppressWarnings("unused") // through THREAD
    private Thread thread;

    @SuppressWarnings("unused") // through ASLEEP
    private boolean asleep;

    @SuppressWarnings("unused") // through KILLED
    private boolean killed;

    /**
     * Creates an actor.
     *
     * @param id positive, unique in its machine: shows as lock owner in dumps
     * @param name for people
     */
    public Actor(final int id, final String name) {
        if (id <= 0) {
            throw new IllegalArgumentException("actor ids are positive: id=" + id + ", name=" + name);
        }
        this.id = id;
        this.name = name;
        for (int i = 0; i < NESTED_WAITS_MAX; i++) {
            waits[i] = new Wait(this, yields);
        }
    }

    public final int id() {
        return id;
    }

    public final String name() {
        return name;
    }

    /** Times this actor's paths; {@link PhaseProbe#NONE} unless somebody measures. */
    public final PhaseProbe probe() {
        return probe;
    }

    /** Sets the probe; only before the actor starts to work, or by its own thread. */
    public final void probe(final PhaseProbe newProbe) {
        this.probe = newProbe;
    }

    /** Where this actor's walks have been last. By its own thread. */
    public final LeafHint leafHint() {
        return leafHint;
    }

    // ---- waiting --------------------------------------------------------------------------------------------

    /**
     * Begins a wait, after a first attempt has failed. End it with {@link Wait#finish}.
     *
     * @param queue where the releaser looks for sleepers; null if nobody will wake this wait, then it sleeps briefly
     * @param subject what is waited for, as in {@link mmutex.seam.SchedulePoint}
     */
    public final Wait startWait(final WaitQueue queue, final long subject) {
        final Wait wait = waits[waitDepth++];
        wait.start(queue, subject);
        return wait;
    }

    final void finishWait(final Wait wait) {
        waitDepth--;
        if (waits[waitDepth] != wait) {
            throw new IllegalStateException("waits finish in reverse order: actor=" + name);
        }
    }

    /**
     * Work this actor must go on doing while it waits. A device worker serves its invalidation ring here: it may be
     * waiting for somebody who waits for its acknowledgement.
     *
     * @return whether anything was done
     */
    protected boolean serveWhileWaiting() {
        return false;
    }

    /** Announces that this thread is about to look once more and then sleep. */
    final void announceSleep() {
        THREAD.setOpaque(this, Thread.currentThread());
        // ORDER(sleep-announce) store, then full fence: the sleeper's last look at its condition comes after this
        // store.
        // Pairs with the full fence in wake(): either the waker sees the sleeper, or the sleeper sees the change.
        ASLEEP.setOpaque(this, true);
        VarHandle.fullFence();
    }

    final boolean isAsleep() {
        return (boolean) ASLEEP.getOpaque(this);
    }

    final void awake() {
        ASLEEP.setOpaque(this, false);
    }

    final void sleep(final long nanosMax) {
        LockSupport.parkNanos(this, nanosMax);
    }

    /** Lets the actor look again if it sleeps. Any thread; the change it waits for must have been stored before. */
    public final void wake() {
        VarHandle.fullFence(); // ORDER(sleep-announce)
        if ((boolean) ASLEEP.getOpaque(this)) {
            LockSupport.unpark((Thread) THREAD.getOpaque(this));
        }
    }

    // ---- signals --------------------------------------------------------------------------------------------

    /** A fatal signal is pending: killable waits give up. */
    public final boolean isKilled() {
        return (boolean) KILLED.getAcquire(this);
    }

    /** Sends a fatal signal. Any thread. */
    public final void kill() {
        KILLED.setVolatile(this, true);
        wake();
    }

    /** Takes a fatal signal back (the actor is reused for another process). */
    public final void revive() {
        KILLED.setVolatile(this, false);
    }

    final Object local(final int index) {
        return locals[index];
    }

    final void local(final int index, final Object value) {
        locals[index] = value;
    }

    @Override
    public String toString() {
        return name;
    }
}
