package mmutex.bench.run.workload;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceAccess;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.Task;

/**
 * The counters of {@code svm-counters} and two pages more, which CPUs write now and then: one is discarded again and
 * again, the other's protection is toggled. A third disturber forks. None of this may cost an increment.
 */
final class StormScene implements Scene {
    /** Operations on counters between two writes to the other pages. */
    private static final int DETOUR_INTERVAL = 64;

    private final CounterScene counters;
    private final Stage stage;
    private final long discarded;
    private final long toggled;

    StormScene(final Stage stage) {
        this.stage = stage;
        this.counters = new CounterScene(stage, DeviceAccess.ATOMIC, false);
        // Holes between them: mappings of their own, behind the same table of entries.
        this.discarded = Stage.BASE + (stage.pages() + 1) * stage.pageSize();
        this.toggled = discarded + 2 * stage.pageSize();
        stage.map(discarded, 1);
        stage.map(toggled, 1);
    }

    @Override
    public CpuProgram cpuProgram(final int cpu) {
        return new Detours(counters.cpuProgram(cpu));
    }

    @Override
    public DeviceProgram deviceProgram(final int device, final int lane) {
        return counters.deviceProgram(device, lane);
    }

    @Override
    public List<Disturbance> disturbances() {
        return List.of(new Discarding(), new Forking(stage.process()), new Toggling());
    }

    @Override
    public Verdict verdict(final Cpu cpu) {
        return counters.verdict(cpu);
    }

    private static void require(final boolean expected, final String call, final Errno errno) {
        if (!expected) {
            throw new IllegalStateException(call + " failed: errno=" + errno);
        }
    }

    /** A CPU's program that also writes to the two pages now and then. */
    private final class Detours implements CpuProgram {
        private final CpuProgram program;
        private int steps;

        Detours(final CpuProgram program) {
            this.program = program;
        }

        @Override
        public void step(final Cpu cpu) {
            program.step(cpu);
            if (++steps % DETOUR_INTERVAL == 0) {
                Signals.requireNone(cpu.storeLong(discarded, steps), discarded);
                final Signal signal = cpu.storeLong(toggled, steps);
                if (signal != Signal.SEGV_ACCERR) { // read-only at the moment
                    Signals.requireNone(signal, toggled);
                }
            }
        }
    }

    /** MADV_DONTNEED, again and again. */
    private final class Discarding implements Disturbance {
        private long calls;

        @Override
        public String name() {
            return "discarder";
        }

        @Override
        public void step(final Task task) {
            final Errno errno = stage.process().madvise(task, discarded, stage.pageSize(), Advice.DONTNEED);
            require(errno == Errno.OK, "madvise", errno);
            calls++;
        }

        @Override
        public Map<String, Long> tally() {
            return Map.of("MADV_DONTNEED", calls);
        }
    }

    /** mprotect to read-only and back. */
    private final class Toggling implements Disturbance {
        private long calls;

        @Override
        public String name() {
            return "protector";
        }

        @Override
        public void step(final Task task) {
            final long protection = calls % 2 == 0 ? VmFlags.READ : VmFlags.READ | VmFlags.WRITE;
            final Errno errno = stage.process().mprotect(task, toggled, stage.pageSize(), protection);
            require(errno == Errno.OK, "mprotect", errno);
            calls++;
        }

        @Override
        public Map<String, Long> tally() {
            return Map.of("mprotect", calls);
        }
    }

    /** Forks a child that exits at once. The kernel, too, refuses a fork that meets a page in a driver's hands (Q10). */
    private static final class Forking implements Disturbance {
        private final Process parent;
        private long children;
        private long refused;

        Forking(final Process parent) {
            this.parent = parent;
        }

        @Override
        public String name() {
            return "forker";
        }

        @Override
        public void step(final Task task) {
            final Process.Forked forked = parent.fork(task);
            require(forked.errno() == Errno.OK || forked.errno() == Errno.ENOMEM, "fork", forked.errno());
            if (forked.errno() == Errno.OK) {
                forked.child().exit(task);
                children++;
            } else {
                refused++;
            }
        }

        @Override
        public Map<String, Long> tally() {
            final Map<String, Long> tally = new LinkedHashMap<>();
            tally.put("fork and exit", children);
            tally.put("fork refused (ENOMEM)", refused);
            return tally;
        }
    }
}
