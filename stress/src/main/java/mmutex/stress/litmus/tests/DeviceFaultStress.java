package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicLong;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DevicePageTable;
import mmutex.device.DevicePte;
import mmutex.device.DriverSpec;
import mmutex.device.SvmDevice;
import mmutex.mm.AddressSpace;
import mmutex.notify.Delivery;
import mmutex.stress.litmus.support.CoreSteps;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * {@code ORDER(fault-queue)} and {@code ORDER(lane-replay)}: the way of a device's fault to its driver and back.
 *
 * <p>Today one worker is engine and driver; these are promises for devices with engines of their own.
 */
public final class DeviceFaultStress {
    private static final int PAGE_SHIFT = 12;
    private static final long PFN_ONE = 1L << 8;

    private DeviceFaultStress() {}

    private static SvmDevice newDevice() {
        final AddressSpace space = new AddressSpace(1, World.PLATFORM);
        final DriverSpec spec = DriverSpec.defaults().withFaultCapacity(Slab.PLACES);
        return new SvmDevice(1, 100, space, Slab.PLACES, Delivery.INLINE, 1, spec, System::nanoTime);
    }

    /** A lane's only fault is used for all its misses: the driver must read what belongs to this one. */
    @JCStressTest
    @Description("A lane misses and puts its fault on the queue; the driver takes it.")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the driver reads the fault's address and access")
    @Outcome(expect = FORBIDDEN, desc = "the driver reads what the fault said before: ORDER(fault-queue)")
    @State
    public static class MissAgainstPoll {
        private static final SvmDevice DEVICE = newDevice();
        private static final AtomicLong NEXT_PAGE = new AtomicLong();
        private static final long PAGES_MASK = (1L << 34) - 1;

        private final DeviceLane lane = DEVICE.lanes().get(Slab.next());
        private final long addr = (NEXT_PAGE.incrementAndGet() & PAGES_MASK) << PAGE_SHIFT;

        @Actor
        public void engine() {
            if ((addr & 1L << PAGE_SHIFT) == 0) {
                lane.loadLong(addr);
            } else {
                lane.storeLong(addr, 1);
            }
        }

        @Actor
        public void driver(final I_Result r) {
            Object fault;
            do { // ends: the engine puts one fault for each that is taken here
                Thread.onSpinWait();
                fault = CoreSteps.pollFault(DEVICE);
            } while (fault == null);
            final DeviceAccess expected = (addr & 1L << PAGE_SHIFT) == 0 ? DeviceAccess.READ : DeviceAccess.WRITE;
            r.r1 = CoreSteps.faultAddress(fault) == addr && CoreSteps.faultAccess(fault) == expected ? 1 : 0;
        }
    }

    /** The replay. */
    @JCStressTest
    @Description("A driver programs the device table and replays a lane that is stalled there.")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "still stalled")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "replayed, and the access hits")
    @Outcome(
            expect = FORBIDDEN,
            desc = "replayed before the table was programmed: the lane misses again. ORDER(lane-replay)")
    @State
    public static class ReplayAgainstStep {
        private static final SvmDevice DEVICE = newDevice();
        private static final DevicePageTable TABLE = DEVICE.table();

        private final int place = Slab.next();
        private final long addr = (long) place << PAGE_SHIFT;
        private final DeviceLane lane = DEVICE.lanes().get(place);
        private int outcome;

        public ReplayAgainstStep() {
            TABLE.erase(World.task(), place, place + 1L);
            lane.start(this::access);
            synchronized (DEVICE) { // one engine and one consumer of the queue at a time
                CoreSteps.step(lane);
                CoreSteps.pollFault(DEVICE);
            }
            outcome = -1;
        }

        private boolean access(final DeviceLane self) {
            outcome = self.loadLong(addr) ? 1 : 0;
            return true;
        }

        @Actor
        public void driver() {
            TABLE.store(place, PFN_ONE | DevicePte.VALID);
            CoreSteps.replay(lane);
        }

        @Actor
        public void engine(final I_Result r) {
            CoreSteps.step(lane);
            r.r1 = outcome;
        }
    }
}
