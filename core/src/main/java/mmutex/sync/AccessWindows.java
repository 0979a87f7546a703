package mmutex.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;

/**
 * The CPUs that run one address space: their windows, and the generation that their software TLBs check.
 *
 * <p>{@link #flush} is the emulator's TLB shoot-down: it moves the generation, so that no cached translation is used
 * again, and drains the windows of every CPU that runs the address space.
 *
 * <p>Threads: any. Kernel counterpart: {@code mm_cpumask}, {@code flush_tlb_mm_range} (6.12).
 */
public final class AccessWindows {
    /** CPUs that may run one address space: a bit each. */
    public static final int CPUS_MAX = 64;

    private static final VarHandle GENERATION;
    private static final VarHandle RUNNING;
    private static final VarHandle FLUSHES;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            GENERATION = lookup.findVarHandle(AccessWindows.class, "generation", long.class);
            RUNNING = lookup.findVarHandle(AccessWindows.class, "running", long.class);
            FLUSHES = lookup.findVarHandle(AccessWindows.class, "flushes", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final AccessWindow[] windows;
    private final long instance = System.identityHashCode(this); // tells instances apart in reports

    @SuppressWarnings("unused") // through GENERATION
    private long generation = 1;

    @SuppressWarnings("unused") // through RUNNING
    private long running;

    @SuppressWarnings("unused") // through FLUSHES
    private long flushes;

    /** Creates the set over the machine's windows, indexed by CPU number. */
    public AccessWindows(final AccessWindow[] windows) {
        this.windows = windows;
    }

    /** The generation that cached translations must have. Read inside a window. */
    public long generation() {
        // ORDER(tlb-generation) acquire: whoever sees the new generation also sees the entries as they were when it
        // moved, so a translation is never cached under a generation newer than itself. Pairs with the
        // read-modify-write in flush. The load comes after the fence in AccessWindow.open (window-flush).
        return (long) GENERATION.getAcquire(this);
    }

    /** Shoot-downs so far. */
    public long flushes() {
        return (long) FLUSHES.getOpaque(this);
    }

    /** A CPU begins to run this address space. */
    public void enter(final int cpu) {
        RUNNING.getAndBitwiseOr(this, 1L << cpu);
    }

    /** A CPU stops running it; its window is closed. */
    public void leave(final int cpu) {
        RUNNING.getAndBitwiseAnd(this, ~(1L << cpu));
    }

    /**
     * Returns when no access under a translation that was valid before the call is in progress or can begin. The caller
     * has already changed the entries.
     */
    public void flush(final Actor actor) {
        SchedulePoint.before(Step.FLUSH, instance);
        // ORDER(window-flush) read-modify-write, then volatile looks at the windows: the cleared entries and the new
        // generation are visible before them, without a fence more. Pairs with the full fence in AccessWindow.open.
        // ORDER(tlb-generation) read-modify-write: the entries change before the generation. Pairs with the
        // acquire in generation().
        GENERATION.getAndAdd(this, 1L);
        FLUSHES.setOpaque(this, (long) FLUSHES.getOpaque(this) + 1); // intended race: a statistic
        long cpus = (long) RUNNING.getVolatile(this);
        while (cpus != 0) {
            windows[Long.numberOfTrailingZeros(cpus)].drain(actor);
            cpus &= cpus - 1;
        }
    }

    /** Whether a CPU that runs this address space has its window open (checkers). */
    public boolean isAnyOpen() {
        for (long cpus = (long) RUNNING.getVolatile(this); cpus != 0; cpus &= cpus - 1) {
            if (windows[Long.numberOfTrailingZeros(cpus)].isOpen()) {
                return true;
            }
        }
        return false;
    }
}
