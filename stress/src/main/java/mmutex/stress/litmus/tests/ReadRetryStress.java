package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceAccess;
import mmutex.device.DevicePte;
import mmutex.device.SvmDevice;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.memory.Words;
import mmutex.mm.PageTable;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierState;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import mmutex.sync.DriverLock;
import mmutex.sync.SrcuDomain;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * The collision-retry protocol: read_begin and read_retry against start and end. {@code ORDER(hmm-lockless-read)}: the
 * entry is read without its lock, and what makes that harmless is that its change also moves the reader's sequence, which
 * {@code ORDER(driver-lock)} and {@code ORDER(spin-lock)} carry.
 */
public final class ReadRetryStress {
    private static final long PAGE_SIZE = 0x1000;

    private ReadRetryStress() {}

    /** The bare protocol on one word. */
    @JCStressTest
    @Description(
            "A driver samples, reads an entry and programs its table unless it collided; the entry is changed in a span.")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "programmed the old entry, which the callback then erased")
    @Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "programmed the new entry")
    @Outcome(id = "-1, 0", expect = ACCEPTABLE, desc = "collided: nothing programmed, the driver would start over")
    @Outcome(
            expect = FORBIDDEN,
            desc = "the device keeps what the CPU's table no longer says: ORDER(hmm-lockless-read), ORDER(driver-lock)")
    @State
    public static class SampleAgainstSpan {
        private static final long OLD = 1;
        private static final long NEW = 2;
        private static final SrcuDomain SRCU = new SrcuDomain();
        private static final Words WORDS = Slab.words();
        private static final mmutex.sync.Actor DRIVER = new mmutex.sync.Actor(1, "driver");
        private static final mmutex.sync.Actor CHANGER = new mmutex.sync.Actor(2, "changer");

        private final long entry = Slab.offset(Slab.next());
        private final NotifierState notifiers = new NotifierState(SRCU);
        private final DriverLock lock = new DriverLock(1);
        private final NotifierRange range = new NotifierRange();
        private final IntervalSubscription subscription = new IntervalSubscription((actor, hit, r, sequence) -> {
            lock.lock(actor);
            hit.setSeq(sequence);
            mapped = 0;
            lock.unlock(actor);
            return true;
        });
        private long mapped;

        public SampleAgainstSpan() {
            WORDS.storeRelease(entry, OLD);
            range.init(NotifierEvent.CLEAR, 0, PAGE_SIZE);
            notifiers.publish(true);
            notifiers.insert(World.task(), subscription, 0, PAGE_SIZE - 1);
        }

        @Actor
        public void driver(final II_Result r) {
            final long sample = subscription.readBegin(DRIVER);
            final long seen = WORDS.loadAcquire(entry);
            lock.lock(DRIVER);
            if (subscription.readRetry(sample)) {
                r.r1 = -1;
            } else {
                mapped = seen;
                r.r1 = (int) seen;
            }
            lock.unlock(DRIVER);
        }

        @Actor
        public void changer() {
            notifiers.start(CHANGER, range);
            WORDS.storeRelease(entry, NEW);
            notifiers.end(CHANGER, range);
        }

        @Arbiter
        public void left(final II_Result r) {
            r.r2 = (int) mapped;
        }
    }

    /** The emulator's driver and a real change. */
    @JCStressTest
    @Description("The driver resolves a write fault, by hmm_range_fault, while MADV_DONTNEED takes the page away.")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "the page was taken away last: the device maps nothing")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the fault was resolved last: the device maps what the CPU maps")
    @Outcome(
            expect = FORBIDDEN,
            desc =
                    "the device maps a frame that the CPU's table no longer has: ORDER(hmm-lockless-read), ORDER(driver-lock)")
    @State
    public static class ResolveAgainstDiscard {
        private static final Machine MACHINE =
                new Machine(MachineSpec.defaults().withCpus(1).withDelivery(Delivery.INLINE));
        private static final Task CHANGER = MACHINE.newTask("changer");
        private static final Process PROCESS = MACHINE.newProcess();
        private static final SvmDevice DEVICE;
        private static final PageTable TABLE = PROCESS.space().pageTable();

        static {
            PROCESS.mmap(CHANGER, PAGE_SIZE, Slab.PLACES * PAGE_SIZE, VmFlags.READ | VmFlags.WRITE);
            DEVICE = MACHINE.newDevice(CHANGER, PROCESS, 1, System::nanoTime);
        }

        private final long addr = (Slab.next() + 1L) * PAGE_SIZE;

        @Actor
        public void driver() {
            DEVICE.driver().resolve(DEVICE.worker(), addr, DeviceAccess.WRITE);
        }

        @Actor
        public void changer() {
            PROCESS.madvise(CHANGER, addr, PAGE_SIZE, Advice.DONTNEED);
        }

        @Arbiter
        public void compareAndFree(final I_Result r) {
            final long device = DEVICE.table().load(addr / PAGE_SIZE);
            if (!DevicePte.has(device, DevicePte.VALID)) {
                r.r1 = -1;
            } else {
                final long slot = TABLE.slot(addr);
                final long cpu = slot == PageTable.NO_SLOT ? 0 : TABLE.load(slot);
                final PteEncoding encoding = PROCESS.space().encoding();
                r.r1 = encoding.isPresent(cpu) && encoding.frameNumber(cpu) == DevicePte.frameNumber(device) ? 1 : 0;
            }
            PROCESS.madvise(World.task(), addr, PAGE_SIZE, Advice.DONTNEED);
        }
    }
}
