package mmutex.bench.nativefloor;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.Supplier;
import mmutex.bench.jmh.PageBatches;
import mmutex.bench.jmh.Subscriber;

/**
 * Our side of the table, in a VM of its own: measures as the C programs do (batches between two readings of the clock, the
 * clock subtracted) and prints what they print. The main class of that VM; one VM a delivery, so that neither sees code that
 * was compiled for the other.
 *
 * <p>Rows, INLINE: make, restore, pair, make-512, restore-512, access-hit, restore-each. RING: ring-restore, from the CPU's
 * access to its result, the device's acknowledgement in between.
 */
public final class OurPaths {
    /** Our program's name in results. */
    static final String NAME = "ours";

    private static final int RANGE_PAGES = 512;
    private static final int HIT_REPEATS = 16;
    private static final long WARM_UP_ROUNDS_MIN = 100;

    /** No compilation has ended for so long: then there will be none while measuring. */
    private static final double QUIET_SECONDS = 0.4;

    /** Enough even where compilers have to fight for a core. */
    private static final int WARM_UPS_MAX = 25;

    private static final double NANOS_PER_SECOND = 1e9;

    private final double clockNs = Samples.clockNs();
    private final double seconds;
    private final int pages;

    private OurPaths(final double seconds, final int pages) {
        this.seconds = seconds;
        this.pages = pages;
    }

    /** Measures: {@code INLINE|RING SECONDS PAGES}; {@link NativeCommand} forks it so. */
    public static void main(final String[] args) {
        final OurPaths paths = new OurPaths(Double.parseDouble(args[1]), Integer.parseInt(args[2]));
        final List<Samples> rows = Subscriber.valueOf(args[0]) == Subscriber.RING ? paths.ring() : paths.inline();
        Samples.print(NAME, paths.clockNs, rows);
    }

    private List<Samples> inline() {
        try (PageBatches some = new PageBatches(Subscriber.INLINE, pages);
                PageBatches range = new PageBatches(Subscriber.INLINE, RANGE_PAGES)) {
            warmUp(WARM_UP_ROUNDS_MIN, () -> new InlineRound(some, range));
            final long faults = some.faults() + range.faults();
            final InlineRound round = new InlineRound(some, range);
            final long rounds = repeat(1, seconds, round);
            check(some.faults() + range.faults() - faults, rounds * (3L * pages + RANGE_PAGES));
            return round.rows();
        }
    }

    private List<Samples> ring() {
        try (PageBatches some = new PageBatches(Subscriber.RING, pages)) {
            warmUp(1, () -> new RingRound(some));
            final long faults = some.faults();
            final RingRound round = new RingRound(some);
            final long rounds = repeat(1, seconds, round);
            check(some.faults() - faults, rounds * pages);
            return List.of(round.each);
        }
    }

    /** What did not fault was not restored, and made the figure better than it is. */
    private static void check(final long faults, final long expected) {
        if (faults != expected) {
            throw new IllegalStateException("faults=" + faults + ", expected=" + expected);
        }
    }

    /** Until the VM has compiled what there is to compile. */
    private static void warmUp(final long roundsMin, final Supplier<Runnable> rounds) {
        final CompilationMXBean compilation = ManagementFactory.getCompilationMXBean();
        if (compilation == null || !compilation.isCompilationTimeMonitoringSupported()) {
            repeat(roundsMin, WARM_UPS_MAX * QUIET_SECONDS, rounds.get());
            return;
        }
        long before;
        int done = 0;
        do {
            before = compilation.getTotalCompilationTime();
            repeat(roundsMin, QUIET_SECONDS, rounds.get());
        } while (compilation.getTotalCompilationTime() != before && ++done < WARM_UPS_MAX);
    }

    private static long repeat(final long roundsMin, final double seconds, final Runnable round) {
        final long begin = System.nanoTime();
        long rounds = 0;
        while (rounds < roundsMin || System.nanoTime() - begin < seconds * NANOS_PER_SECOND) {
            round.run();
            rounds++;
        }
        return rounds;
    }

    /** One batch of each kind in turn, as run_round in protocol.c. */
    private final class InlineRound implements Runnable {
        private final PageBatches some;
        private final PageBatches range;
        private final long[] ns;
        private final Samples make = new Samples("make");
        private final Samples restore = new Samples("restore");
        private final Samples pair = new Samples("pair");
        private final Samples hit = new Samples("access-hit");
        private final Samples makeRange = new Samples("make-512");
        private final Samples restoreRange = new Samples("restore-512");
        private final Samples each = new Samples("restore-each");
        private long sum; // so that no load is for nothing

        InlineRound(final PageBatches some, final PageBatches range) {
            this.some = some;
            this.range = range;
            this.ns = new long[some.pages()];
        }

        @Override
        public void run() {
            make.time(clockNs, some.pages(), some::make);
            restore.time(clockNs, some.pages(), some::restore);
            pair.time(clockNs, some.pages(), some::pair);
            hit.time(clockNs, (long) some.pages() * HIT_REPEATS, () -> sum += some.load(HIT_REPEATS));
            some.make();
            some.restoreEach(ns);
            addAll(each, ns);
            makeRange.time(clockNs, range.pages(), range::make);
            restoreRange.time(clockNs, range.pages(), range::restore);
        }

        List<Samples> rows() {
            return List.of(make, restore, pair, makeRange, restoreRange, hit, each);
        }
    }

    /** The engine makes the pages exclusive, and goes back to its ring; then the CPU takes them, one by one. */
    private final class RingRound implements Runnable {
        private final PageBatches some;
        private final long[] ns;
        private final Samples each = new Samples("ring-restore");

        RingRound(final PageBatches some) {
            this.some = some;
            this.ns = new long[some.pages()];
        }

        @Override
        public void run() {
            some.make();
            some.restoreEach(ns);
            addAll(each, ns);
        }
    }

    private void addAll(final Samples samples, final long[] ns) {
        for (final long one : ns) {
            samples.add(one - clockNs);
        }
    }
}
