package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;

/**
 * One processor's access window: odd while an access is in progress. The emulator has no MMU; windows are what gives
 * "flush" a meaning.
 *
 * <pre>
 *   access:  open (store odd, full fence); translate; touch the frame; close (store even, release)
 *   flush:   entry cleared or generation moved; full fence, or moved by a volatile read-modify-write; wait while the
 *            window is odd and unchanged
 * </pre>
 *
 * The two fences are a Dekker pair, {@code ORDER(window-flush)}: either the access sees the cleared entry, or the
 * flusher sees the odd window. So when a flush returns, no access under the old translation is in progress (O3, O6). An
 * actor never waits for anything inside its window. Litmus: WindowFlushStress.
 *
 * <p>Threads: open and close by the owner; drain by anybody else.
 */
public final class AccessWindow {
    private static final VarHandle SEQUENCE;
    private static final VarHandle FRAME;

    static {
        try {
            SEQUENCE = MethodHandles.lookup().findVarHandle(Padded.class, "sequence", long.class);
            FRAME = MethodHandles.lookup().findVarHandle(Padded.class, "frame", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final long NO_FRAME = 0;

    private final Padded word = new Padded();
    private final long instance = System.identityHashCode(this); // tells instances apart in reports

    /** Opens the window. */
    public void open() {
        SchedulePoint.before(Step.WINDOW_OPEN, instance);
        // ORDER(window-flush) store, then full fence: the window is visibly open before the translation is read.
        // Pairs with the full fences in AccessWindows.flush and drainAll.
        SEQUENCE.setOpaque(word, (long) SEQUENCE.getOpaque(word) + 1);
        VarHandle.fullFence();
    }

    /** Closes the window. */
    public void close() {
        SchedulePoint.before(Step.WINDOW_CLOSE, instance);
        if (SchedulePoint.ENABLED) {
            FRAME.setOpaque(word, NO_FRAME);
        }
        // ORDER(window-close) release: the access is complete before the window is visibly closed. Pairs with the
        // acquire in drain.
        SEQUENCE.setRelease(word, (long) SEQUENCE.getOpaque(word) + 1);
    }

    /** Whether an access is in progress. */
    public boolean isOpen() {
        return ((long) SEQUENCE.getAcquire(word) & 1) != 0;
    }

    /** The access in progress has reached a frame: said for {@link #frame}, and only when the seam is on. */
    public void reached(final long pfn) {
        FRAME.setOpaque(word, pfn);
    }

    /**
     * The frame that an access in progress has reached; 0 if none is in progress, if it ended meanwhile, or if nobody says
     * (checkers).
     */
    public long frame() {
        // ORDER(window-close) acquire: an open window shows no frame of the one before, which was forgotten before the
        // close.
        final long seen = (long) SEQUENCE.getAcquire(word);
        final long pfn = (long) FRAME.getAcquire(word);
        return (seen & 1) != 0 && (long) SEQUENCE.getAcquire(word) == seen ? pfn : NO_FRAME;
    }

    /**
     * Returns when no access that may have used what the caller has changed is in progress in any of the windows; later
     * ones see the change.
     */
    public static void drainAll(final Actor actor, final AccessWindow[] windows) {
        // ORDER(window-flush) full fence: the caller's change is visible before the windows are looked at. Pairs with
        // the full fence in open.
        VarHandle.fullFence();
        for (final AccessWindow window : windows) {
            window.drain(actor);
        }
    }

    /**
     * Waits until an access that may have been in progress at the call is over. The caller has issued a full fence, or a
     * volatile read-modify-write, after the change that no later access may miss.
     */
    public void drain(final Actor actor) {
        // ORDER(window-close) acquire; volatile since ORDER(window-flush) needs it behind a read-modify-write.
        final long seen = (long) SEQUENCE.getVolatile(word);
        if ((seen & 1) != 0) {
            drainSlow(actor, seen);
        }
    }

    private void drainSlow(final Actor actor, final long seen) {
        final Wait wait = actor.startWait(null, instance);
        while ((long) SEQUENCE.getAcquire(word) == seen) { // ends: nobody waits inside a window
            wait.pauseSpinning();
        }
        wait.finish();
    }

    /** The word, alone on its cache lines: it is written twice per access and read by every flush. */
    @SuppressWarnings("unused")
    private static final class Padded extends Before {
        private long a1;
        private long a2;
        private long a3;
        private long a4;
        private long a5;
        private long a6;
        private long a7;
        private long a8;
        private long a9;
        private long a10;
        private long a11;
        private long a12;
        private long a13;
        private long a14;
        private long a15;
    }

    @SuppressWarnings("unused")
    private static class Before extends Space {
        long sequence;
        /** With the sequence, since both are the owner's. */
        long frame;
    }

    @SuppressWarnings("unused")
    private static class Space {
        private long b1;
        private long b2;
        private long b3;
        private long b4;
        private long b5;
        private long b6;
        private long b7;
        private long b8;
        private long b9;
        private long b10;
        private long b11;
        private long b12;
        private long b13;
        private long b14;
        private long b15;
    }
}
