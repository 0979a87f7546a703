package mmutex.bench.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import mmutex.check.CheckReport;
import mmutex.check.InvariantChecker;
import mmutex.machine.Machine;
import mmutex.memory.FrameAllocator;
import mmutex.mm.Task;

/** Has the invariants checked now and then and at the end, and keeps count. Used by one thread. */
public final class Referee {
    private final Machine machine;
    private final Task task;
    private final InvariantChecker checker;
    private final Set<String> checked = new TreeSet<>();
    private final List<String> violations = new ArrayList<>();
    private int timesDuring;

    /** A referee whose task makes the look-ups. */
    public Referee(final Machine machine, final Task task) {
        this(machine, task, new InvariantChecker(machine));
    }

    /** One with a checker that knows of more than the machine does. */
    public Referee(final Machine machine, final Task task, final InvariantChecker checker) {
        this.machine = machine;
        this.task = task;
        this.checker = checker;
    }

    /** While others work. Returns whether all is well. */
    public boolean checkNow() {
        timesDuring++;
        add(checker.now(task));
        return violations.isEmpty();
    }

    /** Nobody works any more. */
    public void checkAtEnd() {
        add(checker.atQuiescence(task));
    }

    /** All processes have exited: nothing may be left. */
    public void checkNothingLeft() {
        final long frames = machine.platform().allocator().inUse() - kept();
        if (frames != 0) {
            violations.add("leak: " + frames + " frames in use after the last process has exited");
        }
        final long tables = machine.platform().tables().inUse();
        if (tables != 0) {
            violations.add("leak: " + tables + " page tables in use after the last process has exited");
        }
    }

    /** The huge page of zeroes is everybody's, and stays once anybody has read it; so does the pool of huge pages. */
    private long kept() {
        final boolean hasZeroes = machine.platform().hugeZero().current() != FrameAllocator.NONE;
        final int pool = machine.platform().hugePages().free(task);
        return (hasZeroes ? machine.platform().frames().compoundFrames() : 0)
                + (long) pool * machine.platform().hugePages().framesPerPage();
    }

    public Outcome outcome() {
        return new Outcome(checked.size(), timesDuring, List.copyOf(violations));
    }

    private void add(final CheckReport report) {
        checked.addAll(report.checkedInvariants());
        violations.addAll(report.violations());
    }

    /**
     * What was checked.
     *
     * @param invariants different ones
     * @param timesDuring times while the actors worked, besides the end
     * @param violations a line each
     */
    public record Outcome(int invariants, int timesDuring, List<String> violations) {}
}
