package mmutex.stress.litmus.broken;

import static mmutex.stress.litmus.broken.Twin.Shows.BY_INTERLEAVING;
import static mmutex.stress.litmus.broken.Twin.Shows.BY_WEAK_ORDER;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import mmutex.memory.Words;
import mmutex.stress.litmus.support.Slab;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * Twins of the tests that something is complete before it can be found: {@code TablePublishStress},
 * {@code PtePublishStress}, {@code DevicePteStress}, {@code FramePublishStress}, {@code PageCacheStress}.
 */
public final class WrongPublish {
    private static final Words WORDS = Slab.words();

    private WrongPublish() {}

    /** A look-up that gets there too early. */
    @JCStressTest
    @Twin(breaks = "table-publish", shows = BY_INTERLEAVING)
    @Description("Publishes a table before its entries are initialised.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "the table was reached before it was initialised")
    @State
    public static class TableBeforeEntries {
        private final long upper = Slab.offset(Slab.next());
        private final long entry = upper + Slab.FAR;

        @Actor
        public void walker(final I_Result r) {
            r.r1 = WORDS.loadAcquire(upper) == 0 ? -1 : (int) WORDS.load(entry);
        }

        @Actor
        public void creator() {
            WORDS.compareAndSet(upper, 0, entry);
            WORDS.store(entry, 1);
        }
    }

    /** The publication may pass the initialisation. */
    @JCStressTest
    @Twin(
            breaks = {"table-publish", "pte-publish", "device-pte-publish"},
            shows = BY_WEAK_ORDER)
    @Description("Publishes by an opaque store instead of a release.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "reached before it was initialised")
    @State
    public static class PublishWithoutRelease {
        private final long upper = Slab.offset(Slab.next());
        private final long entry = upper + Slab.FAR;

        @Actor
        public void walker(final I_Result r) {
            r.r1 = WORDS.loadOpaque(upper) == 0 ? -1 : (int) WORDS.loadOpaque(entry);
        }

        @Actor
        public void creator() {
            WORDS.storeOpaque(entry, 1);
            WORDS.storeOpaque(upper, entry);
        }
    }

    /** Two creators, two tables: one is lost with what was stored in it. */
    @JCStressTest
    @Twin(breaks = "table-publish", shows = BY_INTERLEAVING)
    @Description("Publishes a table by a look and a store instead of a compare-and-set.")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "as it should be")
    @Outcome(
            id = {"0, 1", "1, 0"},
            expect = ACCEPTABLE_INTERESTING,
            desc = "an entry was stored in a table that is lost")
    @State
    public static class PublishWithoutCompare {
        private final long upper = Slab.offset(Slab.next());
        private final long firstTable = upper + Slab.FAR;
        private final long secondTable = upper + Slab.FAR + 2 * Long.BYTES;

        @Actor
        public void first() {
            WORDS.storeVolatile(tableOr(firstTable), 1);
        }

        @Actor
        public void second() {
            WORDS.storeVolatile(tableOr(secondTable) + Long.BYTES, 1);
        }

        private long tableOr(final long fresh) {
            long table = WORDS.loadAcquire(upper);
            if (table == 0) {
                table = fresh;
                WORDS.storeRelease(upper, fresh);
            }
            return table;
        }

        @Arbiter
        public void look(final II_Result r) {
            final long table = WORDS.loadAcquire(upper);
            r.r1 = (int) WORDS.loadAcquire(table);
            r.r2 = (int) WORDS.loadAcquire(table + Long.BYTES);
        }
    }

    /** A CPU that reads what the frame held before. */
    @JCStressTest
    @Twin(breaks = "pte-publish", shows = BY_INTERLEAVING)
    @Description("Stores an entry before the frame's contents.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "the entry was seen before the contents")
    @State
    public static class EntryBeforeContents {
        private final long entry = Slab.offset(Slab.next());
        private final long contents = entry + Slab.FAR;

        @Actor
        public void toucher() {
            WORDS.storeRelease(entry, 1);
            WORDS.storeOpaque(contents, 1);
        }

        @Actor
        public void walker(final I_Result r) {
            r.r1 = WORDS.loadAcquire(entry) == 0 ? -1 : (int) WORDS.loadOpaque(contents);
        }
    }

    /** A device that computes on a page while CPUs still map it. */
    @JCStressTest
    @Twin(breaks = "device-pte-publish", shows = BY_INTERLEAVING)
    @Description("Programs the device before the CPU's entry is converted.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "the device may compute on a page that CPUs still map")
    @State
    public static class DeviceBeforeConversion {
        private final long deviceEntry = Slab.offset(Slab.next());
        private final long exclusive = deviceEntry + Slab.FAR;

        @Actor
        public void driver() {
            WORDS.storeRelease(deviceEntry, 1);
            WORDS.storeRelease(exclusive, 1);
        }

        @Actor
        public void engine(final I_Result r) {
            r.r1 = WORDS.loadAcquire(deviceEntry) == 0 ? -1 : (int) WORDS.loadAcquire(exclusive);
        }
    }

    /** Two that think they have filled the page: who comes second reads what the frame held before. */
    @JCStressTest
    @Twin(breaks = "page-cache", shows = BY_INTERLEAVING)
    @Description("Puts a page into the page cache before it is locked.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "found and locked before it was filled")
    @State
    public static class PageBeforeLock {
        private final long slot = Slab.offset(Slab.next());
        private final long lock = slot + Slab.FAR;
        private final long contents = lock + Long.BYTES;

        @Actor
        public void filler() {
            WORDS.storeRelease(slot, 1);
            if (WORDS.compareAndSet(lock, 0, 1)) {
                WORDS.storeOpaque(contents, 1);
                WORDS.storeRelease(lock, 0);
            }
        }

        @Actor
        public void finder(final I_Result r) {
            if (WORDS.loadAcquire(slot) == 0 || !WORDS.compareAndSet(lock, 0, 2)) {
                r.r1 = -1;
            } else {
                r.r1 = (int) WORDS.loadOpaque(contents);
            }
        }
    }

    /** A stale frame number that becomes a reference to a frame with the record of its former life. */
    @JCStressTest
    @Twin(breaks = "frame-publish", shows = BY_INTERLEAVING)
    @Description("Sets the reference count of a frame before its record is cleared.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "a reference, but the former life's record")
    @State
    public static class CountBeforeRecord {
        private final long count = Slab.offset(Slab.next());
        private final long cleared = count + Slab.FAR;

        @Actor
        public void allocator() {
            WORDS.storeVolatile(count, 1);
            WORDS.storeOpaque(cleared, 1);
        }

        @Actor
        public void stale(final I_Result r) {
            r.r1 = WORDS.compareAndSet(count, 1, 2) ? (int) WORDS.loadVolatile(cleared) : -1;
        }
    }
}
