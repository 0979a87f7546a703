package mmutex.bench.targets;

import com.sun.management.ThreadMXBean;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.management.ManagementFactory;
import java.util.List;
import mmutex.bench.jmh.SeamBenchmark;
import mmutex.bench.nativefloor.Samples;

/**
 * Our hot paths for the targets, in a VM of their own: {@code SECONDS}. Prints rows as the C programs do; {@code alloc} counts
 * bytes an operation, all others are ns.
 */
public final class OurTargets {
    private static final int PAGES = 256;
    private static final int RANGE_PAGES = 512;
    private static final int HITS = 16;
    private static final int OPERATIONS = 2048;
    private static final int WARM_UP_ROUNDS = 2000;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final VarHandle WORD;
    private static final VarHandle OTHER;

    static {
        try {
            WORD = MethodHandles.lookup().findVarHandle(OurTargets.class, "word", long.class);
            OTHER = MethodHandles.lookup().findVarHandle(OurTargets.class, "other", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final double clockNs = Samples.clockNs();
    private final OneSubscriber some = new OneSubscriber(PAGES);
    private final OneSubscriber range = new OneSubscriber(RANGE_PAGES);
    private final SeamBenchmark seam = new SeamBenchmark();
    private boolean blackhole; // so that no step is for nothing
    private long sum; // so that no load is for nothing

    @SuppressWarnings("unused") // through WORD
    private long word;

    @SuppressWarnings("unused") // through OTHER
    private long other;

    private OurTargets() {
        seam.prepare();
    }

    /** Measures for so many seconds, once everything is compiled. */
    public static void main(final String[] args) {
        final OurTargets ours = new OurTargets();
        ours.rounds(WARM_UP_ROUNDS, 0);
        final long faults = ours.faults();
        final Round round = ours.rounds(1, Double.parseDouble(args[0]));
        final long restores = round.count * (2L * PAGES + RANGE_PAGES);
        if (ours.faults() - faults != restores) { // what did not fault was not restored
            throw new IllegalStateException("faults=" + (ours.faults() - faults) + ", expected=" + restores);
        }
        Samples.print("targets", ours.clockNs, round.rows());
    }

    private long faults() {
        return some.faults() + range.faults();
    }

    private Round rounds(final long countMin, final double seconds) {
        final Round round = new Round();
        final long begin = System.nanoTime();
        while (round.count < countMin || System.nanoTime() - begin < seconds * NANOS_PER_SECOND) {
            round.run();
        }
        return round;
    }

    /** One batch of each kind in turn, so that all of them meet the same disturbances. */
    private final class Round {
        private final Samples make = new Samples("make");
        private final Samples restore = new Samples("restore");
        private final Samples pair = new Samples("pair");
        private final Samples restoreRange = new Samples("restore-512");
        private final Samples hit = new Samples("access-hit");
        private final Samples fenced = new Samples("fenced-store");
        private final Samples without = new Samples("seam-without");
        private final Samples with = new Samples("seam-with");
        private final Samples alloc = new Samples("alloc");
        // Made once: the paths' bytes are counted, not these objects'.
        private final Runnable makeSome = some::make;
        private final Runnable restoreSome = some::restore;
        private final Runnable pairSome = some::pair;
        private final Runnable restoreAll = range::restore;
        private final Runnable hitSome = () -> sum += some.load(HITS);
        private long count;

        private void run() {
            final long before = allocated();
            make.time(clockNs, PAGES, makeSome);
            restore.time(clockNs, PAGES, restoreSome);
            pair.time(clockNs, PAGES, pairSome);
            range.makeAtOnce();
            restoreRange.time(clockNs, RANGE_PAGES, restoreAll);
            hit.time(clockNs, PAGES * HITS, hitSome);
            // What was allocated is the samples' arrays, now and then: the median is what the paths allocate.
            alloc.add((double) (allocated() - before) / (4 * PAGES + RANGE_PAGES + PAGES * HITS));
            fenced.time(clockNs, OPERATIONS, OurTargets.this::fencedStores);
            // In turns: whichever comes second would have the warmer caches.
            if (count % 2 == 0) {
                without.time(clockNs, OPERATIONS, OurTargets.this::withoutSeam);
                with.time(clockNs, OPERATIONS, OurTargets.this::withSeam);
            } else {
                with.time(clockNs, OPERATIONS, OurTargets.this::withSeam);
                without.time(clockNs, OPERATIONS, OurTargets.this::withoutSeam);
            }
            count++;
        }

        private List<Samples> rows() {
            return List.of(make, restore, pair, restoreRange, hit, fenced, without, with, alloc);
        }
    }

    private static long allocated() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }

    private void fencedStores() {
        for (int i = 0; i < OPERATIONS; i++) {
            WORD.setVolatile(this, (long) i);
            // A volatile load between two of them: without one a single fence would do for several stores.
            sum += (long) OTHER.getVolatile(this);
        }
    }

    private void withoutSeam() {
        for (int i = 0; i < OPERATIONS; i++) {
            blackhole &= seam.without();
        }
    }

    private void withSeam() {
        for (int i = 0; i < OPERATIONS; i++) {
            blackhole &= seam.with();
        }
    }
}
