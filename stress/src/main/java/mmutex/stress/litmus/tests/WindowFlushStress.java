package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.device.DevicePageTable;
import mmutex.device.DevicePte;
import mmutex.layout.PteEncoding;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.memory.FrameData;
import mmutex.memory.Words;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import mmutex.sync.AccessWindow;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;

/**
 * {@code ORDER(window-flush)}, {@code ORDER(window-close)}, {@code ORDER(tlb-generation)}: when a flush returns, no
 * access under the old translation is in progress or can begin.
 */
public final class WindowFlushStress {
    private static final int PAGE_SHIFT = 12;

    private WindowFlushStress() {}

    /** The bare protocol: one window, one entry. */
    @JCStressTest
    @Description("A CPU accesses memory through an entry while the entry is cleared and flushed.")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "cleared before the CPU looked: it would fault")
    @Outcome(
            id = "1, 1",
            expect = ACCEPTABLE,
            desc = "the access came first, the flusher waited for it and sees its store")
    @Outcome(
            expect = FORBIDDEN,
            desc = "the flush returned before an access through the old entry was over:"
                    + " ORDER(window-flush), ORDER(window-close)")
    @State
    public static class AccessAgainstFlush {
        private static final mmutex.sync.Actor FLUSHER = new mmutex.sync.Actor(2, "flusher");
        private static final AddressSpace SPACE = new AddressSpace(1, World.PLATFORM);
        private static final PageTable TABLE = SPACE.pageTable();
        private static final PteEncoding ENCODING = SPACE.encoding();
        private static final AccessWindow WINDOW = World.PLATFORM.windows()[0];
        private static final Words DATA = Slab.words();

        static {
            SPACE.windows().enter(0);
        }

        private final int place = Slab.next();
        private final long slot = TABLE.slotOrCreate((long) place << PAGE_SHIFT);
        private final long word = Slab.offset(place);

        public AccessAgainstFlush() {
            TABLE.store(slot, World.presentEntry(1));
        }

        @Actor
        public void cpu(final II_Result r) {
            WINDOW.open();
            final boolean present = ENCODING.isPresent(TABLE.load(slot));
            if (present) {
                DATA.storeOpaque(word, 1);
            }
            WINDOW.close();
            r.r1 = present ? 1 : 0;
        }

        @Actor
        public void flusher(final II_Result r) {
            TABLE.clearFlush(FLUSHER, slot);
            r.r2 = (int) DATA.loadOpaque(word);
        }
    }

    /** The emulated CPU with its TLB: the first access walks or faults, the second finds the cached translation or not. */
    @JCStressTest
    @Description("A CPU stores twice to a page while its entry is cleared and flushed; no VMA, so a fault is a signal.")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "cleared before the first store")
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "cleared between the two stores")
    @Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "cleared after both stores")
    @Outcome(
            expect = FORBIDDEN,
            desc =
                    "a store landed after the flush had returned: ORDER(window-flush), ORDER(window-close) if in progress,"
                            + " ORDER(tlb-generation) if through the TLB")
    @State
    public static class CpuAgainstFlush {
        private static final int LINES_SHIFT = 6;
        private static final Machine MACHINE =
                new Machine(MachineSpec.defaults().withCpus(1));
        private static final mmutex.sync.Actor FLUSHER = new mmutex.sync.Actor(99, "flusher");
        private static final Process PROCESS = MACHINE.newProcess();
        private static final Cpu CPU = MACHINE.cpu(0);
        private static final PageTable TABLE = PROCESS.space().pageTable();
        private static final FrameData DATA = MACHINE.platform().data();
        private static final long[] FRAMES = new long[Slab.PLACES >>> LINES_SHIFT];

        static {
            CPU.run(PROCESS);
            for (int i = 0; i < FRAMES.length; i++) {
                FRAMES[i] = MACHINE.platform().allocator().allocateZeroed();
            }
        }

        private final int place = Slab.next();
        private final long pfn = FRAMES[place >>> LINES_SHIFT];
        private final int offset = (place & (1 << LINES_SHIFT) - 1) << LINES_SHIFT;
        private final long addr = ((long) place << PAGE_SHIFT) + offset;
        private final long slot = TABLE.slotOrCreate(addr);

        public CpuAgainstFlush() {
            DATA.storeLong(DATA.position(pfn, offset), 0);
            TABLE.store(slot, World.presentEntry(pfn));
        }

        @Actor
        public void cpu() {
            CPU.storeLong(addr, 1);
            CPU.storeLong(addr, 2);
        }

        @Actor
        public void flusher(final JJ_Result r) {
            TABLE.clearFlush(FLUSHER, slot);
            r.r1 = DATA.loadLong(DATA.position(pfn, offset));
        }

        @Arbiter
        public void lastSeen(final JJ_Result r) {
            r.r2 = DATA.loadLong(DATA.position(pfn, offset));
        }
    }

    /** The same for a device, whose driver erases an entry and drains. */
    @JCStressTest
    @Description("An engine stores through a device entry while the driver erases it.")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "erased before the engine looked: it misses")
    @Outcome(
            id = "1, 1",
            expect = ACCEPTABLE,
            desc = "the access came first, the driver waited for it and sees its store")
    @Outcome(
            expect = FORBIDDEN,
            desc = "erase returned before an access through the old entry was over:"
                    + " ORDER(window-flush), ORDER(window-close)")
    @State
    public static class AccessAgainstErase {
        private static final mmutex.sync.Actor DRIVER = new mmutex.sync.Actor(2, "driver");
        private static final DevicePageTable TABLE = new DevicePageTable(World.PLATFORM, 1);
        private static final AccessWindow WINDOW = TABLE.window(0);
        private static final Words DATA = Slab.words();

        private final int place = Slab.next();
        private final long word = Slab.offset(place);

        public AccessAgainstErase() {
            TABLE.store(place, DevicePte.VALID | DevicePte.WRITE);
        }

        @Actor
        public void engine(final II_Result r) {
            WINDOW.open();
            final boolean hit = DevicePte.has(TABLE.load(place), DevicePte.WRITE);
            if (hit) {
                DATA.storeOpaque(word, 1);
            }
            WINDOW.close();
            r.r1 = hit ? 1 : 0;
        }

        @Actor
        public void driver(final II_Result r) {
            TABLE.erase(DRIVER, place, place + 1L);
            r.r2 = (int) DATA.loadOpaque(word);
        }
    }
}
