package mmutex.check;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import mmutex.sync.Actor;
import mmutex.sync.ActorLocal;
import mmutex.sync.LockClass;

/**
 * I32 and the lock order: compares every lock an actor waits for with those it holds, and so reports the first
 * acquisition in the wrong order, not the first deadlock. Waits that are no locks (for a span's end, a ring's
 * acknowledgement, SRCU readers) count as acquisitions that are not shared.
 *
 * <p>Attempts that don't wait are not judged.
 */
final class LockOrderWatch {
    /** What may not be waited for while a lock of the class is held. */
    private static final Map<LockClass, Set<LockClass>> FORBIDDEN = new EnumMap<>(LockClass.class);

    static {
        final Set<LockClass> sleeping =
                EnumSet.of(LockClass.MM, LockClass.VL, LockClass.PG, LockClass.AV, LockClass.DL, LockClass.RING);
        // A span's start sleeps, so no spin lock is held over it.
        final Set<LockClass> underSpinLock = EnumSet.copyOf(sleeping);
        underSpinLock.add(LockClass.N);
        FORBIDDEN.put(LockClass.PT, underSpinLock);
        final Set<LockClass> underLeaf = EnumSet.copyOf(underSpinLock);
        underLeaf.addAll(EnumSet.of(LockClass.PT, LockClass.SQ, LockClass.SR));
        FORBIDDEN.put(LockClass.SQ, underLeaf);
        FORBIDDEN.put(LockClass.LF, underLeaf);
        // Callbacks of a span that may not wait: locks that spin, and tries of the others.
        final Set<LockClass> whileNonBlocking = EnumSet.copyOf(underSpinLock);
        whileNonBlocking.addAll(EnumSet.of(LockClass.FW, LockClass.IR, LockClass.DM, LockClass.IM, LockClass.MS));
        FORBIDDEN.put(LockClass.NB, whileNonBlocking);
        FORBIDDEN.put(LockClass.VL, EnumSet.of(LockClass.MM));
        FORBIDDEN.put(LockClass.PG, EnumSet.of(LockClass.MM, LockClass.VL, LockClass.PG));
        FORBIDDEN.put(LockClass.AV, EnumSet.of(LockClass.MM, LockClass.VL, LockClass.PG));
        // Pages may be locked inside a span, which is why nobody waits for a span's end with a page locked.
        FORBIDDEN.put(LockClass.N, EnumSet.of(LockClass.MM, LockClass.VL));
        FORBIDDEN.put(
                LockClass.DL,
                EnumSet.of(
                        LockClass.MM,
                        LockClass.VL,
                        LockClass.PG,
                        LockClass.AV,
                        LockClass.N,
                        LockClass.DL,
                        LockClass.RING));
    }

    /** Waiting for all spans, or all read sections, to end: not while holding what their owners may need. */
    private static final Set<LockClass> NOT_OVER_A_WAIT_FOR_SPANS = EnumSet.of(
            LockClass.PG,
            LockClass.AV,
            LockClass.N,
            LockClass.DL,
            LockClass.PT,
            LockClass.SQ,
            LockClass.LF,
            LockClass.NB);

    private static final Set<LockClass> NOT_OVER_A_WAIT_FOR_READERS =
            EnumSet.of(LockClass.SR, LockClass.DL, LockClass.PT, LockClass.SQ, LockClass.LF, LockClass.NB);

    private static final ActorLocal<Held> HELD = new ActorLocal<>(Held::new);

    private final WatchLog log;

    LockOrderWatch(final WatchLog log) {
        this.log = log;
    }

    void acquiring(final Actor actor, final LockClass wanted, final boolean shared, final boolean tryOnly) {
        if (tryOnly) {
            return;
        }
        final Held holding = HELD.of(actor);
        if (!shared && wanted == LockClass.N) {
            notWhile(holding, NOT_OVER_A_WAIT_FOR_SPANS, "waits for running spans to end");
        } else if (!shared && wanted == LockClass.SR) {
            notWhile(holding, NOT_OVER_A_WAIT_FOR_READERS, "waits for read sections to end");
        } else {
            FORBIDDEN.forEach((lock, forbidden) -> {
                if (holding.counts[lock.ordinal()] != 0 && forbidden.contains(wanted)) {
                    log.violated("I32", "waits for " + wanted + " while holding " + lock + where());
                }
            });
            if (wanted == LockClass.MM && holding.counts[LockClass.MM.ordinal()] != holding.mmapWrites) {
                log.violated("I32", "waits for a second MM while holding one shared" + where());
            }
        }
    }

    private void notWhile(final Held holding, final Set<LockClass> locks, final String what) {
        for (final LockClass lock : locks) {
            if (holding.counts[lock.ordinal()] != 0) {
                log.violated("I32", what + " while holding " + lock + where());
            }
        }
    }

    void acquired(final Actor actor, final LockClass lock, final boolean shared) {
        final Held holding = HELD.of(actor);
        holding.counts[lock.ordinal()]++;
        if (lock == LockClass.MM && !shared) {
            holding.mmapWrites++;
        }
    }

    void released(final Actor actor, final LockClass lock, final boolean shared) {
        final Held holding = HELD.of(actor);
        // A page lock may be released by another actor than the one that took it.
        holding.counts[lock.ordinal()] = Math.max(0, holding.counts[lock.ordinal()] - 1);
        if (lock == LockClass.MM && !shared) {
            holding.mmapWrites--;
        }
    }

    /** The first callers outside locks and watches: one finding per place. */
    private static String where() {
        return StackWalker.getInstance()
                .walk(frames -> frames.filter(frame -> !frame.getClassName().startsWith("mmutex.sync")
                                && !frame.getClassName().startsWith("mmutex.check")
                                && frame.getClassName().startsWith("mmutex."))
                        .limit(3)
                        .map(frame -> " < "
                                + frame.getClassName()
                                        .substring(frame.getClassName().lastIndexOf('.') + 1) + "."
                                + frame.getMethodName())
                        .reduce("", String::concat));
    }

    private static final class Held {
        private final int[] counts = new int[LockClass.values().length];
        private int mmapWrites;
    }
}
