package mmutex.mm;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;

/** What a program can see of a page: /proc/PID/pagemap and /proc/kpagecount, fs/proc/task_mmu.c (6.12). */
public final class PageMap {
    private PageMap() {}

    /**
     * State of one page.
     *
     * @param mapped whether a VMA covers it
     * @param kind what the entry says
     * @param softDirty of the entry or of the whole VMA
     * @param uffdWp of the entry
     * @param frame frame number of a present page or of a swap form that carries one, else 0
     * @param zero whether that frame is the shared zero page
     * @param mapCount mappings of the frame
     * @param file whether the frame is not anonymous memory: a file's, shared memory's or a driver's
     */
    public record PageState(
            boolean mapped,
            PteKind kind,
            boolean softDirty,
            boolean uffdWp,
            long frame,
            boolean zero,
            long mapCount,
            boolean file) {}

    /** Reads one page's state, without touching the page. */
    public static PageState read(final Task task, final AddressSpace space, final long addr) {
        space.mmapLock().readLock(task);
        final Vma vma = space.vmas().lookup(addr);
        PageState state = new PageState(false, PteKind.NONE, false, false, 0, false, 0, false);
        if (vma != null) {
            final long slot = space.pageTable().slot(addr);
            if (RadixTable.isHuge(slot)) {
                state = decode(vma, hugeEntry(task, vma, RadixTable.hugeSlot(slot), addr));
            } else if (slot == PageTable.NO_SLOT) {
                state = decode(vma, space.encoding().empty());
            } else {
                space.pageTable().lock(task, slot);
                state = decode(vma, space.pageTable().load(slot));
                space.pageTable().unlock(task, slot);
            }
        }
        space.mmapLock().readUnlock(task);
        return state;
    }

    /** What a huge entry says of one page, as a leaf entry would. */
    private static long hugeEntry(final Task task, final Vma vma, final long slot, final long addr) {
        final AddressSpace space = vma.space();
        space.pageTable().lock(task, slot);
        final long pmd = space.pageTable().loadUpper(slot);
        space.pageTable().unlock(task, slot);
        final long page = addr & space.pageTable().hugeSize() - 1;
        return HugePmd.isHuge(pmd)
                ? HugePmd.leaf(space.encoding(), pmd, page >>> space.pageShift(), vma.protection())
                : space.encoding().empty();
    }

    private static PageState decode(final Vma vma, final long pte) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        final PteKind kind = encoding.kind(pte);
        final boolean vmaDirty = vma.has(VmFlags.SOFTDIRTY);
        if (kind == PteKind.NONE) {
            return new PageState(true, kind, vmaDirty, false, 0, false, 0, false);
        }
        if (kind == PteKind.PRESENT) {
            final long frame = encoding.frameNumber(pte);
            final boolean zero = frame == FrameAllocator.ZERO_FRAME;
            return new PageState(
                    true,
                    kind,
                    vmaDirty || encoding.isSoftDirty(pte),
                    encoding.isUffdWp(pte),
                    frame,
                    zero,
                    zero ? 0 : platform.frames().mapCount(frame),
                    platform.frames().has(frame, FrameTable.FILE)
                            || platform.hugeZero().is(platform.frames().head(frame)));
        }
        final long frame = kind.carriesFrameNumber() ? encoding.swapFrameNumber(pte) : 0;
        return new PageState(
                true,
                kind,
                vmaDirty || encoding.isSwapSoftDirty(pte),
                encoding.isSwapUffdWp(pte),
                frame,
                false,
                frame == 0 ? 0 : platform.frames().mapCount(frame),
                frame != 0 && platform.frames().has(frame, FrameTable.FILE));
    }
}
