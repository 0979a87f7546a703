package mmutex.change;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.DeviceMemory;
import mmutex.mm.Errno;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.PmdSplitter;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;

/**
 * Moves pages between ordinary memory and a device's: migrate_vma_setup, migrate_vma_pages, migrate_vma_finalize, and
 * migrate_device_range; mm/migrate_device.c (6.12), semantics 3.17. One page after the other fails or succeeds; a failure
 * of any kind leaves that page as it was.
 *
 * <pre>
 *   setup    the pages are locked, unmapped, and hold migration entries
 *            the driver allocates destinations, copies, and calls {@link #destination}
 *   commit   the destinations take over the pages' records
 *            the driver changes its device's table for every page that {@link #isMigrating}
 *   finish   migration entries become mappings again, everything is unlocked and released
 * </pre>
 *
 * What setup does, by entry:
 *
 * <pre>
 *   none                            may be migrated, without a source
 *   zero page                       the same, if ordinary memory is selected
 *   present, anonymous              if ordinary memory is selected and the page lock can be had at once
 *   device-private                  if device memory is selected, of this owner, and the page lock can be had
 *   huge                            split (split_folio), then as single ones; passed over if it can't be
 *   page of a large folio           passed over
 *   exclusive, swap, any other      passed over, silently (Q13)
 * </pre>
 *
 * <p>Sources and destinations stay locked from setup to finish, so faults on them wait; page locks are only tried, so that
 * two migrations can't wait for one another (H15). The caller holds the mmap lock shared from setup to finish.
 *
 * <p>Threads: one at a time; reused. Kernel counterpart: {@code struct migrate_vma} (6.12).
 */
public final class DeviceMigration {
    /** Which pages {@link #setup} takes. */
    public enum Selection {
        /** MIGRATE_VMA_SELECT_SYSTEM: ordinary memory. */
        SYSTEM,
        /** MIGRATE_VMA_SELECT_DEVICE_PRIVATE: pages of the owner's device. */
        DEVICE_PRIVATE
    }

    /** MIGRATE_PFN_MIGRATE, in a word of {@link #sources}: still to be migrated. */
    private static final long MIGRATE = 1;
    /** MIGRATE_PFN_WRITE: its mapping was writable. */
    private static final long WRITE = 1 << 1;

    private static final int FRAME_SHIFT = 2;
    private static final long NO_FRAME = FrameAllocator.NONE;

    private final long[] sources;
    private final long[] destinations;
    private final NotifierRange range = new NotifierRange();

    private Platform platform;
    private Vma vma;
    private long start;
    private long end;
    private long owner;
    private Selection selection;
    /** The frame on which a fault called the driver, which has a reference on it; or NO_FRAME. */
    private long faultFrame;

    private int pages;
    private int collected;

    /** Creates a migration of up to {@code pagesMax} pages at a time. */
    public DeviceMigration(final int pagesMax) {
        this.sources = new long[pagesMax];
        this.destinations = new long[pagesMax];
    }

    /** Pages it can take. */
    public int pagesMax() {
        return sources.length;
    }

    /** Pages it has, from the start of its range. */
    public int pages() {
        return pages;
    }

    /** Whether a page is still to be migrated, or, behind {@link #commit}, has been. */
    public boolean isMigrating(final int page) {
        return (sources[page] & MIGRATE) != 0;
    }

    /** The frame that a page is to leave; NONE where there is nothing yet, or nothing to migrate. */
    public long source(final int page) {
        return sources[page] >>> FRAME_SHIFT;
    }

    /** Whether the page was mapped writable. */
    public boolean isWritable(final int page) {
        return (sources[page] & WRITE) != 0;
    }

    /** Where a page is to go: a frame with one reference, locked, with the page's contents. */
    public void destination(final int page, final long pfn) {
        destinations[page] = pfn;
    }

    /** The destination; NONE if the driver has set none. */
    public long destination(final int page) {
        return destinations[page];
    }

    // ---- setup ----------------------------------------------------------------------------------------------

    /**
     * migrate_vma_setup: collects the pages of a range within one VMA, locks them and unmaps them everywhere.
     *
     * @param newStart first byte, page-aligned
     * @param newEnd first byte behind, at most {@link #pagesMax} pages further
     * @param newOwner whose device memory is meant, and who is told so by the event
     * @return OK, also if no page can be migrated; EINVAL for a VMA without migratable pages
     */
    public Errno setup(
            final Task task,
            final Vma newVma,
            final long newStart,
            final long newEnd,
            final long newOwner,
            final Selection newSelection) {
        return setup(task, newVma, newStart, newEnd, newOwner, newSelection, NO_FRAME);
    }

    /** The same for a fault, with the device-private frame that it has a reference on, and perhaps locked. */
    public Errno setup(
            final Task task,
            final Vma newVma,
            final long newStart,
            final long newEnd,
            final long newOwner,
            final Selection newSelection,
            final long newFaultFrame) {
        if ((newVma.flags() & VmFlags.SPECIAL) != 0) {
            return Errno.EINVAL;
        }
        begin(newVma.space().platform(), newVma, (int)
                (newEnd - newStart >>> newVma.space().pageShift()));
        start = newStart;
        end = newEnd;
        owner = newOwner;
        selection = newSelection;
        faultFrame = newFaultFrame;
        collect(task);
        if (collected != 0) {
            unmap(task);
        }
        return Errno.OK;
    }

    /**
     * migrate_device_range: takes device-private frames wherever they are mapped; no lock is held. Frames that are free,
     * locked, or somebody else's by now are passed over.
     */
    public void setup(
            final Task task,
            final DeviceMemory memory,
            final Platform newPlatform,
            final long[] frames,
            final int count) {
        begin(newPlatform, null, count);
        faultFrame = NO_FRAME;
        for (int i = 0; i < count; i++) {
            final long pfn = frames[i];
            if (!platform.frames().tryGet(pfn)) {
                continue;
            }
            if (!platform.pageLock().tryLock(task, pfn)) {
                platform.allocator().put(pfn);
            } else if (!memory.isOwn(pfn)) {
                platform.pageLock().unlock(task, pfn);
                platform.allocator().put(pfn);
            } else {
                sources[i] = pfn << FRAME_SHIFT | MIGRATE;
            }
        }
        unmap(task);
    }

    private void begin(final Platform newPlatform, final Vma newVma, final int count) {
        platform = newPlatform;
        vma = newVma;
        pages = count;
        collected = 0;
        for (int i = 0; i < count; i++) {
            sources[i] = 0;
            destinations[i] = NO_FRAME;
        }
    }

    /** migrate_vma_collect. */
    private void collect(final Task task) {
        final AddressSpace space = vma.space();
        // 1. Others give the range up; who migrates knows his own event by the owner (E11).
        range.init(NotifierEvent.MIGRATE, start, end, owner);
        space.notifiers().start(task, range);
        // 2. Page by page, what can be migrated.
        final RadixTable radix = space.pageTable().radix();
        final long endPage = end >>> space.pageShift();
        long page = start >>> space.pageShift();
        while (page < endPage) {
            final long populated = Math.min(radix.nextPopulated(page, endPage), endPage);
            for (; page < populated; page++) {
                collectHole(index(page));
            }
            if (page < endPage) {
                final long tableEnd = radix.leafEnd(page, endPage);
                collectTable(task, page, tableEnd);
                page = tableEnd;
            }
        }
        // 3.
        space.notifiers().end(task, range);
    }

    /** migrate_vma_collect_hole: only anonymous memory can be populated. */
    private void collectHole(final int index) {
        if (vma.isAnonymous()) {
            sources[index] = MIGRATE;
            collected++;
        }
    }

    /**
     * migrate_vma_collect_pmd. One shoot-down for all, under the leaf-table lock: nobody reads a page's contents, or its
     * dirty bit, before.
     */
    private void collectTable(final Task task, final long firstPage, final long endPage) {
        final PageTable table = vma.space().pageTable();
        if (RadixTable.isHuge(table.radix().slot(firstPage)) && !splitHuge(task, firstPage)) {
            return;
        }
        final long firstSlot = table.radix().slot(firstPage);
        if (firstSlot < 0) {
            return; // cleared meanwhile, or huge again: left alone, as a page is that somebody has locked
        }
        boolean flush = false;
        table.lock(task, firstSlot);
        for (long page = firstPage, slot = firstSlot; page < endPage; page++, slot += Long.BYTES) {
            flush |= collectEntry(task, slot, index(page));
        }
        if (flush) {
            vma.space().windows().flush(task);
        }
        table.unlock(task, firstSlot);
    }

    /** Pages move one by one: a huge page is taken apart, or, if it can't be, passed over. */
    private boolean splitHuge(final Task task, final long firstPage) {
        final PageTable table = vma.space().pageTable();
        final long slot = table.radix().upperSlot(firstPage);
        table.lock(task, slot);
        final long pmd = table.loadUpper(slot);
        final long folio = HugePmd.isHuge(pmd) ? HugePmd.frameNumber(pmd) : NO_FRAME;
        final boolean zero = platform.hugeZero().is(folio);
        if (folio != NO_FRAME && !zero) {
            platform.frames().get(folio);
        }
        table.unlock(task, slot);
        if (zero) {
            PmdSplitter.split(task, vma, firstPage << vma.space().pageShift());
        }
        if (folio == NO_FRAME || zero) {
            return true; // single entries by now
        }
        final boolean split = FolioSplitter.trySplit(task, platform, folio);
        platform.allocator().put(folio);
        return split;
    }

    /** Returns whether a shoot-down is due. */
    private boolean collectEntry(final Task task, final long slot, final int index) {
        final PteEncoding encoding = platform.encoding();
        final long pte = vma.space().pageTable().load(slot);
        if (encoding.isNone(pte)) {
            collectHole(index);
            return false;
        }
        if (!isSelected(pte)) {
            if (isZeroPage(pte) && selection == Selection.SYSTEM) {
                sources[index] = MIGRATE;
                collected++;
            }
            return false;
        }
        final boolean present = encoding.isPresent(pte);
        final long pfn = encoding.anyFrameNumber(pte);
        // The reference first: with it the entry may go, and the frame stays.
        platform.frames().get(pfn);
        if (!hasFaultLock(pfn) && !platform.pageLock().tryLock(task, pfn)) {
            platform.allocator().put(pfn);
            return false;
        }
        final boolean writable =
                present ? encoding.isWritable(pte) : encoding.kind(pte) == PteKind.DEVICE_PRIVATE_WRITE;
        sources[index] = pfn << FRAME_SHIFT | MIGRATE | (writable ? WRITE : 0);
        collected++;
        return MigrationEntries.install(vma.space(), slot, pte);
    }

    /** Whether an entry maps a page that this migration is about. */
    private boolean isSelected(final long pte) {
        final PteEncoding encoding = platform.encoding();
        if (encoding.isPresent(pte)) {
            // A page of a file would be collected, refused by commit, and put back; it may as well stay where it is.
            return selection == Selection.SYSTEM
                    && !encoding.isSpecial(pte)
                    && !platform.frames().isLarge(encoding.frameNumber(pte))
                    && platform.frames().has(encoding.frameNumber(pte), FrameTable.ANON)
                    && !platform.frames().has(encoding.frameNumber(pte), FrameTable.KSM);
        }
        if (selection != Selection.DEVICE_PRIVATE || !encoding.kind(pte).isDevicePrivate()) {
            return false;
        }
        return platform.deviceMemory(encoding.swapFrameNumber(pte)).owner() == owner;
    }

    private boolean isZeroPage(final long pte) {
        return platform.encoding().isPresent(pte) && platform.encoding().frameNumber(pte) == FrameAllocator.ZERO_FRAME;
    }

    /** From 6.15 on a fault has its frame locked, and keeps it so. */
    private boolean hasFaultLock(final long pfn) {
        return pfn == faultFrame && platform.profile().deviceFaultTakesPageLock();
    }

    /** migrate_device_unmap. */
    private void unmap(final Task task) {
        final FrameTable frames = platform.frames();
        boolean restore = false;
        // 1. The mappings in other address spaces go too. Whoever else has a reference may be using the page: then it
        // stays.
        for (int i = 0; i < pages; i++) {
            final long pfn = source(i);
            if (pfn == NO_FRAME) {
                continue;
            }
            if (frames.mapCount(pfn) != 0) {
                MigrationEntries.installEverywhere(task, platform, pfn);
            }
            if (frames.mapCount(pfn) != 0 || frames.refCount(pfn) != ownReferences(pfn)) {
                sources[i] &= ~MIGRATE;
                restore = true;
            }
        }
        // 2. What stays is mapped again.
        for (int i = 0; restore && i < pages; i++) {
            final long pfn = source(i);
            if (pfn != NO_FRAME && !isMigrating(i)) {
                MigrationEntries.remove(task, platform, pfn, pfn);
                sources[i] = 0;
                releaseSource(task, pfn);
            }
        }
    }

    /** References that an unmapped source has if nobody else uses it: ours, and the fault's. */
    private long ownReferences(final long pfn) {
        return pfn == faultFrame ? 2 : 1;
    }

    // ---- commit ---------------------------------------------------------------------------------------------

    /**
     * migrate_vma_pages, migrate_device_pages: the destinations become the pages. Where that is impossible, or there is no
     * destination, the page is no longer {@link #isMigrating}.
     */
    public void commit(final Task task) {
        boolean notified = false;
        for (int i = 0; i < pages; i++) {
            if (destinations[i] == NO_FRAME) {
                sources[i] &= ~MIGRATE;
            } else if (source(i) != NO_FRAME) {
                if (!takeOver(source(i), destinations[i])) {
                    sources[i] &= ~MIGRATE;
                }
            } else if (isMigrating(i)) {
                final long addr = start + ((long) i << vma.space().pageShift());
                if (!notified) {
                    // A zero page may go: one span from the first such page to the end (E12).
                    notified = true;
                    range.init(NotifierEvent.MIGRATE, addr, end, owner);
                    vma.space().notifiers().start(task, range);
                }
                if (!insert(task, addr, destinations[i])) {
                    sources[i] &= ~MIGRATE;
                }
            }
        }
        if (notified) {
            vma.space().notifiers().end(task, range);
        }
    }

    /** migrate_folio of an anonymous page; false if somebody got a reference meanwhile. */
    private boolean takeOver(final long from, final long to) {
        final FrameTable frames = platform.frames();
        if (frames.refCount(from) != ownReferences(from)) {
            return false;
        }
        frames.setMapping(to, frames.mapping(from), frames.index(from));
        frames.setBits(to, FrameTable.ANON | frames.state(from) & FrameTable.DIRTY);
        return true;
    }

    /** migrate_vma_insert_page: first touch, but with a page of the device; false if somebody else was faster. */
    private boolean insert(final Task task, final long addr, final long pfn) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final PteEncoding encoding = platform.encoding();
        final long slot = table.slotOrCreate(addr);
        if (slot < 0) {
            return false;
        }
        if (vma.anonVma() == null) {
            space.reverseMap().prepare(task, vma);
        }
        table.lock(task, slot);
        final long pte = table.load(slot);
        final boolean zero = isZeroPage(pte);
        // userfaultfd: its handler is not asked, the page is left alone.
        final boolean won = (zero || encoding.isNone(pte)) && !vma.has(VmFlags.UFFD_MISSING);
        if (won) {
            space.anonPages().add(1);
            space.reverseMap().addNewAnon(pfn, vma, addr);
            platform.frames().get(pfn);
            if (zero) {
                table.clearFlush(task, slot);
            }
            final PteKind kind = vma.has(VmFlags.WRITE) ? PteKind.DEVICE_PRIVATE_WRITE : PteKind.DEVICE_PRIVATE_READ;
            table.store(slot, encoding.frameEntry(kind, pfn));
        }
        table.unlock(task, slot);
        return won;
    }

    // ---- finish ---------------------------------------------------------------------------------------------

    /**
     * migrate_vma_finalize: maps every page again, where it is now; unlocks and releases sources and destinations. What
     * was copied must be complete.
     */
    public void finish(final Task task) {
        for (int i = 0; i < pages; i++) {
            final long from = source(i);
            final long to = destinations[i];
            if (from != NO_FRAME) {
                MigrationEntries.remove(task, platform, from, isMigrating(i) ? to : from);
                releaseSource(task, from);
            }
            if (to != NO_FRAME) {
                platform.pageLock().unlock(task, to);
                platform.allocator().put(to);
            }
        }
    }

    private void releaseSource(final Task task, final long pfn) {
        if (!hasFaultLock(pfn)) {
            platform.pageLock().unlock(task, pfn);
        }
        platform.allocator().put(pfn);
    }

    private int index(final long page) {
        return (int) (page - (start >>> vma.space().pageShift()));
    }
}
