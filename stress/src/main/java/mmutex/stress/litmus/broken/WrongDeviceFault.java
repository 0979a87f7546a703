package mmutex.stress.litmus.broken;

import static mmutex.stress.litmus.broken.Twin.Shows.BY_INTERLEAVING;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import mmutex.device.DeviceLane;
import mmutex.device.DevicePageTable;
import mmutex.device.DevicePte;
import mmutex.device.DriverSpec;
import mmutex.device.SvmDevice;
import mmutex.memory.Words;
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

/** Twins of {@code DeviceFaultStress}. */
public final class WrongDeviceFault {
    private WrongDeviceFault() {}

    /** The driver resolves what the lane missed the time before. */
    @JCStressTest
    @Twin(breaks = "fault-queue", shows = BY_INTERLEAVING)
    @Description("Puts a fault on the queue before its fields are set.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "the driver reads what the fault said before")
    @State
    public static class PutBeforeFields {
        private static final Words WORDS = Slab.words();

        private final long queued = Slab.offset(Slab.next());
        private final long addr = queued + Slab.FAR;

        @Actor
        public void engine() {
            WORDS.storeRelease(queued, 1);
            WORDS.store(addr, 1);
        }

        @Actor
        public void driver(final I_Result r) {
            r.r1 = WORDS.loadAcquire(queued) == 0 ? -1 : (int) WORDS.load(addr);
        }
    }

    /** Core's own lane and table; the driver's two steps are swapped. */
    @JCStressTest
    @Twin(breaks = "lane-replay", shows = BY_INTERLEAVING)
    @Description("Replays a stalled lane before the device table is programmed.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "the replayed lane misses again")
    @State
    public static class ReplayBeforeEntry {
        private static final int PAGE_SHIFT = 12;
        private static final long PFN_ONE = 1L << 8;
        private static final SvmDevice DEVICE = new SvmDevice(
                1,
                100,
                new AddressSpace(1, World.PLATFORM),
                Slab.PLACES,
                Delivery.INLINE,
                1,
                DriverSpec.defaults().withFaultCapacity(Slab.PLACES),
                System::nanoTime);
        private static final DevicePageTable TABLE = DEVICE.table();

        private final int place = Slab.next();
        private final long addr = (long) place << PAGE_SHIFT;
        private final DeviceLane lane = DEVICE.lanes().get(place);
        private int outcome;

        public ReplayBeforeEntry() {
            TABLE.erase(World.task(), place, place + 1L);
            lane.start(this::access);
            synchronized (DEVICE) { // one engine and one consumer of the queue at a time
                CoreSteps.step(lane);
                while (CoreSteps.pollFault(DEVICE) != null) { // also those of lanes that missed again
                    Thread.onSpinWait();
                }
            }
            outcome = -1;
        }

        private boolean access(final DeviceLane self) {
            outcome = self.loadLong(addr) ? 1 : 0;
            return true;
        }

        @Actor
        public void driver() {
            CoreSteps.replay(lane);
            TABLE.store(place, PFN_ONE | DevicePte.VALID);
        }

        @Actor
        public void engine(final I_Result r) {
            CoreSteps.step(lane);
            r.r1 = outcome;
        }
    }
}
