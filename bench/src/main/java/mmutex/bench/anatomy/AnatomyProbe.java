package mmutex.bench.anatomy;

import java.util.Arrays;
import java.util.function.LongSupplier;
import mmutex.sync.PhaseProbe;

/**
 * Times one of an actor's paths, mostly as a whole, with two time stamps, and every so often, by lot, phase by phase. So the
 * times of the whole are those of a path that nobody looks into, and the phases can be held against them.
 *
 * <p>Every interval between two time stamps contains the cost of one; that is taken off. Marks of the other path are
 * ignored, so its time counts for the phase it interrupts; a phase that is repeated gets the sum; paths that did not run to
 * their end are dropped. Allocates nothing. Threads: the actor's own.
 */
public final class AnatomyProbe implements PhaseProbe {
    /** One path in so many is timed phase by phase. */
    public static final int ONE_IN = 8;

    /** For the {@code oneIn} of a probe that times phases each time. */
    static final int ALWAYS = 1;

    /** For the {@code oneIn} of a probe that never does. */
    static final int NEVER = 0;

    private static final long LOTS = 1L << 32;
    private static final long MULTIPLIER = 6_364_136_223_846_793_005L;
    private static final long INCREMENT = 1_442_695_040_888_963_407L;

    private final Path path;
    private final Anatomy anatomy;
    private final Listener listener;
    private final TimestampCost cost;
    private final LongSupplier clock;
    private final long winning;
    private final int[] places;
    private final long[] spent;
    private final int[] marks;
    private long lot;
    private boolean inside;
    private boolean byPhase;
    private long start;
    private long last;

    /** Told of every path that ran to its end; called by the actor, between two paths. */
    public interface Listener {
        /** Doesn't listen. */
        Listener NONE = new Listener() {
            @Override
            public void whole(final long ns) {}

            @Override
            public void parts(final long ns, final long[] phases) {}
        };

        /** A path that was timed as a whole; without the cost of time stamps. */
        void whole(long ns);

        /** A path that was timed phase by phase; the same, and its phases in order, the exit last. The array is reused. */
        void parts(long ns, long[] phases);
    }

    /**
     * Creates a probe.
     *
     * @param anatomy to fill, for the path of which the probe works
     * @param cost of time stamps by this clock
     * @param clock monotonic nanoseconds
     * @param oneIn how many paths there are for each that is timed phase by phase; 0 for none
     * @param seed of the lots
     */
    public AnatomyProbe(
            final Anatomy anatomy,
            final Listener listener,
            final TimestampCost cost,
            final LongSupplier clock,
            final int oneIn,
            final long seed) {
        this.path = anatomy.path();
        this.anatomy = anatomy;
        this.listener = listener;
        this.cost = cost;
        this.clock = clock;
        this.winning = oneIn == NEVER ? 0 : LOTS / oneIn;
        this.places = new int[Phase.values().length];
        Arrays.fill(places, -1);
        for (final Phase phase : Phases.of(path)) {
            places[phase.ordinal()] = Phases.of(path).indexOf(phase);
        }
        this.spent = new long[anatomy.parts()];
        this.marks = new int[anatomy.parts()];
        this.lot = seed * MULTIPLIER + INCREMENT;
    }

    @Override
    public void begin(final Path begun) {
        if (begun == path) {
            lot = lot * MULTIPLIER + INCREMENT;
            byPhase = lot >>> 32 < winning;
            inside = true;
            if (byPhase) {
                Arrays.fill(spent, 0);
                Arrays.fill(marks, 0);
            }
            start = clock.getAsLong();
            last = start;
        }
    }

    @Override
    public void mark(final Phase phase) {
        if (inside && byPhase) {
            final int place = places[phase.ordinal()];
            if (place >= 0) {
                stamp(place);
            }
        }
    }

    @Override
    public void end(final Path ended, final boolean done) {
        if (ended != path || !inside) {
            return;
        }
        inside = false;
        if (!done) {
            return;
        }
        if (byPhase) {
            stamp(spent.length - 1);
            parts();
        } else {
            final long ns = clock.getAsLong() - start;
            final long net = Math.max(0, ns - Math.round(cost.wholeNs()));
            anatomy.whole(net, ns);
            listener.whole(net);
        }
    }

    private void stamp(final int place) {
        final long now = clock.getAsLong();
        spent[place] += now - last;
        marks[place]++;
        last = now;
    }

    private void parts() {
        long intervals = 0;
        for (final int count : marks) {
            intervals += count;
        }
        final long net = Math.max(0, last - start - Math.round(intervals * cost.markNs()));
        anatomy.parts(net, spent, marks);
        for (int i = 0; i < spent.length; i++) {
            spent[i] = Math.max(0, spent[i] - Math.round(marks[i] * cost.markNs()));
        }
        listener.parts(net, spent);
    }
}
