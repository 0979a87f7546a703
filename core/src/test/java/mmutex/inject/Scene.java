package mmutex.inject;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mmutex.change.Advisor.Advice;
import mmutex.change.SamePageMerger;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.PteKind;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.File;
import mmutex.machine.Pipe;
import mmutex.machine.Process;
import mmutex.machine.UserFaultFd;
import mmutex.memory.RadixTable;
import mmutex.mm.DeviceMemory;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.sync.DriverLock;

/** A small machine on which operations are made to fail, and what must hold of it afterwards. */
final class Scene {
    /** Pages that operations act on, from {@link Emulation#BASE}. */
    static final int PAGES = 4;

    private static final long LENGTH = PAGES * Emulation.PAGE;
    /** Pages under a huge entry. */
    private static final int HUGE = 512;
    /** An address without any table. */
    private static final long FAR = 1L << 40;
    /** Pages of a device's memory: more than operations need, so that some can be taken. */
    private static final int DEVICE_PAGES = 8;

    final Emulation emulation;
    final Cpu cpu;
    private final List<Process> children = new ArrayList<>();
    private final List<SvmDevice> devices = new ArrayList<>();
    private final List<Long> pinned = new ArrayList<>();
    private final Pipe pipe = new Pipe();
    /** Frames below were free before a compaction. */
    private long compactedBelow;

    private MirrorHandle mirror;
    private MirrorHandle another;
    private final SamePageMerger merger;
    private UserFaultFd handler;
    private File file;

    Scene(final SemanticProfile profile, final int frames) {
        emulation = new Emulation(profile, frames, 96);
        cpu = emulation.cpu;
        merger = emulation.machine.newSamePageMerger();
    }

    SemanticProfile profile() {
        return emulation.platform.profile();
    }

    // ---- preparing ------------------------------------------------------------------------------------------------

    void map() {
        emulation.map(0, PAGES, Emulation.READ_WRITE);
    }

    void mapWritten() {
        emulation.mapWritten(0, PAGES);
    }

    void mapZero() {
        map();
        for (int page = 0; page < PAGES; page++) {
            emulation.load(page);
        }
    }

    /** Written, and shared with a child. */
    void mapShared() {
        mapWritten();
        children.add(emulation.fork());
    }

    void mapExclusive() {
        mapWritten();
        openMirror();
        assertThat(mirror(PAGES)).isEqualTo(Errno.OK);
    }

    void mapMigrated() {
        mapWritten();
        openMirror();
        assertThat(migrate()).isEqualTo(Errno.OK);
    }

    void mapMigratedBesideAnother() {
        mapMigrated();
        another = emulation.open(emulation.machine.newMirrorDevice(1, DEVICE_PAGES));
    }

    void mapAndSwapOn() {
        assertThat(emulation.machine.swapOn(2 * PAGES)).isEqualTo(Errno.OK);
        mapWritten();
    }

    void mapSwapped() {
        mapAndSwapOn();
        assertThat(swapOut()).isEqualTo(Errno.OK);
    }

    /** Of one content, and of one frame. */
    void mapMerged() {
        mapMergeable();
        assertThat(merge()).isEqualTo(PAGES);
    }

    void mapMergeable() {
        map();
        assertThat(advise(Advice.MERGEABLE)).isEqualTo(Errno.OK);
        for (int page = 0; page < PAGES; page++) {
            emulation.store(page, 7);
        }
    }

    void mapWrittenForMirror() {
        mapWritten();
        openMirror();
    }

    /** With as many free frames below them. */
    void mapAboveRoom() {
        final long[] room = new long[PAGES];
        for (int i = 0; i < PAGES; i++) {
            room[i] = emulation.platform.allocator().allocate();
            compactedBelow = Math.max(compactedBelow, room[i] + 1);
        }
        mapWritten();
        for (final long pfn : room) {
            emulation.platform.allocator().put(pfn);
        }
    }

    int merge() {
        return merger.scan(cpu, List.of(emulation.space));
    }

    /** Somebody may be writing to them from outside. */
    void mapPinned() {
        mapWritten();
        for (int page = 0; page < PAGES; page++) {
            pinned.add(emulation.frame(page));
            emulation.frames.pin(emulation.frame(page));
        }
    }

    void mapMemory() {
        assertThat(mapSharedMemory()).isEqualTo(Errno.OK);
    }

    void openFile() {
        file = emulation.machine.newFile(cpu, PAGES);
    }

    void mapFile() {
        openFile();
        assertThat(emulation.process.mmapFile(cpu, Emulation.BASE, LENGTH, Emulation.READ_WRITE, file, 0, false))
                .isEqualTo(Errno.OK);
    }

    /** Memory where a huge page is welcome. */
    void mapHuge() {
        emulation.map(0, HUGE, Emulation.READ_WRITE);
        assertThat(emulation.process.madvise(cpu, Emulation.BASE, HUGE * Emulation.PAGE, Advice.HUGEPAGE))
                .isEqualTo(Errno.OK);
    }

    void mapHugeWritten() {
        mapHuge();
        emulation.store(0, 1);
        assertThat(isHuge()).isTrue();
    }

    void mapHugeZero() {
        mapHuge();
        emulation.load(0);
        assertThat(isHuge()).isTrue();
    }

    void mapHugeShared() {
        mapHugeWritten();
        assertThat(fork()).isEqualTo(Errno.OK);
    }

    /** Small pages, of which a huge one could be made. */
    void mapCollapsible() {
        emulation.mapWritten(0, HUGE);
    }

    void fillPool() {
        assertThat(emulation.machine.reserveHugePages(cpu, 1)).isTrue();
    }

    void mapPooled() {
        fillPool();
        assertThat(mapPooledPages()).isEqualTo(Errno.OK);
    }

    void mapPooledShared() {
        mapPooled();
        fillPool();
        emulation.store(0, 1);
        assertThat(fork()).isEqualTo(Errno.OK);
    }

    void fillPipe() {
        map();
        pipe.write(new byte[(int) LENGTH]);
    }

    /** A handler has been asked for missing pages. */
    void mapHandled() {
        map();
        handler = new UserFaultFd(emulation.process);
        assertThat(handler.register(cpu, Emulation.BASE, LENGTH, true, false)).isEqualTo(Errno.OK);
    }

    void openMirror() {
        if (mirror == null) {
            mirror = emulation.open(emulation.machine.newMirrorDevice(0, DEVICE_PAGES));
        }
    }

    void addDevice() {
        devices.add(emulation.machine.newDevice(cpu, emulation.process, 1, System::nanoTime));
    }

    // ---- performing -----------------------------------------------------------------------------------------------

    Signal storeAll() {
        Signal signal = Signal.NONE;
        for (int page = 0; page < PAGES && signal == Signal.NONE; page++) {
            signal = cpu.storeLong(Emulation.addr(page), page);
        }
        return signal;
    }

    Signal loadAll() {
        Signal signal = Signal.NONE;
        for (int page = 0; page < PAGES && signal == Signal.NONE; page++) {
            signal = cpu.loadLong(Emulation.addr(page));
        }
        return signal;
    }

    Errno mapSharedMemory() {
        return emulation.process.mmapShared(cpu, Emulation.BASE, LENGTH, Emulation.READ_WRITE);
    }

    Errno mapDriver() {
        return emulation.process.mmapDriver(cpu, Emulation.BASE, LENGTH, Emulation.READ_WRITE);
    }

    Errno mapPooledPages() {
        return emulation.process.mmapHuge(cpu, Emulation.BASE, HUGE * Emulation.PAGE, Emulation.READ_WRITE);
    }

    Errno advise(final Advice advice) {
        return emulation.process.madvise(cpu, Emulation.BASE, LENGTH, advice);
    }

    Errno collapse() {
        return emulation.process.madvise(cpu, Emulation.BASE, HUGE * Emulation.PAGE, Advice.COLLAPSE);
    }

    /** Reclaims until no page is left in memory. */
    Errno swapOut() {
        emulation.machine.reclaim(cpu, PAGES);
        return everyPageIs(PteKind.SWAP) ? Errno.OK : Errno.ENOMEM;
    }

    Errno swapOff() {
        return emulation.machine.swapOff(cpu);
    }

    Errno writeFile() {
        return file.write(cpu, 0, new byte[(int) LENGTH]);
    }

    Errno readFile() {
        return file.read(cpu, 0, new byte[(int) LENGTH]);
    }

    Errno writePipe() {
        return pipe.write(cpu, Emulation.BASE, (int) LENGTH);
    }

    Errno readPipe() {
        return pipe.read(cpu, Emulation.BASE, (int) LENGTH);
    }

    Errno splice() {
        return pipe.splice(cpu, emulation.process, Emulation.BASE, (int) LENGTH);
    }

    /** Fills in what is missing, with contents or with the zero page. */
    Errno fill(final boolean contents) {
        Errno result = Errno.OK;
        for (int page = 0; page < PAGES && (result == Errno.OK || result == Errno.EEXIST); page++) {
            final long addr = Emulation.addr(page);
            result = contents ? handler.copy(cpu, addr, new byte[(int) Emulation.PAGE]) : handler.zero(cpu, addr);
        }
        return result == Errno.EEXIST ? Errno.OK : result;
    }

    /** Pages that have moved although the device could not map them are not moved again: a device read maps them. */
    Errno migrate() {
        final boolean moved = emulation.kind(0).isDevicePrivate();
        return moved
                ? mirrorRead()
                : mirror.migrateToDevice(cpu, Emulation.BASE, PAGES, buffer()).errno();
    }

    /** What has not moved yet. */
    Errno migrateAgain() {
        return mirror.migrateToDevice(cpu, Emulation.BASE, PAGES, buffer()).errno();
    }

    int compact() {
        return emulation.machine.compact(cpu);
    }

    boolean isCompacted(final int page) {
        return emulation.frame(page) < compactedBelow;
    }

    Errno mirror(final int pages) {
        return mirror.exclusive(cpu, Emulation.BASE, pages, buffer()).errno();
    }

    /** No errno says that pages stayed behind; here one does. */
    Errno migrateBack() {
        final Errno errno = mirror.migrateToSystem(cpu, Emulation.BASE, PAGES).errno();
        return errno != Errno.OK || everyPageIs(PteKind.PRESENT) ? errno : Errno.ENOMEM;
    }

    /** Likewise. */
    Errno evict() {
        final Errno errno = mirror.release(cpu, Emulation.BASE, PAGES).errno();
        return errno != Errno.OK || everyPageIs(PteKind.PRESENT) ? errno : Errno.ENOMEM;
    }

    Errno readByAnother() {
        return another.read(cpu, Emulation.BASE, PAGES, buffer()).errno();
    }

    DeviceMemory mirrorMemory() {
        return mirror.device().memory();
    }

    DriverLock mirrorLock() {
        return mirror.lock();
    }

    Errno mirrorRead() {
        return mirror.read(cpu, Emulation.BASE, PAGES, buffer()).errno();
    }

    Errno mirrorWrite() {
        return mirror.write(cpu, Emulation.BASE, PAGES, buffer()).errno();
    }

    private static DeviceBuffer buffer() {
        return DeviceBuffer.ofArray(new byte[PAGES * (int) Emulation.PAGE]);
    }

    Errno resolve(final DeviceAccess access) {
        final SvmDevice device = devices.get(0);
        return device.driver().resolve(device.worker(), Emulation.BASE, access);
    }

    Errno fork() {
        final Process.Forked forked = emulation.process.fork(cpu);
        assertThat(forked.child() == null).isEqualTo(forked.errno() != Errno.OK);
        if (forked.child() != null) {
            children.add(forked.child());
        }
        return forked.errno();
    }

    /** Far away, where there are no tables yet; and back, so that it can be repeated. */
    Errno move() {
        return move(LENGTH);
    }

    Errno moveHuge() {
        return move(HUGE * Emulation.PAGE);
    }

    private Errno move(final long length) {
        final Errno there = emulation.process.mremap(cpu, Emulation.BASE, length, FAR, false);
        return there != Errno.OK ? there : emulation.process.mremap(cpu, FAR, length, Emulation.BASE, false);
    }

    Errno splitHuge() {
        final Errno errno = emulation.process.mprotect(cpu, Emulation.addr(1), Emulation.PAGE, Emulation.READ);
        assertThat(isHuge()).isFalse();
        return errno;
    }

    Errno lock() {
        final Errno locked = emulation.process.mlock(cpu, Emulation.BASE, LENGTH);
        emulation.process.munlock(cpu, Emulation.BASE, LENGTH);
        return locked;
    }

    /** As the system calls say it: what was not transferred is an error if nothing was. */
    Errno writeForced() {
        final byte[] bytes = new byte[PAGES * (int) Emulation.PAGE];
        return emulation.process.writeForced(cpu, Emulation.BASE, bytes) == bytes.length ? Errno.OK : Errno.EIO;
    }

    Errno writePinned() {
        final byte[] bytes = new byte[PAGES * (int) Emulation.PAGE];
        return emulation.process.writePinned(cpu, Emulation.BASE, bytes) == bytes.length ? Errno.OK : Errno.EFAULT;
    }

    Errno openAndMakeExclusive() {
        openMirror();
        return mirror(PAGES);
    }

    // ---- judging --------------------------------------------------------------------------------------------------

    /** What is in use: a failure that is undone changes nothing of it. */
    List<Long> inUse() {
        return List.of(
                emulation.platform.allocator().inUse(),
                emulation.platform.tables().inUse(),
                emulation.process.rssAnonPages(),
                (long) emulation.machine.spaces().size());
    }

    boolean everyPageIs(final PteKind kind) {
        for (int page = 0; page < PAGES; page++) {
            if (emulation.kind(page) != kind) {
                return false;
            }
        }
        return true;
    }

    boolean isHuge() {
        return RadixTable.isHuge(emulation.space.pageTable().slot(Emulation.BASE));
    }

    /** References that no table shows are dropped first. */
    void assertSound() {
        pinned.forEach(emulation.platform.allocator()::unpin);
        pinned.clear();
        pipe.close();
        emulation.assertSound();
    }

    /** Everybody goes; then neither a frame nor a table may be left. */
    void assertNothingIsLeft() {
        if (handler != null) {
            handler.close(cpu);
        }
        if (file != null) {
            file.close(cpu);
        }
        children.forEach(child -> child.exit(cpu));
        devices.forEach(device -> emulation.machine.removeDevice(cpu, device));
        emulation.assertNothingIsLeft();
    }
}
