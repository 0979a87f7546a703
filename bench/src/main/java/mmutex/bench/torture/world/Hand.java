package mmutex.bench.torture.world;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.machine.Cpu;
import mmutex.memory.RadixTable;

/**
 * Who performs operations: a CPU that runs the shared process and the hand's own descendants of it in turn, and makes system
 * calls. Used by one thread.
 */
public final class Hand {
    private static final int FIELD_EVERY = 4;

    private final World world;
    private final int number;
    private final Cpu cpu;
    private final SplittableRandom dice;
    private final MirrorHandle mirror;
    private final MirrorHandle stray;
    private final Member root;
    private final List<Member> descendants = new ArrayList<>();
    private final long[] countersSeen = new long[Counters.count()];
    private final Map<String, Long> outcomes = new HashMap<>();
    private long sharedSeen;
    private Member running;

    /** A hand with a plot of its own in the shared process. */
    public Hand(final World world, final int number, final Cpu cpu, final SplittableRandom dice) {
        this.world = world;
        this.number = number;
        this.cpu = cpu;
        this.dice = dice;
        this.root = Member.root(world.root(), number);
        cpu.run(world.root());
        this.running = root;
        this.mirror =
                world.machine().newMirrorDevice(number).open(cpu, world.root().space());
        this.stray = mirror.device().open(cpu, world.root().space());
    }

    public World world() {
        return world;
    }

    public Cpu cpu() {
        return cpu;
    }

    public SplittableRandom dice() {
        return dice;
    }

    /**
     * The hand's handle of the test device on the shared process. Its requests to make pages exclusive never race with zaps, so
     * the referee may look at it.
     */
    public MirrorHandle mirror() {
        return mirror;
    }

    /**
     * Another handle of the hand's device, which no referee looks at: the driver maps a page that it has migrated without a
     * sequence check (dmirror_migrate_finalize_and_map, lib/test_hmm.c). Where a zap comes between, the page has been freed.
     */
    public MirrorHandle stray() {
        return stray;
    }

    /**
     * Whether the hand may make pages exclusive there. V3 restores the head of a large folio in the place of any of its pages:
     * what the page itself held is lost.
     */
    public boolean mayMakeExclusive(final Plot plot) {
        return !plot.isLarge() || !world.profile().restoreConfusesSubpages();
    }

    /**
     * By which handle it makes pages exclusive there. V9 hands out the head of a large folio for any of its pages: nobody looks
     * at what the device maps then, nor believes what it reads.
     */
    public MirrorHandle maker(final Plot plot) {
        return plot.isLarge() && world.profile().makeConfusesSubpages() ? world.wild() : mirror;
    }

    /** Its own file. */
    public Scroll scroll() {
        return world.scroll(number);
    }

    public Member root() {
        return root;
    }

    public List<Member> descendants() {
        return descendants;
    }

    /** The shared process, on the CPU. */
    public Member runRoot() {
        return run(root);
    }

    /** The shared process or a descendant, on the CPU. */
    public Member runAny() {
        final int choice = dice.nextInt(2 * (1 + descendants.size()));
        return run(choice < descendants.size() ? descendants.get(choice) : root);
    }

    public Member run(final Member member) {
        if (running != member) {
            running = member;
            cpu.run(member.process);
        }
        return member;
    }

    /** Runs nothing, so that the running process may exit or another one be run by hand. */
    public void runNone() {
        running = null;
        cpu.run(null);
    }

    /** Mostly the few pages, so that things meet; now and then the large folios. */
    public Plot choosePlot(final Member member) {
        return dice.nextInt(FIELD_EVERY) == 0 ? member.field : member.plot;
    }

    /** Whether one entry maps a large folio there. */
    public boolean isHuge(final Member member, final long addr) {
        return RadixTable.isHuge(member.process.space().pageTable().slot(addr));
    }

    /** Something that can't be had every time. */
    public void happened(final String what) {
        outcomes.merge(what, 1L, Long::sum);
    }

    /** What happened, and how often; once its thread has ended. */
    public Map<String, Long> outcomes() {
        return outcomes;
    }

    /** A value that has been nowhere else. */
    public long freshValue() {
        return world.tags().make(0xFF, number);
    }

    // ---- what is known ----------------------------------------------------------------------------------------

    /** Looks at a page of the plot of the process that the CPU runs. */
    public void checkPlotPage(final Member member, final Plot plot, final int number) {
        final Plot.Page page = plot.page(number);
        final long addr = plot.addr(number);
        final Signal signal = cpu.loadLong(addr);
        if (!page.mapped) {
            expect(signal == Signal.SEGV_MAPERR, member, plot, number, "read of an unmapped page: " + signal);
            return;
        }
        if (!page.isReadable()) {
            expect(signal == Signal.SEGV_ACCERR, member, plot, number, "read of a forbidden page: " + signal);
            return;
        }
        if (member.reaped && signal == Signal.BUS_ADRERR) {
            return;
        }
        expect(signal == Signal.NONE, member, plot, number, "read: " + signal);
        checkPlotWord(member, plot, number, cpu.value());
        final Signal second = cpu.loadLong(addr + World.PAGE - Long.BYTES);
        expect(second == Signal.NONE, member, plot, number, "second read: " + second);
        checkPlotWord(member, plot, number, cpu.value());
    }

    public void checkPlotWord(final Member member, final Plot plot, final int number, final long found) {
        final Plot.Page page = plot.page(number);
        if (!page.admits(found)) {
            throw new Finding(String.format(
                    "%s of %s: page %d of process %d holds 0x%x, expected %s",
                    name(plot), cpu.name(), number, member.lineage, found, page.expected()));
        }
    }

    private void expect(
            final boolean expected, final Member member, final Plot plot, final int page, final String what) {
        if (!expected) {
            throw new Finding(String.format(
                    "%s of %s: page %d of process %d: %s", name(plot), cpu.name(), page, member.lineage, what));
        }
    }

    private static String name(final Plot plot) {
        return plot.isLarge() ? "field" : "plot";
    }

    /** Looks at a page of the hand's file, in the process that the CPU runs. */
    public void checkScrollPage(final Member member, final int page, final boolean shared) {
        final Signal signal = cpu.loadLong(scroll().addr(page, shared));
        expectAtScroll(page, signal);
        if (signal == Signal.NONE) {
            checkScrollWord(member, page, shared, cpu.value(), "read");
        }
    }

    /** Behind the end of the file there is SIGBUS, and only there. */
    public void expectAtScroll(final int page, final Signal signal) {
        final Signal expected = page < scroll().size() ? Signal.NONE : Signal.BUS_ADRERR;
        Finding.require(
                signal == expected,
                "file of %s: access to page %d of %d: %s, expected %s",
                cpu.name(),
                page,
                scroll().size(),
                signal,
                expected);
    }

    /** A word that was found at the beginning of a page of the file. */
    public void checkScrollWord(
            final Member member, final int page, final boolean shared, final long found, final String how) {
        final Possible file = scroll().contents(page);
        final Possible expected = shared ? file : member.copies.seen(page, file);
        if (!expected.admits(found)) {
            throw new Finding(String.format(
                    "file of %s, %s: page %d of process %d holds 0x%x by %s, expected %s",
                    cpu.name(), shared ? "shared" : "private", page, member.lineage, found, how, expected));
        }
    }

    /** A page of the file was written, by one mapping or the other. */
    public void wroteScroll(final Member member, final int page, final boolean shared, final long value) {
        if (shared) {
            scroll().contents(page, Possible.of(value));
        } else {
            member.copies.copied(page, Possible.of(value));
        }
    }

    /** A counter of the shared process was read: it may not run backwards. */
    public void sawCounter(final int counter, final long value, final String how) {
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

    /** The shared word was read. */
    public void sawShared(final long value) {
        Finding.require(
                value >= sharedSeen, "shared memory ran backwards: %s read %d after %d", cpu.name(), value, sharedSeen);
        sharedSeen = value;
    }

    /** Everybody has stopped: the hand's plots hold what they must, and its descendants go. */
    public void finish() {
        for (int i = descendants.size() - 1; i >= 0; i--) {
            final Member member = run(descendants.get(i));
            checkPlots(member);
            runNone();
            member.process.exit(cpu);
        }
        descendants.clear();
        checkPlots(runRoot());
        runNone();
        stray.close(cpu);
        mirror.close(cpu);
    }

    private void checkPlots(final Member member) {
        for (int page = 0; page < Scroll.PAGES && !member.reaped; page++) {
            checkScrollPage(member, page, true);
            checkScrollPage(member, page, false);
        }
        for (final Plot plot : List.of(member.plot, member.field)) {
            for (int page = 0; page < plot.count(); page++) {
                checkPlotPage(member, plot, page);
            }
        }
    }
}
