package mmutex.inject;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.machine.Cpu;
import mmutex.machine.Emulation;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.sync.DriverLock;

/** A small machine on which operations are made to fail, and what must hold of it afterwards. */
final class Scene {
    /** Pages that operations act on, from {@link Emulation#BASE}. */
    static final int PAGES = 4;

    final Emulation emulation;
    final Cpu cpu;
    private final List<Process> children = new ArrayList<>();
    private final List<SvmDevice> devices = new ArrayList<>();
    private MirrorHandle mirror;

    Scene(final SemanticProfile profile) {
        emulation = new Emulation(profile, 96, 96);
        cpu = emulation.cpu;
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

    void openMirror() {
        if (mirror == null) {
            mirror = emulation.open(0);
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
        return emulation.process.mmapShared(cpu, Emulation.BASE, PAGES * Emulation.PAGE, Emulation.READ_WRITE);
    }

    /** Pages that have moved although the device could not map them are not moved again: a device read maps them. */
    Errno migrate() {
        final boolean moved = emulation.kind(0).isDevicePrivate();
        return moved
                ? mirrorRead()
                : mirror.migrateToDevice(cpu, Emulation.BASE, PAGES, buffer()).errno();
    }

    Errno mirror(final int pages) {
        return mirror.exclusive(cpu, Emulation.BASE, pages, buffer()).errno();
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
        final long far = 1L << 40;
        final long length = PAGES * Emulation.PAGE;
        final Errno there = emulation.process.mremap(cpu, Emulation.BASE, length, far, false);
        return there != Errno.OK ? there : emulation.process.mremap(cpu, far, length, Emulation.BASE, false);
    }

    Errno lock() {
        final Errno locked = emulation.process.mlock(cpu, Emulation.BASE, PAGES * Emulation.PAGE);
        emulation.process.munlock(cpu, Emulation.BASE, PAGES * Emulation.PAGE);
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

    void assertSound() {
        emulation.assertSound();
    }

    /** Everybody goes; then neither a frame nor a table may be left. */
    void assertNothingIsLeft() {
        children.forEach(child -> child.exit(cpu));
        devices.forEach(device -> emulation.machine.removeDevice(cpu, device));
        emulation.assertNothingIsLeft();
    }
}
