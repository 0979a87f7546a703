package mmutex.change;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mmutex.fault.FaultFlags;
import mmutex.fault.FaultHandler;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.FaultResult;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;

/**
 * Lets pages of equal content share a frame: ksmd, mm/ksm.c (6.12). Looks at what MADV_MERGEABLE has marked; exclusive pages
 * are not present, and so are passed over. A large folio is taken apart when one of its pages has found its equal. Whoever
 * writes to a shared page, make included, gets a copy.
 *
 * <p>Unlike in the kernel a page need not have kept its checksum for a scan, and the frames that are shared are known by
 * their contents' checksum instead of a tree.
 *
 * <p>Threads: one scanner at a time; it holds no lock.
 */
public final class SamePageMerger {
    private static final long NOT_PROTECTED = -1;

    private final Platform platform;
    private final NotifierRange range = new NotifierRange();
    private final byte[] bytes;
    private final byte[] others;

    /** Shared frames by checksum. They are not held: one that is gone, or another page's by now, is found out in time. */
    private final Map<Integer, List<Long>> shared = new HashMap<>();

    /** A page that a scan has seen, by checksum. */
    private record Candidate(AddressSpace space, long addr, long pfn) {}

    public SamePageMerger(final Platform platform) {
        this.platform = platform;
        this.bytes = new byte[(int) platform.pageSize()];
        this.others = new byte[(int) platform.pageSize()];
    }

    /** Looks once at every mergeable page of the address spaces; returns how many entries it has made share a frame. */
    public int scan(final Task task, final List<AddressSpace> spaces) {
        shared.values().forEach(frames -> frames.removeIf(pfn -> !isShared(pfn)));
        final Map<Integer, Candidate> seen = new HashMap<>();
        int merged = 0;
        for (final AddressSpace space : spaces) {
            for (final Candidate candidate : candidates(task, space)) {
                merged += merge(task, candidate, seen);
            }
        }
        return merged;
    }

    private boolean isShared(final long pfn) {
        return platform.frames().has(pfn, FrameTable.KSM) && platform.frames().mapCount(pfn) > 0;
    }

    /** The pages to look at; by the time they are looked at, each may be another one. */
    private List<Candidate> candidates(final Task task, final AddressSpace space) {
        final List<Candidate> found = new ArrayList<>();
        if (!space.tryPinUsers()) {
            return found;
        }
        space.mmapLock().readLock(task);
        for (final Vma vma : space.vmas().snapshot()) {
            if (vma.has(VmFlags.MERGEABLE)) {
                collect(task, vma, found);
            }
        }
        space.mmapLock().readUnlock(task);
        SpaceTeardown.unpin(task, space);
        return found;
    }

    private void collect(final Task task, final Vma vma, final List<Candidate> found) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final RadixTable radix = table.radix();
        final long end = vma.end() >>> space.pageShift();
        long next;
        for (long page = radix.nextPopulated(vma.start() >>> space.pageShift(), end);
                page < end;
                page = radix.nextPopulated(next, end)) {
            final long slot = radix.slot(page);
            next = slot < 0 ? radix.leafEnd(page, end) : page + 1;
            if (slot < 0) {
                collectHuge(task, space, slot, page, next, found);
                continue;
            }
            table.lock(task, slot);
            final long pte = table.load(slot);
            if (isMergeable(pte)) {
                found.add(new Candidate(
                        space, page << space.pageShift(), platform.encoding().frameNumber(pte)));
            }
            table.unlock(task, slot);
        }
    }

    /** The pages that a huge entry maps. */
    private void collectHuge(
            final Task task,
            final AddressSpace space,
            final long huge,
            final long first,
            final long end,
            final List<Candidate> found) {
        if (!RadixTable.isHuge(huge)) {
            return;
        }
        final PageTable table = space.pageTable();
        final long slot = RadixTable.hugeSlot(huge);
        table.lock(task, slot);
        final long pmd = table.loadUpper(slot);
        if (HugePmd.isHuge(pmd) && platform.frames().has(HugePmd.frameNumber(pmd), FrameTable.ANON)) {
            for (long page = first; page < end; page++) {
                final long pfn =
                        HugePmd.frameNumber(pmd) + (page & platform.frames().compoundFrames() - 1);
                found.add(new Candidate(space, page << space.pageShift(), pfn));
            }
        }
        table.unlock(task, slot);
    }

    private boolean isMergeable(final long pte) {
        final PteEncoding encoding = platform.encoding();
        if (!encoding.isPresent(pte) || encoding.isSpecial(pte)) {
            return false;
        }
        final long pfn = encoding.frameNumber(pte);
        final long state = platform.frames().state(pfn);
        return (state & (FrameTable.ANON | FrameTable.KSM | FrameTable.FILE)) == FrameTable.ANON;
    }

    /** cmp_and_merge_page. */
    private int merge(final Task task, final Candidate candidate, final Map<Integer, Candidate> seen) {
        final int checksum = checksum(candidate.pfn);
        // 1. A frame that is shared already?
        for (final long pfn : shared.getOrDefault(checksum, List.of())) {
            if (mergeInto(task, candidate, pfn)) {
                return 1;
            }
        }
        // 2. Another page of this scan? Then this one's frame is the one that stays.
        final Candidate other = seen.putIfAbsent(checksum, candidate);
        if (other == null || other.pfn == candidate.pfn || !share(task, candidate)) {
            return 0;
        }
        shared.computeIfAbsent(checksum, unused -> new ArrayList<>()).add(candidate.pfn);
        seen.remove(checksum);
        return mergeInto(task, other, candidate.pfn) ? 2 : 1;
    }

    /** try_to_merge_with_ksm_page without a partner yet: the page's own frame becomes one that may be shared. */
    private boolean share(final Task task, final Candidate page) {
        return withPage(task, page, vma -> {
            if (writeProtect(task, vma, page) == NOT_PROTECTED) {
                return false;
            }
            // set_page_stable_node: it belongs to nobody's reverse map any more.
            platform.frames().setMapping(page.pfn, 0, 0);
            platform.frames().setBits(page.pfn, FrameTable.KSM);
            return true;
        });
    }

    /** try_to_merge_with_ksm_page: the page's entry leads to a shared frame of equal content from now on. */
    private boolean mergeInto(final Task task, final Candidate page, final long sharedPfn) {
        if (!platform.frames().tryGet(sharedPfn)) {
            return false;
        }
        final boolean merged = isShared(sharedPfn)
                && withPage(task, page, vma -> {
                    final long pte = writeProtect(task, vma, page);
                    // Compared only now: nobody can write to either any more.
                    return pte != NOT_PROTECTED
                            && isEqual(page.pfn, sharedPfn)
                            && replace(task, vma, page, pte, sharedPfn);
                });
        platform.allocator().put(sharedPfn);
        return merged;
    }

    /** What is done to a page that is still where it was seen. */
    @FunctionalInterface
    private interface Work {
        boolean perform(Vma vma);
    }

    /** With the mmap lock shared, a reference on the page's frame, and its page lock, got by trylock. */
    private boolean withPage(final Task task, final Candidate page, final Work work) {
        final AddressSpace space = page.space;
        if (!space.tryPinUsers()) {
            return false;
        }
        space.mmapLock().readLock(task);
        final Vma vma = space.vmas().lookup(page.addr);
        boolean done = false;
        if (vma != null && vma.has(VmFlags.MERGEABLE) && takeSmall(task, page.pfn)) {
            if (platform.pageLock().tryLock(task, page.pfn)) {
                done = work.perform(vma);
                platform.pageLock().unlock(task, page.pfn);
            }
            platform.allocator().put(page.pfn);
        }
        space.mmapLock().readUnlock(task);
        SpaceTeardown.unpin(task, space);
        return done;
    }

    /** try_to_merge_one_page, first half: a reference on a page that is small, or is made so; false with nothing held. */
    private boolean takeSmall(final Task task, final long pfn) {
        final FrameTable frames = platform.frames();
        if (!frames.tryGet(pfn)) {
            return false;
        }
        final long folio = frames.head(pfn);
        if (!frames.isLarge(pfn)) {
            return true;
        }
        // The reference is the folio's, and its first page's afterwards.
        final boolean taken = FolioSplitter.trySplit(task, platform, folio) && frames.tryGet(pfn);
        platform.allocator().put(folio);
        return taken;
    }

    /** write_protect_page: the entry afterwards, or NOT_PROTECTED if the page is another one or somebody else uses it. */
    private long writeProtect(final Task task, final Vma vma, final Candidate page) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final PteEncoding encoding = platform.encoding();
        final FrameTable frames = platform.frames();
        range.init(NotifierEvent.CLEAR, page.addr, page.addr + space.pageSize());
        space.notifiers().start(task, range);
        final long slot = table.slot(page.addr);
        if (slot < 0) { // unmapped since it was seen, and perhaps mapped again: huge, or not touched yet
            space.notifiers().end(task, range);
            return NOT_PROTECTED;
        }
        table.lock(task, slot);
        long result = NOT_PROTECTED;
        final long seen = table.load(slot);
        if (isMergeable(seen) && encoding.frameNumber(seen) == page.pfn && !frames.isLarge(page.pfn)) {
            final long pte = table.clearFlush(task, slot);
            // References beside the mappings' and ours: somebody may be writing through one.
            final boolean unused = frames.refCount(page.pfn) == frames.mapCount(page.pfn) + 1;
            if (unused) {
                frames.clearBits(page.pfn, FrameTable.ANON_EXCLUSIVE);
                if (encoding.isDirty(pte)) {
                    frames.markDirty(page.pfn);
                }
                result = encoding.mkClean(encoding.wrProtect(pte));
            }
            table.store(slot, unused ? result : pte);
        }
        table.unlock(task, slot);
        space.notifiers().end(task, range);
        return result;
    }

    /** replace_page. */
    private boolean replace(
            final Task task, final Vma vma, final Candidate page, final long expected, final long sharedPfn) {
        final AddressSpace space = vma.space();
        final PageTable table = space.pageTable();
        final PteEncoding encoding = platform.encoding();
        range.init(NotifierEvent.CLEAR, page.addr, page.addr + space.pageSize());
        space.notifiers().start(task, range);
        final long slot = table.slot(page.addr);
        table.lock(task, slot);
        // Hardware may have marked the entry young meanwhile.
        final boolean same = encoding.mkOld(table.load(slot)) == encoding.mkOld(expected);
        if (same) {
            platform.frames().get(sharedPfn);
            space.reverseMap().add(sharedPfn);
            table.clearFlush(task, slot);
            table.store(slot, encoding.present(sharedPfn, vma.protection()));
            space.reverseMap().remove(page.pfn);
            platform.allocator().put(page.pfn); // the entry's reference; ours remains
        }
        table.unlock(task, slot);
        space.notifiers().end(task, range);
        return same;
    }

    private int checksum(final long pfn) {
        platform.data().read(pfn, 0, bytes, 0, bytes.length);
        return Arrays.hashCode(bytes);
    }

    private boolean isEqual(final long pfn, final long other) {
        platform.data().read(pfn, 0, bytes, 0, bytes.length);
        platform.data().read(other, 0, others, 0, others.length);
        return Arrays.equals(bytes, others);
    }

    /** break_ksm for a range: every page of it becomes its process's own. mmap lock held. */
    static Errno unmerge(final Task task, final Vma vma, final long start, final long end) {
        final AddressSpace space = vma.space();
        final Platform platform = space.platform();
        final int fault = platform.profile().hasAnonExclusive() ? FaultFlags.UNSHARE : FaultFlags.WRITE;
        for (long addr = start; addr < end; addr += space.pageSize()) {
            final long pte = space.pageTable().peek(addr);
            final boolean merged = space.encoding().isPresent(pte)
                    && platform.frames().has(space.encoding().frameNumber(pte), FrameTable.KSM);
            if (merged && (FaultHandler.handle(task, vma, addr, FaultFlags.REMOTE | fault) & FaultResult.ERROR) != 0) {
                return Errno.ENOMEM;
            }
        }
        return Errno.OK;
    }
}
