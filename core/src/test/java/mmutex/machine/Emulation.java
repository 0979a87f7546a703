package mmutex.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mmutex.check.InvariantChecker;
import mmutex.device.MirrorDevice;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.HugePagePool;
import mmutex.mm.Platform;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;

/** A small machine with one process on CPU 0, and questions that tests ask about it. Pages are counted from {@link #BASE}. */
public final class Emulation {
    public static final long PAGE = 4096;
    public static final long BASE = 0x4000_0000L;
    public static final long READ = VmFlags.READ;
    public static final long READ_WRITE = VmFlags.READ | VmFlags.WRITE;

    /** A span, in pages from {@link #BASE}; the owner only where the event carries one. */
    public record Event(NotifierEvent event, long first, long end, long owner) {}

    public final Machine machine;
    public final Platform platform;
    public final PteEncoding encoding;
    public final FrameTable frames;
    public final Cpu cpu;
    public final Process process;
    public final AddressSpace space;
    private final List<MirrorHandle> handles = new ArrayList<>();

    public Emulation() {
        this(SemanticProfile.K612);
    }

    public Emulation(final SemanticProfile profile) {
        this(profile, 256, 128);
    }

    public Emulation(final SemanticProfile profile, final long frameCount, final long tableCount) {
        this(new MachineSpec(profile, "x86-64", Delivery.INLINE, 3, frameCount, tableCount, 4));
    }

    public Emulation(final MachineSpec spec) {
        machine = new Machine(spec);
        platform = machine.platform();
        encoding = platform.encoding();
        frames = platform.frames();
        cpu = machine.cpu(0);
        process = machine.newProcess();
        space = process.space();
        cpu.run(process);
    }

    public static long addr(final long page) {
        return BASE + page * PAGE;
    }

    // ---- doing ----------------------------------------------------------------------------------------------------

    public Emulation map(final long first, final long count, final long protection) {
        assertThat(process.mmap(cpu, addr(first), count * PAGE, protection)).isEqualTo(Errno.OK);
        return this;
    }

    /** Maps pages read-write and writes their numbers into them. */
    public Emulation mapWritten(final long first, final long count) {
        map(first, count, READ_WRITE);
        for (long page = first; page < first + count; page++) {
            store(page, page);
        }
        return this;
    }

    public Emulation protect(final long first, final long count, final long protection) {
        assertThat(process.mprotect(cpu, addr(first), count * PAGE, protection)).isEqualTo(Errno.OK);
        return this;
    }

    public void store(final long page, final long value) {
        assertThat(cpu.storeLong(addr(page), value)).isEqualTo(Signal.NONE);
    }

    public long load(final long page) {
        assertThat(cpu.loadLong(addr(page))).isEqualTo(Signal.NONE);
        return cpu.value();
    }

    public Process fork() {
        final Process.Forked forked = process.fork(cpu);
        assertThat(forked.errno()).isEqualTo(Errno.OK);
        return forked.child();
    }

    public MirrorHandle open(final int number) {
        return open(machine.newMirrorDevice(number));
    }

    public MirrorHandle open(final MirrorDevice device) {
        final MirrorHandle handle = device.open(cpu, space);
        handles.add(handle);
        return handle;
    }

    /** Remembers every span of the process from now on. */
    public List<Event> record() {
        final List<Event> events = new ArrayList<>();
        space.register(cpu, new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                final boolean owned =
                        range.event() == NotifierEvent.EXCLUSIVE || range.event() == NotifierEvent.MIGRATE;
                events.add(new Event(
                        range.event(),
                        (range.start() - BASE) / PAGE,
                        (range.end() - BASE) / PAGE,
                        owned ? range.owner() : 0));
                return true;
            }
        });
        return events;
    }

    // ---- asking ---------------------------------------------------------------------------------------------------

    public long pte(final long page) {
        return pte(process, page);
    }

    public long pte(final Process of, final long page) {
        final long slot = of.space().pageTable().slot(addr(page));
        return slot < 0 ? encoding.empty() : of.space().pageTable().load(slot);
    }

    public PteKind kind(final long page) {
        return encoding.kind(pte(page));
    }

    public boolean isWritable(final long page) {
        return encoding.isPresent(pte(page)) && encoding.isWritable(pte(page));
    }

    /** The frame that a present or exclusive entry refers to. */
    public long frame(final long page) {
        return frame(process, page);
    }

    public long frame(final Process of, final long page) {
        final long pte = pte(of, page);
        assertThat(encoding.isNone(pte)).as("page %d is mapped", page).isFalse();
        return encoding.isPresent(pte) ? encoding.frameNumber(pte) : encoding.swapFrameNumber(pte);
    }

    public void assertCounts(final long page, final long references, final long mappings) {
        assertThat(frames.refCount(frame(page)))
                .as("references of page %d", page)
                .isEqualTo(references);
        assertThat(frames.mapCount(frame(page))).as("mappings of page %d", page).isEqualTo(mappings);
    }

    /** All invariants that hold while nothing is in flight. */
    public void assertSound() {
        final InvariantChecker checker = new InvariantChecker(machine);
        handles.forEach(checker::with);
        checker.atQuiescence(cpu).orThrow();
    }

    void closeHandles() {
        handles.forEach(handle -> handle.close(cpu));
        handles.clear();
    }

    /**
     * Ends the process; then neither a frame nor a table may be left, but for the pool's huge pages and the huge page of
     * zeroes. Other processes and devices are gone already.
     */
    public void assertNothingIsLeft() {
        assertSound();
        closeHandles();
        cpu.run(null);
        process.exit(cpu);
        final HugePagePool pool = platform.hugePages();
        assertThat(pool.free(cpu)).as("huge pages left").isEqualTo(pool.size(cpu));
        final boolean zeroes = platform.hugeZero().current() != FrameAllocator.NONE;
        assertThat(platform.allocator().inUse())
                .as("frames left")
                .isEqualTo((long) pool.size(cpu) * pool.framesPerPage() + (zeroes ? frames.compoundFrames() : 0));
        assertThat(platform.tables().inUse()).as("tables left").isZero();
        assertThat(machine.spaces()).isEmpty();
    }
}
