package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import mmutex.check.InvariantChecker;
import mmutex.device.DeviceBuffer;
import mmutex.device.DevicePte;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.PageMap.PageState;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;

/** The kernel selftest's fixture: a process, a buffer, one or two test devices, and a log of every notification. */
final class Rig {
    /** The test device's tags. */
    static final long ATOMIC = DevicePte.VALID | DevicePte.ATOMIC;

    static final long WRITE = DevicePte.VALID | DevicePte.WRITE;

    static final long BUFFER = 0x1000_0000L;
    static final int PAGE = 4096;
    static final int WORDS = PAGE / Integer.BYTES;
    static final long RW = VmFlags.READ | VmFlags.WRITE;

    /** One notification. */
    record Event(NotifierEvent event, long startPage, long endPage, long owner) {}

    final Machine machine;
    final Process process;
    final Cpu cpu;
    final Cpu other;
    final List<MirrorHandle> devices = new ArrayList<>();
    final List<Event> events = new ArrayList<>();

    Rig(final SemanticProfile profile, final int deviceCount) {
        machine = new Machine(MachineSpec.defaults()
                .withProfile(profile)
                .withDelivery(Delivery.INLINE)
                .withCpus(2));
        process = machine.newProcess();
        cpu = machine.cpu(0);
        other = machine.cpu(1);
        cpu.run(process);
        process.space().register(cpu, new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                synchronized (events) {
                    events.add(new Event(
                            range.event(),
                            (range.start() - BUFFER) / PAGE,
                            (range.end() - BUFFER) / PAGE,
                            range.event() == NotifierEvent.EXCLUSIVE ? range.owner() : 0));
                }
                return true;
            }
        });
        for (int i = 0; i < deviceCount; i++) {
            devices.add(machine.newMirrorDevice(i).open(cpu, process.space()));
        }
    }

    SemanticProfile profile() {
        return machine.spec().profile();
    }

    MirrorHandle device() {
        return devices.get(0);
    }

    void map(final int pages) {
        assertThat(process.mmap(cpu, BUFFER, (long) pages * PAGE, RW)).isEqualTo(Errno.OK);
    }

    long addr(final int page) {
        return BUFFER + (long) page * PAGE;
    }

    /** Word k of the buffer becomes k + base. */
    void writePattern(final Cpu by, final int pages, final int base) {
        for (int k = 0; k < pages * WORDS; k++) {
            assertThat(by.storeInt(BUFFER + 4L * k, k + base)).isEqualTo(Signal.NONE);
        }
    }

    /** Pages with the pattern, each of which the first device has made exclusive. */
    void mapExclusive(final int pages) {
        map(pages);
        writePattern(cpu, pages, 0);
        device().exclusive(cpu, BUFFER, pages, DeviceBuffer.ofArray(new byte[pages * PAGE]));
    }

    /** Every word k must be k + base, and becomes k + base + 1. */
    void incrementPattern(final Cpu by, final int pages, final int base) {
        for (int k = 0; k < pages * WORDS; k++) {
            final long addr = BUFFER + 4L * k;
            by.loadInt(addr);
            if (by.value() != k + base || by.storeInt(addr, k + base + 1) != Signal.NONE) {
                throw new AssertionError("word " + k + " was " + by.value() + ", expected " + (k + base));
            }
        }
    }

    void expectPattern(final Cpu by, final int pages, final int base) {
        for (int k = 0; k < pages * WORDS; k++) {
            by.loadInt(BUFFER + 4L * k);
            if (by.value() != k + base) {
                throw new AssertionError("word " + k + " was " + by.value() + ", expected " + (k + base));
            }
        }
    }

    static void expectPattern(final byte[] mirror, final int base) {
        expectPattern(mirror, 0, base);
    }

    /** From a word on. */
    static void expectPattern(final byte[] mirror, final int firstWord, final int base) {
        final ByteBuffer words = ByteBuffer.wrap(mirror).order(ByteOrder.nativeOrder());
        for (int k = firstWord; k < mirror.length / 4; k++) {
            if (words.getInt(4 * k) != k + base) {
                throw new AssertionError("mirror word " + k + " was " + words.getInt(4 * k));
            }
        }
    }

    static byte[] pattern(final int pages, final int base) {
        final ByteBuffer words = ByteBuffer.allocate(pages * PAGE).order(ByteOrder.nativeOrder());
        for (int k = 0; k < pages * WORDS; k++) {
            words.putInt(4 * k, k + base);
        }
        return words.array();
    }

    PageState state(final int page) {
        return process.pagemap(cpu, addr(page));
    }

    PteKind kind(final int page) {
        return state(page).kind();
    }

    /** Frames of the first pages, wherever their entries are at the moment. */
    long[] frames(final int pages) {
        final long[] frames = new long[pages];
        for (int page = 0; page < pages; page++) {
            frames[page] = state(page).frame();
        }
        return frames;
    }

    long refCount(final int page) {
        return machine.platform().frames().refCount(state(page).frame());
    }

    boolean isWritable(final int page) {
        final long slot = process.space().pageTable().slot(addr(page));
        final long pte = process.space().pageTable().load(slot);
        return machine.platform().encoding().isPresent(pte)
                && machine.platform().encoding().isWritable(pte);
    }

    boolean isDirty(final int page) {
        final long slot = process.space().pageTable().slot(addr(page));
        return machine.platform().encoding().isDirty(process.space().pageTable().load(slot));
    }

    /** The device's entry, without its frame. */
    long tag(final MirrorHandle handle, final int page) {
        return handle.table().load(addr(page) / PAGE) & 0xff;
    }

    boolean deviceMaps(final MirrorHandle handle, final int page) {
        final long vpn = addr(page) / PAGE;
        return handle.table().nextValid(vpn, vpn + 1) == vpn;
    }

    List<Event> drainEvents() {
        synchronized (events) {
            final List<Event> copy = List.copyOf(events);
            events.clear();
            return copy;
        }
    }

    InvariantChecker checker() {
        final InvariantChecker checker = new InvariantChecker(machine);
        devices.forEach(checker::with);
        return checker;
    }

    /** Close the devices, unmap, and nothing is left: the selftest's "clean", with the counting invariants. */
    void closeAndCheckClean(final int pages) {
        checker().atQuiescence(cpu).orThrow();
        devices.forEach(device -> device.close(cpu));
        devices.clear();
        process.munmap(cpu, BUFFER, (long) pages * PAGE);
        checker().atQuiescence(cpu).orThrow();
        cpu.run(null);
        process.exit(cpu);
        assertThat(machine.platform().allocator().inUse()).isZero();
        assertThat(machine.platform().tables().inUse()).isZero();
    }
}
