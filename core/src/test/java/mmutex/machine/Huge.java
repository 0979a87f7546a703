package mmutex.machine;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import mmutex.change.Advisor.Advice;
import mmutex.layout.HugePmd;
import mmutex.memory.FrameAllocator;
import mmutex.memory.RadixTable;
import mmutex.mm.Errno;
import mmutex.mm.PageMap.PageState;
import mmutex.mm.PageTable;
import mmutex.mm.SemanticProfile;

/** What tests do to huge pages of an {@link Emulation}, and ask about them. */
public final class Huge {
    /** Small pages in a huge one. */
    public static final int PAGES = 512;

    private Huge() {}

    /** A machine with room for huge pages, and pages [0, 512 * count) mapped where they are welcome. */
    public static Emulation advised(final SemanticProfile profile, final int count) {
        final Emulation emulation = new Emulation(profile, 1 << 13, 256);
        emulation.map(0, (long) count * PAGES, READ_WRITE);
        advise(emulation, 0, (long) count * PAGES, Advice.HUGEPAGE);
        return emulation;
    }

    /** As above, each huge page written once, page k of all holding k. */
    public static Emulation written(final SemanticProfile profile, final int count) {
        final Emulation emulation = advised(profile, count);
        for (int page = 0; page < count * PAGES; page++) {
            emulation.store(page, page);
        }
        assertThat(emulation.cpu.faults()).isEqualTo(count);
        return emulation;
    }

    public static void advise(final Emulation emulation, final long first, final long count, final Advice advice) {
        assertThat(emulation.process.madvise(emulation.cpu, addr(first), count * PAGE, advice))
                .isEqualTo(Errno.OK);
    }

    /** The huge entry that maps a page, or 0. */
    public static long pmd(final Process process, final long page) {
        final PageTable table = process.space().pageTable();
        final long slot = table.slot(addr(page));
        return RadixTable.isHuge(slot) ? table.loadUpper(RadixTable.hugeSlot(slot)) : 0;
    }

    public static boolean isHuge(final Emulation emulation, final long page) {
        return pmd(emulation.process, page) != 0;
    }

    public static boolean isWritable(final Emulation emulation, final long page) {
        return HugePmd.isWritable(pmd(emulation.process, page));
    }

    public static PageState state(final Emulation emulation, final long page) {
        return emulation.process.pagemap(emulation.cpu, addr(page));
    }

    /** Every page holds its number plus something. */
    public static void assertContents(final Emulation emulation, final int first, final int end, final int plus) {
        for (int page = first; page < end; page++) {
            assertThat(emulation.load(page)).as("page %d", page).isEqualTo(page + plus);
        }
    }

    /** As {@link Emulation#assertNothingIsLeft}, but for the huge page of zeroes, which stays once it was needed. */
    public static void assertNothingIsLeft(final Emulation emulation) {
        emulation.assertSound();
        emulation.closeHandles();
        emulation.cpu.run(null);
        emulation.process.exit(emulation.cpu);
        final boolean zero = emulation.platform.hugeZero().current() != FrameAllocator.NONE;
        assertThat(emulation.platform.allocator().inUse()).as("frames left").isEqualTo(zero ? PAGES : 0);
        assertThat(emulation.platform.tables().inUse()).as("tables left").isZero();
    }
}
