package mmutex.device;

import mmutex.change.DeviceMigration;
import mmutex.change.DeviceMigration.Selection;
import mmutex.change.SpaceTeardown;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.FaultResult;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.sync.ActorLocal;

/**
 * The test device's driver moves pages to its memory and back: dmirror_migrate_to_device, dmirror_migrate_to_system,
 * dmirror_devmem_fault, dmirror_device_evict_chunk; lib/test_hmm.c (6.12), semantics 3.17 and 3.24.
 *
 * <p>The device's own table is changed by the driver while the pages are locked, since a handle does not take its own
 * device's MIGRATE events for a reason to erase anything. Where the kernel's driver copies a page first and replaces its
 * device mapping afterwards, here the old mapping goes first: a device write meanwhile would be lost.
 *
 * <p>Threads: any; stateless but for scratch per actor.
 */
final class MirrorMigrator {
    private static final int EVICTED_PAGES = 64;
    private static final ActorLocal<DeviceMigration> FAULT = new ActorLocal<>(() -> new DeviceMigration(1));

    private MirrorMigrator() {}

    /**
     * dmirror_migrate_to_device: VMA by VMA, so that those before a hole are migrated although the request fails.
     *
     * @return OK, however many pages were migrated; EINVAL for memory that is not mapped or not readable
     */
    static Errno toDevice(final Task task, final MirrorHandle handle, final long addr, final long pages) {
        final long done = eachVma(task, handle, addr, pages, Selection.SYSTEM);
        return done < 0 ? Errno.values()[(int) -done] : Errno.OK;
    }

    /**
     * dmirror_migrate_to_system.
     *
     * @return number of pages that were migrated, or {@code -errno.ordinal()}
     */
    static long toSystem(final Task task, final MirrorHandle handle, final long addr, final long pages) {
        return eachVma(task, handle, addr, pages, Selection.DEVICE_PRIVATE);
    }

    private static long eachVma(
            final Task task, final MirrorHandle handle, final long start, final long pages, final Selection from) {
        final AddressSpace space = handle.space();
        if (!space.tryPinUsers()) {
            return -Errno.EINVAL.ordinal();
        }
        final int pagesMax = space.platform().profile().deviceMigrationPages();
        final DeviceMigration migration = new DeviceMigration((int) Math.min(pages, pagesMax));
        final long end = start + (pages << space.pageShift());
        long migrated = 0;
        space.mmapLock().readLock(task);
        for (long addr = start; addr != end && migrated >= 0; ) { // unsigned: the range does not wrap
            final Vma vma = space.vmas().lookup(addr);
            if (vma == null || !vma.has(VmFlags.READ)) {
                migrated = -Errno.EINVAL.ordinal();
                break;
            }
            final long batchEnd = Math.min(vma.end(), addr + ((long) migration.pagesMax() << space.pageShift()));
            final long next = Long.compareUnsigned(batchEnd, end) < 0 ? batchEnd : end;
            final Errno refused =
                    migration.setup(task, vma, addr, next, handle.device().owner(), from);
            if (refused != Errno.OK) {
                migrated = -refused.ordinal();
                break;
            }
            if (from == Selection.SYSTEM) {
                copyToDevice(task, handle, migration, addr);
                migration.commit(task);
                map(task, handle, migration, vma, addr);
            } else {
                copyToSystem(task, handle.device(), migration, space, addr, null);
                migration.commit(task);
            }
            for (int i = 0; i < migration.pages(); i++) {
                if (migration.isMigrating(i) && migration.source(i) != FrameAllocator.NONE) {
                    migrated++;
                }
            }
            migration.finish(task);
            addr = next;
        }
        space.mmapLock().readUnlock(task);
        SpaceTeardown.unpin(task, space);
        return migrated;
    }

    /** dmirror_migrate_alloc_and_copy. A page for which there is no memory stays where it is. */
    private static void copyToDevice(
            final Task task, final MirrorHandle handle, final DeviceMigration migration, final long start) {
        final Platform platform = handle.space().platform();
        for (int i = 0; i < migration.pages(); i++) {
            if (!migration.isMigrating(i)) {
                continue;
            }
            final long to = handle.device().allocate(task, handle);
            if (to == FrameAllocator.NONE || !lockFresh(task, platform, to)) {
                continue;
            }
            final long from = migration.source(i);
            if (from == FrameAllocator.NONE) {
                platform.data().clear(to);
            } else {
                erase(
                        task,
                        handle.device(),
                        handle.space(),
                        start + ((long) i << handle.space().pageShift()),
                        null);
                platform.data().copyFrame(from, to);
            }
            migration.destination(i, to);
        }
    }

    /** dmirror_migrate_finalize_and_map. */
    private static void map(
            final Task task,
            final MirrorHandle handle,
            final DeviceMigration migration,
            final Vma vma,
            final long start) {
        final AddressSpace space = handle.space();
        final boolean writesHoles =
                vma.has(VmFlags.WRITE) && space.platform().profile().deviceWritesMigratedHoles();
        for (int i = 0; i < migration.pages(); i++) {
            if (!migration.isMigrating(i)) {
                continue;
            }
            final long addr = start + ((long) i << space.pageShift());
            final boolean hole = migration.source(i) == FrameAllocator.NONE;
            if (hole) {
                erase(task, handle.device(), space, addr, null);
            }
            handle.mapPrivate(task, addr, migration.destination(i), hole ? writesHoles : migration.isWritable(i));
        }
    }

    /**
     * dmirror_devmem_fault_alloc_and_copy.
     *
     * @param maker the handle that migrated the page to the device; null to leave its table alone
     * @return false if there was no memory for a page
     */
    private static boolean copyToSystem(
            final Task task,
            final MirrorDevice device,
            final DeviceMigration migration,
            final AddressSpace space,
            final long start,
            final MirrorHandle maker) {
        final Platform platform = space.platform();
        boolean enough = true;
        for (int i = 0; i < migration.pages(); i++) {
            final long from = migration.source(i);
            if (from == FrameAllocator.NONE || !migration.isMigrating(i)) {
                continue;
            }
            final long to = platform.allocator().allocate();
            if (to == FrameAllocator.NONE) {
                enough = false;
                continue;
            }
            if (!lockFresh(task, platform, to)) {
                continue;
            }
            erase(task, device, space, start + ((long) i << space.pageShift()), maker);
            platform.data().copyFrame(from, to);
            migration.destination(i, to);
        }
        return enough;
    }

    /**
     * Locks a frame that nobody else has a right to; sources are locked already, so only by trylock. Who may have it locked
     * all the same is a fault that takes it for its former self (R2): then the frame is given back, and the page stays.
     */
    private static boolean lockFresh(final Task task, final Platform platform, final long pfn) {
        final boolean locked = platform.pageLock().tryLock(task, pfn);
        if (!locked) {
            platform.allocator().put(pfn);
        }
        return locked;
    }

    /**
     * Takes a page from the tables of the device's handles on an address space; the kernel's driver, from the requesting
     * one's alone. And from its maker's.
     */
    private static void erase(
            final Task task,
            final MirrorDevice device,
            final AddressSpace space,
            final long addr,
            final MirrorHandle maker) {
        for (final MirrorHandle handle : device.handles()) {
            if (handle.space() == space || handle == maker) {
                handle.erase(task, addr);
            }
        }
    }

    /**
     * dmirror_devmem_fault: a CPU wants a page. The driver knows which handle brought it, and erases the page there, even
     * if the fault is that of a forked child and the handle acts on the parent's memory.
     */
    static int toRam(final Task task, final MirrorDevice device, final Vma vma, final long addr, final long pfn) {
        final AddressSpace space = vma.space();
        final DeviceMigration migration = FAULT.of(task);
        if (migration.setup(task, vma, addr, addr + space.pageSize(), device.owner(), Selection.DEVICE_PRIVATE, pfn)
                != Errno.OK) {
            return FaultResult.SIGBUS;
        }
        final boolean enough = copyToSystem(
                task,
                device,
                migration,
                space,
                addr,
                maker(device, device.memory().word(pfn)));
        migration.commit(task);
        migration.finish(task);
        // The kernel would find memory, or kill somebody for it.
        return enough ? FaultResult.DONE : FaultResult.OOM;
    }

    private static MirrorHandle maker(final MirrorDevice device, final long number) {
        for (final MirrorHandle handle : device.handles()) {
            if (handle.number() == number) {
                return handle;
            }
        }
        return null;
    }

    /**
     * dmirror_device_evict_chunk: brings all pages of a device back, in all processes; those that somebody is using at this
     * moment stay, as do those for which there is no memory. Devices that map them hear of it by CLEAR events.
     */
    static void evict(final Task task, final MirrorDevice device, final Platform platform) {
        final DeviceMigration migration = new DeviceMigration(EVICTED_PAGES);
        final long[] batch = new long[EVICTED_PAGES];
        final long limit = platform.allocator().limit();
        int count = 0;
        for (long pfn = FrameAllocator.ZERO_FRAME + 1; pfn < limit; pfn++) {
            if (device.memory().isOwn(pfn)) {
                batch[count++] = pfn;
            }
            if (count == EVICTED_PAGES || count > 0 && pfn == limit - 1) {
                evictBatch(task, device, platform, migration, batch, count);
                count = 0;
            }
        }
    }

    private static void evictBatch(
            final Task task,
            final MirrorDevice device,
            final Platform platform,
            final DeviceMigration migration,
            final long[] batch,
            final int count) {
        migration.setup(task, device.memory(), platform, batch, count);
        for (int i = 0; i < count; i++) {
            final long to = migration.isMigrating(i) ? platform.allocator().allocate() : FrameAllocator.NONE;
            if (to != FrameAllocator.NONE && lockFresh(task, platform, to)) {
                platform.data().copyFrame(migration.source(i), to);
                migration.destination(i, to);
            }
        }
        migration.commit(task);
        migration.finish(task);
    }
}
