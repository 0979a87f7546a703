package mmutex.change;

import mmutex.mm.AddressSpace;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.sync.ActorLocal;

/** exit: exit_mmap, mm/mmap.c (6.12), semantics 3.15 and 3.21. */
public final class SpaceTeardown {
    private static final ActorLocal<NotifierRange> RANGE = new ActorLocal<>(NotifierRange::new);

    private SpaceTeardown() {}

    /** mmput: drops a user and, if it was the last one, tears the address space down. */
    public static void unpin(final Task task, final AddressSpace space) {
        if (space.unpinUsers()) {
            tearDown(task, space);
        }
    }

    private static void tearDown(final Task task, final AddressSpace space) {
        final NotifierRange range = RANGE.of(task);
        // 1. Subscribers let go: no device maps anything of this space afterwards.
        space.notifiers().release(task, range);
        // 2. Everything is unmapped; interval subscribers still hear of it. One span over all.
        space.mmapLock().readLock(task);
        range.init(NotifierEvent.UNMAP, 0, Long.MAX_VALUE);
        space.notifiers().start(task, range);
        for (final Vma vma : space.vmas().snapshot()) {
            Zapper.zap(task, vma, vma.start(), vma.end());
        }
        space.notifiers().end(task, range);
        space.mmapLock().readUnlock(task);
        // 3. VMAs and tables.
        space.mmapLock().writeLock(task);
        for (final Vma vma : space.vmas().snapshot()) {
            space.editor().remove(task, vma);
        }
        final long tables = space.pageTable().radix().detachAll();
        space.windows().flush(task);
        space.platform().tables().freeChain(tables);
        space.mmapLock().writeUnlock(task);
    }
}
