package mmutex.stress.litmus.broken;

import static mmutex.stress.litmus.broken.Twin.Shows.BY_INTERLEAVING;
import static mmutex.stress.litmus.broken.Twin.Shows.BY_LATE_STORE;
import static mmutex.stress.litmus.broken.Twin.Shows.BY_WEAK_ORDER;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import java.lang.invoke.VarHandle;
import mmutex.memory.Words;
import mmutex.stress.litmus.support.Slab;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Twins of {@code WindowFlushStress}: window against flush. */
public final class WrongWindow {
    private static final Words WORDS = Slab.words();
    private static final long WINDOW = Slab.NEAR;
    private static final long ENTRY = Slab.FAR;
    private static final long GENERATION = Slab.FAR + 8;
    private static final long DATA = Slab.FAR + 16;

    private WrongWindow() {}

    private static void openWithoutFence(final long place) {
        WORDS.storeOpaque(place + WINDOW, WORDS.loadOpaque(place + WINDOW) + 1);
    }

    private static void open(final long place) {
        openWithoutFence(place);
        VarHandle.fullFence();
    }

    private static void close(final long place) {
        WORDS.storeRelease(place + WINDOW, WORDS.loadOpaque(place + WINDOW) + 1);
    }

    private static void drain(final long place) {
        final long seen = WORDS.loadAcquire(place + WINDOW);
        if ((seen & 1) != 0) {
            while (WORDS.loadAcquire(place + WINDOW) == seen) { // ends: the window is closed after a few instructions
                Thread.onSpinWait();
            }
        }
    }

    /** The window is open, but not visibly so, when the entry is read. */
    @JCStressTest
    @Twin(breaks = "window-flush", shows = BY_LATE_STORE)
    @Description("Opens the window without a full fence.")
    @Outcome(
            id = {"0, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1, 0", expect = ACCEPTABLE_INTERESTING, desc = "the flush returned while the access ran")
    @State
    public static class OpenWithoutFence {
        private final long place = Slab.offset(Slab.next());

        public OpenWithoutFence() {
            WORDS.storeOpaque(place + ENTRY, 1);
        }

        @Actor
        public void cpu(final II_Result r) {
            openWithoutFence(place);
            r.r1 = (int) WORDS.loadAcquire(place + ENTRY);
            if (r.r1 == 1) {
                WORDS.storeOpaque(place + DATA, 1);
            }
            close(place);
        }

        @Actor
        public void flusher(final II_Result r) {
            WORDS.getAndSet(place + ENTRY, 0);
            VarHandle.fullFence();
            drain(place);
            r.r2 = (int) WORDS.loadOpaque(place + DATA);
        }
    }

    /** The entry is erased, but not visibly so, when the windows are looked at. */
    @JCStressTest
    @Twin(breaks = "window-flush", shows = BY_LATE_STORE)
    @Description("Erases a device entry without a full fence before the drain.")
    @Outcome(
            id = {"0, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1, 0", expect = ACCEPTABLE_INTERESTING, desc = "erase returned while the access ran")
    @State
    public static class EraseWithoutFence {
        private final long place = Slab.offset(Slab.next());

        public EraseWithoutFence() {
            WORDS.storeOpaque(place + ENTRY, 1);
        }

        @Actor
        public void engine(final II_Result r) {
            open(place);
            r.r1 = (int) WORDS.loadAcquire(place + ENTRY);
            if (r.r1 == 1) {
                WORDS.storeOpaque(place + DATA, 1);
            }
            close(place);
        }

        @Actor
        public void driver(final II_Result r) {
            WORDS.storeRelease(place + ENTRY, 0);
            drain(place);
            r.r2 = (int) WORDS.loadOpaque(place + DATA);
        }
    }

    /** What is remembered is declared void when it may be in use again. */
    @JCStressTest
    @Twin(breaks = "leaf-epoch", shows = BY_INTERLEAVING)
    @Description("Moves the epoch only after the drain.")
    @Outcome(
            id = {"0, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1, 0", expect = ACCEPTABLE_INTERESTING, desc = "a store into a table that may be in use again")
    @State
    public static class EpochAfterDrain {
        private final long place = Slab.offset(Slab.next());

        public EpochAfterDrain() {
            WORDS.storeOpaque(place + ENTRY, 1);
        }

        @Actor
        public void cpu(final II_Result r) {
            open(place);
            r.r1 = (int) WORDS.loadAcquire(place + ENTRY);
            if (r.r1 == 1) {
                WORDS.storeOpaque(place + DATA, 1);
            }
            close(place);
        }

        @Actor
        public void unmapper(final II_Result r) {
            VarHandle.fullFence();
            drain(place);
            r.r2 = (int) WORDS.loadOpaque(place + DATA);
            WORDS.getAndAdd(place + ENTRY, -1);
        }
    }

    /** The window ends before the access does. */
    @JCStressTest
    @Twin(breaks = "window-close", shows = BY_INTERLEAVING)
    @Description("Closes the window before the store that it is to cover.")
    @Outcome(
            id = {"0, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1, 0", expect = ACCEPTABLE_INTERESTING, desc = "the store landed after the flush had returned")
    @State
    public static class CloseBeforeAccess {
        private final long place = Slab.offset(Slab.next());

        public CloseBeforeAccess() {
            WORDS.storeOpaque(place + ENTRY, 1);
        }

        @Actor
        public void cpu(final II_Result r) {
            open(place);
            r.r1 = (int) WORDS.loadAcquire(place + ENTRY);
            close(place);
            if (r.r1 == 1) {
                WORDS.storeOpaque(place + DATA, 1);
            }
        }

        @Actor
        public void flusher(final II_Result r) {
            WORDS.getAndSet(place + ENTRY, 0);
            VarHandle.fullFence();
            drain(place);
            r.r2 = (int) WORDS.loadOpaque(place + DATA);
        }
    }

    /** The close may pass the store before it. */
    @JCStressTest
    @Twin(breaks = "window-close", shows = BY_WEAK_ORDER)
    @Description("Closes the window by an opaque store instead of a release.")
    @Outcome(
            id = {"0, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1, 0", expect = ACCEPTABLE_INTERESTING, desc = "the store landed after the flush had returned")
    @State
    public static class CloseWithoutRelease {
        private final long place = Slab.offset(Slab.next());

        public CloseWithoutRelease() {
            WORDS.storeOpaque(place + ENTRY, 1);
        }

        @Actor
        public void cpu(final II_Result r) {
            open(place);
            r.r1 = (int) WORDS.loadAcquire(place + ENTRY);
            if (r.r1 == 1) {
                WORDS.storeOpaque(place + DATA, 1);
            }
            WORDS.storeOpaque(place + WINDOW, WORDS.loadOpaque(place + WINDOW) + 1);
        }

        @Actor
        public void flusher(final II_Result r) {
            WORDS.getAndSet(place + ENTRY, 0);
            VarHandle.fullFence();
            drain(place);
            r.r2 = (int) WORDS.loadOpaque(place + DATA);
        }
    }

    /** A translation is cached under a generation newer than itself, and used after the flush. */
    @JCStressTest
    @Twin(breaks = "tlb-generation", shows = BY_INTERLEAVING)
    @Description("Reads the generation of a cached translation after the entry instead of before it.")
    @Outcome(
            id = {"0, 0", "1, 1", "2, 2"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(
            id = {"0, 2", "1, 2", "0, 1"},
            expect = ACCEPTABLE_INTERESTING,
            desc = "a store landed after the flush")
    @State
    public static class GenerationAfterEntry {
        private final long place = Slab.offset(Slab.next());

        public GenerationAfterEntry() {
            WORDS.storeOpaque(place + ENTRY, 1);
        }

        @Actor
        public void cpu() {
            open(place);
            final boolean mapped = WORDS.loadAcquire(place + ENTRY) == 1;
            final long cachedUnder = WORDS.loadAcquire(place + GENERATION);
            if (mapped) {
                WORDS.storeOpaque(place + DATA, 1);
            }
            close(place);
            open(place);
            if (mapped && WORDS.loadAcquire(place + GENERATION) == cachedUnder) {
                WORDS.storeOpaque(place + DATA, 2);
            }
            close(place);
        }

        @Actor
        public void flusher(final II_Result r) {
            WORDS.getAndSet(place + ENTRY, 0);
            WORDS.getAndAdd(place + GENERATION, 1);
            VarHandle.fullFence();
            drain(place);
            r.r1 = (int) WORDS.loadOpaque(place + DATA);
        }

        @Arbiter
        public void lastSeen(final II_Result r) {
            r.r2 = (int) WORDS.loadOpaque(place + DATA);
        }
    }
}
