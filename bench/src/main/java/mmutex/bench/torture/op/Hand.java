package mmutex.bench.torture.op;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.machine.Cpu;

/**
 * Who performs operations: a CPU that runs the shared process and the hand's own descendants of it in turn, and makes system
 * calls. Used by one thread.
 */
public final class Hand {
    private final World world;
    private final int number;
    private final Cpu cpu;
    private final SplittableRandom dice;
    private final MirrorHandle mirror;
    private final Member root;
    private final List<Member> descendants = new ArrayList<>();
    private final long[] countersSeen = new long[Counters.count()];
    private Member running;

    /** A hand with a plot of its own in the shared process. */
    public Hand(final World world, final int number, final Cpu cpu, final SplittableRandom dice) {
        this.world = world;
        this.number = number;
        this.cpu = cpu;
        this.dice = dice;
        this.root = Member.root(world.root());
        cpu.run(world.root());
        this.running = root;
        this.mirror =
                world.machine().newMirrorDevice(number).open(cpu, world.root().space());
    }

    public World world() {
        return world;
    }

    public Cpu cpu() {
        return cpu;
    }

    SplittableRandom dice() {
        return dice;
    }

    /**
     * The hand's handle of the test device on the shared process. Its requests to make pages exclusive never race with zaps, so
     * the referee may look at it.
     */
    public MirrorHandle mirror() {
        return mirror;
    }

    Member root() {
        return root;
    }

    List<Member> descendants() {
        return descendants;
    }

    /** The shared process, on the CPU. */
    Member runRoot() {
        return run(root);
    }

    /** The shared process or a descendant, on the CPU. */
    Member runAny() {
        final int choice = dice.nextInt(2 * (1 + descendants.size()));
        return run(choice < descendants.size() ? descendants.get(choice) : root);
    }

    Member run(final Member member) {
        if (running != member) {
            running = member;
            cpu.run(member.process);
        }
        return member;
    }

    /** Runs nothing, so that the running process may exit or another one be run by hand. */
    void runNone() {
        running = null;
        cpu.run(null);
    }

    long plotAddr(final int page) {
        return World.plot(number) + (long) page * World.PAGE;
    }

    int randomPlotPage() {
        return dice.nextInt(World.PLOT_PAGES);
    }

    /** A first page and an end, of one page to all. */
    int[] randomPlotRange() {
        final int first = dice.nextInt(World.PLOT_PAGES);
        return new int[] {first, first + 1 + dice.nextInt(Math.min(4, World.PLOT_PAGES - first))};
    }

    /** A value that has been nowhere else. */
    long freshValue() {
        return world.tags().make(0xFF, number);
    }

    // ---- what is known ----------------------------------------------------------------------------------------

    /** Looks at a page of the plot of the process that the CPU runs. */
    void checkPlotPage(final Member member, final int number) {
        final Plot.Page page = member.plot.page(number);
        final long addr = plotAddr(number);
        final Signal signal = cpu.loadLong(addr);
        if (!page.mapped) {
            expect(signal == Signal.SEGV_MAPERR, member, number, "read of an unmapped page: " + signal);
            return;
        }
        if (!page.isReadable()) {
            expect(signal == Signal.SEGV_ACCERR, member, number, "read of a forbidden page: " + signal);
            return;
        }
        if (member.reaped && signal == Signal.BUS_ADRERR) {
            return;
        }
        expect(signal == Signal.NONE, member, number, "read: " + signal);
        checkPlotWord(member, number, cpu.value());
        final Signal second = cpu.loadLong(addr + World.PAGE - Long.BYTES);
        expect(second == Signal.NONE, member, number, "second read: " + second);
        checkPlotWord(member, number, cpu.value());
    }

    void checkPlotWord(final Member member, final int number, final long found) {
        final Plot.Page page = member.plot.page(number);
        if (!page.admits(found)) {
            throw new Finding(String.format(
                    "plot of %s: page %d of process %d holds 0x%x, expected %s",
                    cpu.name(), number, member.lineage, found, page.expected()));
        }
    }

    private void expect(final boolean expected, final Member member, final int page, final String what) {
        Finding.require(expected, "plot of %s: page %d of process %d: %s", cpu.name(), page, member.lineage, what);
    }

    /** A counter of the shared process was read: it may not run backwards. */
    void sawCounter(final int counter, final long value, final String how) {
        Finding.require(
                value >= countersSeen[counter],
                "counter %d ran backwards: %s read %d by %s after %d",
                counter,
                cpu.name(),
                value,
                how,
                countersSeen[counter]);
        countersSeen[counter] = value;
    }

    /** Everybody has stopped: the hand's plots hold what they must, and its descendants go. */
    public void finish() {
        for (int i = descendants.size() - 1; i >= 0; i--) {
            final Member member = run(descendants.get(i));
            checkPlot(member);
            runNone();
            member.process.exit(cpu);
        }
        descendants.clear();
        checkPlot(runRoot());
        runNone();
        mirror.close(cpu);
    }

    private void checkPlot(final Member member) {
        for (int page = 0; page < World.PLOT_PAGES; page++) {
            checkPlotPage(member, page);
        }
    }
}
