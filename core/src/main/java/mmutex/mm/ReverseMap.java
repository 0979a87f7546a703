package mmutex.mm;

import java.util.List;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameTable;
import mmutex.sync.Actor;

/**
 * Reverse mapping: which VMAs may map a frame of anonymous memory ({@link FileMapping} has those of files), and how often
 * any frame is mapped. mm/rmap.c (6.12).
 *
 * <p>Threads: each method says which locks its caller holds.
 */
public final class ReverseMap {
    private final Platform platform;
    private final FrameTable frames;

    ReverseMap(final Platform platform) {
        this.platform = platform;
        this.frames = platform.frames();
    }

    // ---- frames ---------------------------------------------------------------------------------------------

    /** folio_add_new_anon_rmap: first mapping of a fresh frame, owned by this process alone. PTL held. */
    public void addNewAnon(final long pfn, final Vma vma, final long addr) {
        frames.setMapping(pfn, vma.anonVma().id(), vma.linearIndex(addr));
        frames.setBits(pfn, FrameTable.ANON | (platform.profile().hasAnonExclusive() ? FrameTable.ANON_EXCLUSIVE : 0));
        frames.addMapCount(pfn, 1);
    }

    /**
     * folio_add_anon_rmap_pte of a frame that relatives may map as well: whoever of the family looks for its mappings finds
     * them all. PTL held.
     */
    public void addSharedAnon(final long pfn, final Vma vma, final long addr) {
        frames.setMapping(pfn, vma.anonVma().root.id(), vma.linearIndex(addr));
        frames.setBits(pfn, FrameTable.ANON);
        frames.addMapCount(pfn, 1);
    }

    /** folio_add_anon_rmap_pte, folio_add_file_rmap_pte and their dup forms: one more mapping of a frame. */
    public void add(final long pfn) {
        frames.addMapCount(pfn, 1);
    }

    /** folio_remove_rmap_pte. */
    public void remove(final long pfn) {
        frames.addMapCount(pfn, -1);
    }

    /** folio_add_new_anon_rmap of a compound page that one huge entry maps: AnonExclusive is the head's alone. */
    public void addNewAnonEntire(final long folio, final Vma vma, final long addr) {
        frames.setMapping(folio, vma.anonVma().id(), vma.linearIndex(addr));
        for (int i = 0; i < frames.compoundFrames(); i++) {
            frames.setBits(folio + i, FrameTable.ANON);
        }
        if (platform.profile().hasAnonExclusive()) {
            frames.setBits(folio, FrameTable.ANON_EXCLUSIVE);
        }
        frames.addEntireMapCount(folio, 1);
    }

    /** folio_try_dup_anon_rmap_pmd: one more huge entry maps it. */
    public void addEntire(final long folio) {
        frames.addEntireMapCount(folio, 1);
    }

    /** folio_remove_rmap_pmd. */
    public void removeEntire(final long folio) {
        frames.addEntireMapCount(folio, -1);
    }

    /** hugetlb_remove_rmap: one mapping of a huge page goes, with its references; the last one gives the page back. */
    public void removeHuge(final Actor actor, final int page) {
        final HugePagePool pool = platform.hugePages();
        final long[] frameNumbers = pool.frames(actor, page);
        for (int i = frameNumbers.length - 1; i >= 0; i--) {
            final boolean last = frames.addMapCount(frameNumbers[i], -1) == 0;
            frames.putTestZero(frameNumbers[i]); // never the last one, which is the pool's
            if (last && i == 0) {
                pool.release(actor, page);
            }
        }
    }

    /**
     * A huge entry becomes single ones: each maps its page, holds a reference, and inherits AnonExclusive from the head.
     * The lock of the huge entry is held.
     */
    void splitEntire(final long folio) {
        final int count = frames.compoundFrames();
        frames.getMany(folio, count - 1);
        final boolean exclusive = frames.has(folio, FrameTable.ANON_EXCLUSIVE);
        for (int i = 0; i < count; i++) {
            if (exclusive) {
                frames.setBits(folio + i, FrameTable.ANON_EXCLUSIVE);
            }
            frames.addMapCount(folio + i, 1);
        }
        removeEntire(folio);
    }

    /** folio_add_anon_rmap_pte of a page that was moved: one more mapping, which may be its owner's. PTL held. */
    public void addMoved(final long pfn, final boolean exclusive) {
        if (exclusive && platform.profile().hasAnonExclusive()) {
            frames.setBits(pfn, FrameTable.ANON_EXCLUSIVE);
        }
        frames.addMapCount(pfn, 1);
    }

    /** folio_move_anon_rmap: the folio now belongs to this VMA's anon_vma alone. Page locked. */
    public void moveTo(final long folio, final Vma vma) {
        frames.setMapping(folio, vma.anonVma().id(), frames.index(folio));
    }

    /**
     * folio_lock_anon_vma_read: the folio's anon_vma with its family locked for reading; null if the frame is not mapped
     * (an exclusive frame up to 6.14 is not) or not anonymous.
     */
    public AnonVma lockAnonVma(final Actor actor, final long folio) {
        return lockAnonVma(actor, folio, true);
    }

    /**
     * rmap_walk_anon_lock: the same for a locked frame, mapped or not: migration entries don't count as mappings. Null if
     * there is no VMA left that could have one.
     */
    public AnonVma lockAnonVmaOfMigrated(final Actor actor, final long folio) {
        return lockAnonVma(actor, folio, false);
    }

    private AnonVma lockAnonVma(final Actor actor, final long folio, final boolean mapped) {
        while (true) { // ends: each round means that the frame changed hands meanwhile
            final long id = frames.mapping(folio);
            if (id == 0 || mapped && frames.folioMapCount(folio) == 0) {
                return null;
            }
            final AnonVma found = platform.anonVma(id);
            if (found == null) {
                if (mapped) {
                    continue;
                }
                return null;
            }
            found.lock().readLock(actor);
            // ORDER(anon-vma-recheck): the id may have been freed and used again before the lock was held.
            if (frames.mapping(folio) == id && platform.anonVma(id) == found) {
                if (mapped && frames.folioMapCount(folio) == 0) {
                    found.lock().readUnlock(actor);
                    return null;
                }
                return found;
            }
            found.lock().readUnlock(actor);
        }
    }

    // ---- VMAs -----------------------------------------------------------------------------------------------

    /**
     * __anon_vma_prepare: gives a VMA the anon_vma its pages will belong to, a neighbour's if it fits, else a new one.
     * mmap lock held shared (a concurrent fault may do the same), or for writing.
     */
    public void prepare(final Actor actor, final Vma vma) {
        final AnonVma reusable = mergeable(vma);
        final AnonVma anonVma = reusable != null ? reusable : platform.createAnonVma(actor, null);
        anonVma.lock().writeLock(actor);
        vma.space().prepareLock().lock(actor);
        final boolean first = vma.anonVma() == null;
        if (first) {
            link(vma, anonVma);
            anonVma.activeVmas++;
            vma.anonVma(anonVma);
        }
        vma.space().prepareLock().unlock(actor);
        anonVma.lock().writeUnlock(actor);
        if (!first && reusable == null) {
            platform.removeAnonVma(actor, anonVma);
        }
    }

    /** find_mergeable_anon_vma: a neighbour's, if the two VMAs could be one but for their protection. */
    private static AnonVma mergeable(final Vma vma) {
        final VmaSet vmas = vma.space().vmas();
        final Vma next = vmas.find(vma.end());
        if (next != null && isCompatible(vma, next)) {
            final AnonVma found = reusable(next);
            if (found != null) {
                return found;
            }
        }
        final Vma previous = vmas.before(vma.start());
        return previous != null && isCompatible(previous, vma) ? reusable(previous) : null;
    }

    private static boolean isCompatible(final Vma a, final Vma b) {
        final long access = VmFlags.READ | VmFlags.WRITE | VmFlags.EXEC | VmFlags.SOFTDIRTY;
        return a.end() == b.start()
                && a.file() == b.file()
                && ((a.flags() ^ b.flags()) & ~access) == 0
                && b.pageOffset() == a.linearIndex(b.start());
    }

    private static AnonVma reusable(final Vma old) {
        final AnonVma anonVma = old.anonVma();
        return anonVma != null && old.chain.size() == 1 ? anonVma : null;
    }

    /** anon_vma_clone: links {@code to} to everything {@code from} is linked to. mmap lock held for writing. */
    public void cloneChain(final Actor actor, final Vma to, final Vma from) {
        final AnonVma own = from.anonVma();
        if (own == null) {
            return;
        }
        own.lock().writeLock(actor);
        final List<AnonVma> chain = from.chain;
        for (int i = chain.size() - 1; i >= 0; i--) {
            final AnonVma anonVma = chain.get(i);
            link(to, anonVma);
            // A fork's child takes over a spare one (its VMA is gone, at most one child) instead of growing the family.
            if (to.anonVma() == null && anonVma.children < 2 && anonVma.activeVmas == 0) {
                to.anonVma(anonVma);
            }
        }
        if (to.anonVma() != null) {
            to.anonVma().activeVmas++;
        }
        own.lock().writeUnlock(actor);
    }

    /** anon_vma_fork: the child's VMA is found through the parent's anon_vmas, and gets one of its own. */
    public void fork(final Actor actor, final Vma child, final Vma parent) {
        final AnonVma parentAnonVma = parent.anonVma();
        if (parentAnonVma == null) {
            return;
        }
        cloneChain(actor, child, parent);
        if (child.anonVma() != null) {
            return;
        }
        final AnonVma own = platform.createAnonVma(actor, parentAnonVma);
        own.lock().writeLock(actor);
        own.activeVmas++;
        link(child, own);
        parentAnonVma.children++;
        child.anonVma(own);
        own.lock().writeUnlock(actor);
    }

    /** unlink_anon_vmas: the VMA goes away; anon_vmas without VMAs and children go with it. */
    public void unlink(final Actor actor, final Vma vma) {
        final AnonVma own = vma.anonVma();
        if (own == null) {
            return;
        }
        own.lock().writeLock(actor);
        own.activeVmas--;
        final List<AnonVma> chain = vma.chain;
        for (int i = chain.size() - 1; i >= 0; i--) {
            final AnonVma anonVma = chain.get(i);
            anonVma.vmas.remove(vma);
            if (anonVma.vmas.isEmpty()) {
                anonVma.parent.children--;
                // ORDER(anon-vma-recheck): the id ends under the family's lock, so an id that still leads to the object
                // when the lock is held is that object's.
                platform.removeAnonVma(actor, anonVma);
            }
        }
        chain.clear();
        vma.anonVma(null);
        own.lock().writeUnlock(actor);
    }

    private static void link(final Vma vma, final AnonVma anonVma) {
        vma.chain.add(anonVma);
        anonVma.insert(vma);
    }
}
