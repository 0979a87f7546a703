package mmutex.exclusive;

import java.util.List;
import mmutex.fault.GupFlags;
import mmutex.fault.PageGetter;
import mmutex.layout.PteEncoding;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.AnonVma;
import mmutex.mm.Errno;
import mmutex.mm.FileMapping;
import mmutex.mm.MappedWalk;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.MakeCheck;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;
import mmutex.sync.PhaseProbe.Phase;

/**
 * Makes pages exclusive to a device: make_device_exclusive_range (up to 6.14), make_device_exclusive (6.15 and later);
 * mm/rmap.c, semantics 3.8 to 3.12.
 *
 * <p>The caller holds the mmap lock (shared suffices) and gets pages that are locked and referenced: the entry was
 * installed at that address at that time, and no CPU fault can undo it before the caller unlocks the page. Zaps, mprotect
 * and moves can; a driver needs the sequence protocol against those.
 *
 * <p>Threads: any; stateless but for scratch per actor.
 */
public final class ExclusiveMaker {
    /** An empty slot: the page did not become exclusive. */
    public static final long NULL_SLOT = FrameAllocator.NONE;

    private static final int GUP_FLAGS = GupFlags.WRITE | GupFlags.SPLIT_PMD;

    private static final ActorLocal<Conversion> CONVERSION = new ActorLocal<>(Conversion::new);

    private ExclusiveMaker() {}

    /**
     * 3.8, make_device_exclusive_range: converts what it can of a range.
     *
     * @param start page-aligned
     * @param count pages
     * @param owner cookie by which the caller will know its own event
     * @param pages receives, for each page obtained, its frame number (folio locked, referenced; page exclusive) or
     *     {@link #NULL_SLOT}
     * @return number of pages GUP obtained, which is not the number converted; or {@code -errno.ordinal()}
     */
    public static int makeRange(
            final Task task,
            final AddressSpace space,
            final long start,
            final int count,
            final long owner,
            final long[] pages) {
        final Platform platform = space.platform();
        // 1. Writable, referenced pages.
        final int got = PageGetter.getPages(task, space, start, count, GUP_FLAGS, pages);
        task.probe().mark(Phase.GET_PAGE);
        for (int i = 0; i < got; i++) {
            final long folio = platform.frames().head(pages[i]);
            if (platform.profile().makeConfusesSubpages()) {
                pages[i] = folio;
            }
            // 2. Of a large folio only the first page can become exclusive (Q9). Earlier pages of the batch stay
            // locked, so only by trylock: no order exists between frames (H2).
            if (pages[i] != folio || !platform.pageLock().tryLock(task, folio)) {
                platform.putPage(folio);
                pages[i] = NULL_SLOT;
            } else if (!convertFolio(task, space, start + i * space.pageSize(), folio, owner)) {
                platform.pageLock().unlock(task, folio);
                platform.putPage(folio);
                pages[i] = NULL_SLOT;
            }
        }
        return got;
    }

    /**
     * 3.9, folio_make_device_exclusive: converts every mapping of every page of a locked folio, though only its first page
     * is the caller's. A failure may leave converted entries behind; nobody rolls them back, the next touch restores them
     * (Q16); nor those of a large folio's other pages, whether it fails or not.
     */
    private static boolean convertFolio(
            final Task task, final AddressSpace space, final long addr, final long folio, final long owner) {
        final Platform platform = space.platform();
        final FrameTable frames = platform.frames();
        final SemanticProfile profile = platform.profile();
        if (!frames.has(folio, FrameTable.ANON) && !profile.makeAcceptsShared()) {
            return false;
        }
        final Conversion conversion = CONVERSION.of(task);
        conversion.begin(space, addr, profile.makePassesOwner() ? owner : NotifierRange.NO_OWNER);
        // 3.10: all VMAs of the family, or of the file, whose pages could include this one, until no mapping is left.
        if (frames.has(folio, FrameTable.ANON)) {
            final AnonVma anonVma = space.reverseMap().lockAnonVma(task, folio);
            if (anonVma != null) {
                convertInVmas(task, anonVma.vmas(), folio, conversion);
                anonVma.lock().readUnlock(task);
            }
        } else {
            final FileMapping file = platform.file(frames.mapping(folio)); // the page is locked: it stays the file's
            if (file != null) {
                file.lock().readLock(task);
                convertInVmas(task, file.vmas(), folio, conversion);
                file.lock().readUnlock(task);
            }
        }
        return (conversion.valid || profile.makeCheck() == MakeCheck.NONE) && frames.folioMapCount(folio) == 0;
    }

    private static void convertInVmas(
            final Task task, final List<Vma> vmas, final long folio, final Conversion conversion) {
        final FrameTable frames = conversion.space.platform().frames();
        final long index = frames.index(folio);
        final long last = index + frames.folioFrames(folio) - 1;
        boolean more = true;
        for (int i = 0; more && i < vmas.size(); i++) {
            final Vma vma = vmas.get(i);
            if (vma.overlaps(index, last)) {
                more = convertInVma(task, vma, folio, index, conversion) && frames.folioMapCount(folio) != 0;
            }
        }
    }

    /** page_make_device_exclusive_one; false stops the walk. */
    private static boolean convertInVma(
            final Task task, final Vma vma, final long folio, final long index, final Conversion conversion) {
        final AddressSpace space = vma.space();
        final FrameTable frames = space.platform().frames();
        final long start = vma.address(Math.max(index, vma.pageOffset()));
        final long end = Math.min(vma.end(), start + frames.folioFrames(folio) * space.pageSize());
        // 1. Sent to every VMA visited, whether or not it maps the folio; of the folio's size, but not behind the VMA.
        conversion.range.init(space.platform().profile().makeEvent(), start, end, conversion.owner);
        space.notifiers().start(task, conversion.range);
        boolean goOn = true;
        // 2. The entries that map the folio here, their leaf table locked.
        final MappedWalk walk = conversion.walk;
        for (boolean found = walk.find(task, vma, folio, index); found; found = walk.next(task)) {
            if (!space.encoding().isPresent(walk.pte())) {
                walk.release(task);
                goOn = false;
                break;
            }
            convertEntry(task, space, folio, conversion);
        }
        // 4. After the lock.
        space.notifiers().end(task, conversion.range);
        return goOn;
    }

    private static void convertEntry(
            final Task task, final AddressSpace space, final long folio, final Conversion conversion) {
        final PteEncoding encoding = space.encoding();
        final MappedWalk walk = conversion.walk;
        // 3. Clear, shoot down, and only then believe the dirty and write bits.
        final long before = clearAndFlush(task, space, walk.slot());
        if (encoding.isDirty(before)) {
            space.platform().frames().markDirty(folio);
        }
        if (space == conversion.space && walk.addr() == conversion.addr && encoding.isWritable(before)) {
            conversion.valid = true;
        }
        space.pageTable().store(walk.slot(), encoding.makeExclusive(before));
        // The entry inherits the reference; up to 6.14 it no longer counts as a mapping.
        if (!space.platform().profile().exclusiveKeepsMapcount()) {
            space.reverseMap().remove(encoding.frameNumber(before));
        }
    }

    /**
     * 3.12, make_device_exclusive: converts one page, waiting for its lock.
     *
     * @param addr any address in the page
     * @return the frame number (its folio locked, referenced; the page exclusive), or {@code -errno.ordinal()}
     */
    public static long makeOne(final Task task, final AddressSpace space, final long addr, final long owner) {
        final Platform platform = space.platform();
        final PteEncoding encoding = platform.encoding();
        final PageTable table = space.pageTable();
        final Conversion conversion = CONVERSION.of(task);
        final long page = addr & -space.pageSize();
        while (true) { // unbounded but for signals, as in the kernel: each round means that the page changed meanwhile
            // 1. A writable, referenced page.
            final int got = PageGetter.getPages(task, space, page, 1, GUP_FLAGS, conversion.one);
            task.probe().mark(Phase.GET_PAGE);
            if (got <= 0) {
                return got;
            }
            final long pfn = conversion.one[0];
            final long folio = platform.frames().head(pfn);
            // 2. Anonymous memory only.
            if (!platform.frames().has(pfn, FrameTable.ANON)) {
                platform.putPage(pfn);
                return -Errno.EOPNOTSUPP.ordinal();
            }
            // 3. The page lock, the whole folio's.
            if (!platform.pageLock().lockKillable(task, folio)) {
                platform.putPage(pfn);
                return -Errno.EINTR.ordinal();
            }
            // 4. Others give the page up; the caller knows its own event by the owner.
            conversion.range.init(platform.profile().makeEvent(), page, page + space.pageSize(), owner);
            space.notifiers().start(task, conversion.range);
            // 5. Still the same frame here, writable? An anonymous page is writable through one entry only.
            final long slot = table.slot(page);
            boolean converted = false;
            if (slot >= 0) {
                table.lock(task, slot);
                final long pte = table.load(slot);
                converted = encoding.isPresent(pte) && encoding.frameNumber(pte) == pfn && encoding.isWritable(pte);
                if (converted) {
                    // 6. As above; neither mapcount nor references change.
                    final long before = clearAndFlush(task, space, slot);
                    if (encoding.isDirty(before)) {
                        platform.frames().markDirty(pfn);
                    }
                    table.store(slot, encoding.makeExclusive(before));
                }
                table.unlock(task, slot);
            }
            // 7.
            space.notifiers().end(task, conversion.range);
            if (converted) {
                return pfn;
            }
            platform.pageLock().unlock(task, folio);
            platform.putPage(folio);
        }
    }

    /** ptep_clear_flush, in two halves for whoever times them. */
    private static long clearAndFlush(final Task task, final AddressSpace space, final long slot) {
        final long before = space.pageTable().getAndClear(slot);
        task.probe().mark(Phase.CONVERT);
        space.windows().flush(task);
        task.probe().mark(Phase.FLUSH);
        return before;
    }

    /** Scratch of one conversion. */
    private static final class Conversion {
        private final NotifierRange range = new NotifierRange();
        private final MappedWalk walk = new MappedWalk();
        private final long[] one = new long[1];
        private AddressSpace space;
        private long addr;
        private long owner;
        private boolean valid;

        private void begin(final AddressSpace newSpace, final long newAddr, final long newOwner) {
            if (space != newSpace) { // a stored reference costs a collector's barrier
                space = newSpace;
            }
            addr = newAddr;
            owner = newOwner;
            valid = false;
        }
    }
}
