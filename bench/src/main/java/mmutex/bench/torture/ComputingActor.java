package mmutex.bench.torture;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import mmutex.bench.run.ActorThread;
import mmutex.bench.run.StartingLine;
import mmutex.bench.run.StopSignal;
import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Tags;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.device.DeviceWorker;
import mmutex.device.LaneProgram;
import mmutex.device.SvmDevice;

/**
 * A device that computes: its lanes add to counters by device atomics, and read and write common pages and those of a
 * file. A lane whose fault
 * was cancelled, since the page had just been taken away or write-protected, starts again.
 */
final class ComputingActor extends ActorThread {
    /** Of this many choices one is no counter. */
    private static final int DETOUR = 8;

    /** Additions to one counter in a row at most: CPUs must get a chance to break in. */
    private static final int BURST = 1024;

    private final SvmDevice device;
    private final World world;
    private final Gate gate;
    private final boolean usesCommons;
    private final SplittableRandom seeds;
    private final Program[] programs;
    private final AtomicLong additions = new AtomicLong();
    private boolean parked;

    ComputingActor(
            final SvmDevice device,
            final World world,
            final SplittableRandom seeds,
            final Gate gate,
            final StopSignal stop,
            final StartingLine line) {
        super(device.worker().name(), stop, line);
        this.device = device;
        this.world = world;
        this.gate = gate;
        this.seeds = seeds;
        // A driver of V3 can't notice a zap between make and map: its mappings of pages that are zapped may be stale.
        this.usesCommons = device.platform().profile().makePassesOwner();
        this.programs = new Program[device.lanes().size()];
    }

    @Override
    protected void prepare() {
        for (final DeviceLane lane : device.lanes()) {
            programs[lane.id()] = new Program(seeds.split());
            lane.start(programs[lane.id()]);
        }
    }

    @Override
    protected void work() {
        final DeviceWorker worker = device.worker();
        long looks = 0;
        try {
            while (!(stop().isSet() && worker.isFinished())) {
                if (!worker.work()) {
                    worker.idle();
                }
                restartCancelled();
                park(gate.isClosed() && !isMissing());
                progress().operations(++looks);
                if (looks % 4 == 0) {
                    Thread.yield();
                }
            }
        } finally {
            worker.stop();
            if (!parked) {
                gate.park();
            }
        }
    }

    private void restartCancelled() {
        for (final DeviceLane lane : device.lanes()) {
            if (lane.isCancelled() && !stop().isSet()) {
                programs[lane.id()].abandon();
                lane.start(programs[lane.id()]);
            }
        }
    }

    /** Parked, the worker goes on serving its ring: others may still wait for it on their way to the gate. */
    private void park(final boolean park) {
        if (park != parked) {
            parked = park;
            if (park) {
                gate.park();
            } else {
                gate.unpark();
            }
        }
    }

    private boolean isMissing() {
        for (final Program program : programs) {
            if (program.missing) {
                return true;
            }
        }
        return false;
    }

    SvmDevice device() {
        return device;
    }

    /** Device atomics performed. */
    long additions() {
        return additions.get();
    }

    /** What one lane does. Run by the device's worker. */
    private final class Program implements LaneProgram {
        private final SplittableRandom dice;
        private boolean missing;
        private boolean chosen;
        private int left;
        private int counter;
        private int detour;
        private boolean write;
        private boolean atomic;

        Program(final SplittableRandom dice) {
            this.dice = dice;
        }

        @Override
        public boolean step(final DeviceLane lane) {
            missing = false;
            if (stop().isSet()) {
                return false;
            }
            if (gate.isClosed()) {
                return true;
            }
            choose();
            if (detour < 0) {
                add(lane);
            } else {
                makeDetour(lane);
            }
            return true;
        }

        private void choose() {
            if (!chosen) {
                chosen = true;
                left = 1 + dice.nextInt(BURST);
                counter = Counters.chooseForDevice(dice, device.platform().profile());
                detour = usesCommons && dice.nextInt(DETOUR) == 0 ? dice.nextInt(World.DETOURS) : -1;
                write = dice.nextBoolean();
                atomic = dice.nextBoolean();
            }
        }

        private void abandon() {
            chosen = false;
            missing = false;
        }

        private void add(final DeviceLane lane) {
            if (done(lane.modifyLong(Counters.addr(counter), DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0))) {
                world.counters().added(counter);
                additions.incrementAndGet();
                chosen = --left > 0;
            }
        }

        private void makeDetour(final DeviceLane lane) {
            final long addr = World.detourAddr(detour);
            final long tag = world.tags().make(World.detourTag(detour), Tags.ROOT_LINEAGE);
            if (write && atomic && World.isExclusiveDetour(detour)) {
                done(lane.modifyLong(addr, DeviceAccess.ATOMIC, DeviceOperation.EXCHANGE, tag, 0));
            } else if (write) {
                done(lane.storeLong(addr, tag));
            } else if (done(lane.loadLong(addr)) && !isExpected(lane.value())) {
                throw new Finding(String.format(
                        "device %d: detour %d holds 0x%x, which nobody wrote there",
                        device.id(), detour, lane.value()));
            }
        }

        /** All processes share the file. */
        private boolean isExpected(final long word) {
            return word == 0
                    || Tags.isFor(word, World.detourTag(detour))
                            && (!World.isExclusiveDetour(detour) || Tags.isByRoot(word));
        }

        private boolean done(final boolean hit) {
            missing = !hit;
            chosen = !hit;
            return hit;
        }
    }
}
