package mmutex.inject;

import static mmutex.inject.Shortage.COMPOUND_PAGES;
import static mmutex.inject.Shortage.DEVICE_MEMORY;
import static mmutex.inject.Shortage.FRAMES;
import static mmutex.inject.Shortage.POOLED_PAGES;
import static mmutex.inject.Shortage.SWAP_SLOTS;
import static mmutex.inject.Shortage.TABLES;

import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceAccess;
import mmutex.fault.Signal;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.Populate;

/** The operations that are made to run out, a line each, with what each needs: one less, and it fails. */
final class Operations {
    private static final Set<Enum<?>> OUT_OF_MEMORY = Set.of(Signal.OUT_OF_MEMORY);
    private static final Set<Enum<?>> ENOMEM = Set.of(Errno.ENOMEM);
    private static final Set<Enum<?>> EFAULT = Set.of(Errno.EFAULT);

    /** Up to 6.14 the test device calls every failure EBUSY. */
    private static final Set<Enum<?>> NO_EXCLUSIVE = Set.of(Errno.ENOMEM, Errno.EBUSY);
    /** hmm_range_fault reports every failed fault as EFAULT; the device's own tables as ENOMEM. */
    private static final Set<Enum<?>> NO_MIRROR = Set.of(Errno.EFAULT, Errno.ENOMEM);
    /** What could not be moved is not mapped by the device, unless it is mapped where it is. */
    private static final Set<Enum<?>> NO_MIGRATION = Set.of(Errno.ENOENT, Errno.ENOMEM);

    private static final Set<Enum<?>> NO_DEVICE = Set.of(Errno.EINVAL, Errno.ENOMEM);

    private static final List<Operation> FAULTS = List.of(
            cpu("first write", Scene::map, Scene::storeAll, 4, 3),
            cpu("first read", Scene::map, Scene::loadAll, 0, 3),
            cpu("write to the zero page", Scene::mapZero, Scene::storeAll, 4, 0),
            cpu("write to shared pages", Scene::mapShared, Scene::storeAll, 4, 0),
            cpu("write to exclusive pages", Scene::mapExclusive, Scene::storeAll, 0, 0),
            cpu("write to migrated pages", Scene::mapMigrated, Scene::storeAll, 4, 0),
            cpu("read of swapped pages", Scene::mapSwapped, Scene::loadAll, 4, 0),
            cpu("write to swapped pages", Scene::mapSwapped, Scene::storeAll, 4, 0),
            cpu("write to merged pages", Scene::mapMerged, Scene::storeAll, 4, 0),
            cpu("first write to shared memory", Scene::mapMemory, Scene::storeAll, 4, 5),
            cpu("first read of shared memory", Scene::mapMemory, Scene::loadAll, 4, 5),
            cpu("first write to a file's private pages", Scene::mapFile, Scene::storeAll, 8, 5),
            // Without a run of frames small pages do.
            cpu("first write to a huge page", Scene::mapHuge, Scene::storeAll, 4, 3)
                    .needs(COMPOUND_PAGES, 0)
                    .huge(),
            cpu("first read of a huge page", Scene::mapHuge, Scene::loadAll, 0, 3)
                    .needs(COMPOUND_PAGES, 0)
                    .huge(),
            cpu("write to a page under a huge one that is shared", Scene::mapHugeShared, Scene::storeAll, 4, 0)
                    .huge(),
            cpu("write to a page under the huge page of zeroes", Scene::mapHugeZero, Scene::storeAll, 4, 0)
                    .needs(COMPOUND_PAGES, 0)
                    .huge(),
            cpu("first write to a page of the pool", Scene::mapPooled, Scene::storeAll, 0, 3)
                    .huge(),
            new Operation(
                            "write to a shared page of the pool",
                            Scene::mapPooledShared,
                            Scene::storeAll,
                            Set.of(Signal.BUS_ADRERR))
                    .needs(POOLED_PAGES, 1)
                    .needs(FRAMES, 0)
                    .huge());

    private static final List<Operation> CALLS = List.of(
            call("fork", Scene::mapWritten, Scene::fork, ENOMEM, 0, 4).undone(),
            call("fork with exclusive pages", Scene::mapExclusive, Scene::fork, ENOMEM, 0, 4)
                    .undone(),
            call("fork with swapped pages", Scene::mapSwapped, Scene::fork, ENOMEM, 0, 4)
                    .undone(),
            call("fork with migrated pages", Scene::mapMigrated, Scene::fork, ENOMEM, 0, 4)
                    .undone(),
            call("fork with pinned pages", Scene::mapPinned, Scene::fork, ENOMEM, 4, 4)
                    .undone()
                    .where(SemanticProfile::hasAnonExclusive), // others can't tell whose a page is, and copy none
            call("fork with a huge page", Scene::mapHugeWritten, Scene::fork, ENOMEM, 0, 4)
                    .undone()
                    .huge(),
            call("mremap", Scene::mapWritten, Scene::move, ENOMEM, 0, 3),
            call("mremap of exclusive pages", Scene::mapExclusive, Scene::move, ENOMEM, 0, 3),
            call("mremap of merged pages", Scene::mapMerged, Scene::move, ENOMEM, 4, 3),
            call("mremap of a huge page", Scene::mapHugeWritten, Scene::moveHuge, ENOMEM, 0, 2)
                    .huge(),
            call("mprotect of a part of a huge page", Scene::mapHugeWritten, Scene::splitHuge, ENOMEM, 0, 0)
                    .huge(),
            call("mlock", Scene::map, Scene::lock, Set.of(Errno.EAGAIN), 4, 3),
            call("MADV_POPULATE_READ", Scene::map, s -> s.advise(Advice.POPULATE_READ), ENOMEM, 0, 3)
                    .where(profile -> profile.populate() != Populate.ABSENT),
            call("MADV_POPULATE_WRITE", Scene::map, s -> s.advise(Advice.POPULATE_WRITE), ENOMEM, 4, 3)
                    .where(profile -> profile.populate() != Populate.ABSENT),
            call("MADV_UNMERGEABLE", Scene::mapMerged, s -> s.advise(Advice.UNMERGEABLE), ENOMEM, 4, 0),
            new Operation("MADV_COLLAPSE", Scene::mapCollapsible, Scene::collapse, ENOMEM)
                    .needs(COMPOUND_PAGES, 1)
                    .needs(TABLES, 0)
                    .huge(),
            call("forced write", Scene::map, Scene::writeForced, Set.of(Errno.EIO), 4, 3),
            call("pinned write to shared pages", Scene::mapShared, Scene::writePinned, EFAULT, 4, 0),
            call("mmap of shared memory", s -> {}, Scene::mapSharedMemory, ENOMEM, 0, 1)
                    .undone(),
            call("mmap of a driver's pages", s -> {}, Scene::mapDriver, ENOMEM, 4, 3)
                    .undone(),
            new Operation("mmap of pages of the pool", Scene::fillPool, Scene::mapPooledPages, ENOMEM)
                    .needs(POOLED_PAGES, 1)
                    .undone()
                    .huge(),
            call("write(2) to a file", Scene::openFile, Scene::writeFile, ENOMEM, 4, 2),
            call("read(2) of a file", Scene::openFile, Scene::readFile, ENOMEM, 4, 2),
            call("write(2) from untouched memory to a pipe", Scene::map, Scene::writePipe, EFAULT, 0, 3),
            call("read(2) from a pipe into untouched memory", Scene::fillPipe, Scene::readPipe, EFAULT, 4, 3),
            call("vmsplice of untouched memory", Scene::map, Scene::splice, EFAULT, 0, 3),
            call("UFFDIO_COPY", Scene::mapHandled, s -> s.fill(true), ENOMEM, 4, 3),
            call("UFFDIO_ZEROPAGE", Scene::mapHandled, s -> s.fill(false), ENOMEM, 0, 3),
            new Operation("swap-out", Scene::mapAndSwapOn, Scene::swapOut, ENOMEM)
                    .needs(SWAP_SLOTS, 4)
                    .needs(FRAMES, 0)
                    .needs(TABLES, 0),
            call("swapoff", Scene::mapSwapped, Scene::swapOff, ENOMEM, 4, 0));

    private static final List<Operation> DEVICES = List.of(
            call("open and make exclusive", Scene::map, Scene::openAndMakeExclusive, NO_EXCLUSIVE, 4, 7),
            mirror("make untouched pages exclusive", Scene::map, s -> s.mirror(Scene.PAGES), NO_EXCLUSIVE, 4, 6),
            mirror("make zero pages exclusive", Scene::mapZero, s -> s.mirror(Scene.PAGES), NO_EXCLUSIVE, 4, 3),
            mirror("make shared pages exclusive", Scene::mapShared, s -> s.mirror(Scene.PAGES), NO_EXCLUSIVE, 4, 3),
            mirror("make swapped pages exclusive", Scene::mapSwapped, s -> s.mirror(Scene.PAGES), NO_EXCLUSIVE, 4, 3),
            mirror("make merged pages exclusive", Scene::mapMerged, s -> s.mirror(Scene.PAGES), NO_EXCLUSIVE, 4, 3),
            mirror("make migrated pages exclusive", Scene::mapMigrated, s -> s.mirror(Scene.PAGES), NO_EXCLUSIVE, 4, 0),
            mirror("device read", Scene::map, Scene::mirrorRead, NO_MIRROR, 0, 6),
            mirror("device write", Scene::map, Scene::mirrorWrite, NO_MIRROR, 4, 6),
            mirror("device write to shared pages", Scene::mapShared, Scene::mirrorWrite, NO_MIRROR, 4, 3),
            mirror("device write to shared memory", Scene::mapMemory, Scene::mirrorWrite, NO_MIRROR, 4, 8),
            mirror("another device's read", Scene::mapMigratedBesideAnother, Scene::readByAnother, NO_MIRROR, 4, 3),
            mirror("migration to a device", Scene::mapWritten, Scene::migrate, NO_MIGRATION, 4, 3)
                    .needs(DEVICE_MEMORY, 4),
            mirror("migration of untouched pages to a device", Scene::map, Scene::migrate, NO_MIGRATION, 4, 6)
                    .needs(DEVICE_MEMORY, 4),
            call("migration to ordinary memory", Scene::mapMigrated, Scene::migrateBack, ENOMEM, 4, 0),
            call("eviction from a device", Scene::mapMigrated, Scene::evict, ENOMEM, 4, 0),
            device("device fault, read", Scene::map, DeviceAccess.READ, 0, 6),
            device("device fault, write", Scene::map, DeviceAccess.WRITE, 1, 6),
            device("device fault, atomic", Scene::map, DeviceAccess.ATOMIC, 1, 6),
            device("device fault, atomic, shared page", Scene::mapShared, DeviceAccess.ATOMIC, 1, 3));

    /** A new operation is a line. */
    static final List<Operation> ALL =
            Stream.of(FAULTS, CALLS, DEVICES).flatMap(List::stream).toList();

    private Operations() {}

    private static Operation cpu(
            final String name,
            final Consumer<Scene> prepare,
            final Function<Scene, Enum<?>> perform,
            final int frames,
            final int tables) {
        return call(name, prepare, perform, OUT_OF_MEMORY, frames, tables);
    }

    private static Operation call(
            final String name,
            final Consumer<Scene> prepare,
            final Function<Scene, Enum<?>> perform,
            final Set<Enum<?>> failures,
            final int frames,
            final int tables) {
        return new Operation(name, prepare, perform, failures)
                .needs(FRAMES, frames)
                .needs(TABLES, tables);
    }

    private static Operation mirror(
            final String name,
            final Consumer<Scene> prepare,
            final Function<Scene, Enum<?>> perform,
            final Set<Enum<?>> failures,
            final int frames,
            final int tables) {
        return call(name, prepare.andThen(Scene::openMirror), perform, failures, frames, tables);
    }

    private static Operation device(
            final String name,
            final Consumer<Scene> prepare,
            final DeviceAccess access,
            final int frames,
            final int tables) {
        return call(name, prepare.andThen(Scene::addDevice), s -> s.resolve(access), NO_DEVICE, frames, tables);
    }
}
