package mmutex.conformance.matrix;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.LongUnaryOperator;
import mmutex.change.Advisor.Advice;
import mmutex.change.DeviceMigration;
import mmutex.change.DeviceMigration.Selection;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Emulation;
import mmutex.machine.File;
import mmutex.machine.Process;
import mmutex.machine.UserFaultFd;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.DeviceMemory;
import mmutex.mm.Errno;
import mmutex.mm.FaultResult;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;

/** The machine of one row, whose subject is page 0: what can be there, what can be done to it, and what it is then. */
final class Bench {
    final SemanticProfile profile;
    private final Emulation emulation;
    private MirrorHandle device;
    private UserFaultFd handler;
    private Process child;
    private File file;
    private DeviceMigration migration;
    private DeviceMemory ownMemory;

    /** The frame of page 0 before. */
    private long followed;
    /** References on it of threads in flight. */
    private long inFlight;
    /** A frame with a reference of the test's own. */
    private long held;
    /** What was seen in the middle of the operation; null if there was nothing to see. */
    private State seen;

    Bench(final SemanticProfile profile) {
        this.profile = profile;
        this.emulation = new Emulation(profile);
    }

    // ---- before -------------------------------------------------------------------------------------------------

    void map() {
        emulation.map(0, 1, READ_WRITE);
    }

    void mapZero() {
        map();
        load();
    }

    void mapFilePage() {
        file = emulation.machine.newFile(emulation.cpu, 1);
        assertThat(emulation.process.mmapFile(emulation.cpu, BASE, PAGE, READ_WRITE, file, 0, false))
                .isEqualTo(Errno.OK);
        load();
    }

    void mapWritten() {
        emulation.mapWritten(0, 1);
    }

    void mapReadOnly() {
        mapWritten();
        protectReadOnly();
    }

    void mapShared() {
        mapWritten();
        fork();
    }

    /** Shared once, but the child has gone. */
    void mapLeftAlone() {
        mapShared();
        child.exit(emulation.cpu);
        child = null;
    }

    void mapLeftAloneNotSoftDirty() {
        mapLeftAlone();
        edit(emulation.encoding::clearSoftDirty);
    }

    void mapNotSoftDirty() {
        mapWritten();
        edit(emulation.encoding::clearSoftDirty);
    }

    /** Writable, but neither entry nor frame is dirty. */
    void mapClean() {
        mapWritten();
        assertThat(emulation.process.madvise(emulation.cpu, BASE, PAGE, Advice.FREE))
                .isEqualTo(Errno.OK);
    }

    void mapCleanNotSoftDirty() {
        mapClean();
        edit(emulation.encoding::clearSoftDirty);
    }

    /** As between get_user_pages and the conversion, when somebody has protected the page meanwhile. */
    void mapUffdWp() {
        mapWritten();
        edit(emulation.encoding::mkUffdWp);
    }

    /** Written, and protected by a handler of user faults. */
    void mapGuarded() {
        handle();
        emulation.store(0, 0);
        guard();
    }

    private void handle() {
        map();
        handler = new UserFaultFd(emulation.process);
        assertThat(handler.register(emulation.cpu, BASE, PAGE, false, true)).isEqualTo(Errno.OK);
    }

    void mapBatch() {
        emulation.mapWritten(0, 2);
    }

    void mapExclusive() {
        mapWritten();
        exclusive();
    }

    void mapExclusiveNotSoftDirty() {
        mapExclusive();
        track();
        edit(emulation.encoding::clearSwapSoftDirty);
    }

    /** The mapping's own soft-dirty flag is cleared, as clear_refs does: from now on entries are tracked. */
    private void track() {
        final Vma vma = emulation.space.vmas().lookup(BASE);
        emulation.space.mmapLock().writeLock(emulation.cpu);
        emulation.space.editor().modify(emulation.cpu, vma, vma.start(), vma.end(), vma.flags() & ~VmFlags.SOFTDIRTY);
        emulation.space.mmapLock().writeUnlock(emulation.cpu);
    }

    void mapExclusiveUffdWp() {
        mapExclusive();
        edit(emulation.encoding::mkSwapUffdWp);
    }

    /** Exclusive, and a handler could protect it. */
    void mapExclusiveHandled() {
        handle();
        emulation.store(0, 0);
        exclusive();
    }

    /** Protected since it is exclusive, so the one type of 6.15 can carry the mark too. */
    void mapExclusiveGuarded() {
        mapExclusiveHandled();
        guard();
    }

    /** The device has let go, and with that reported what it may have written: that is its part, not the matrix's. */
    void mapExclusiveClean() {
        mapWritten();
        final MirrorHandle gone = emulation.machine.newMirrorDevice(2).open(emulation.cpu, emulation.space);
        assertThat(makeExclusive(gone, 1)).isEqualTo(Errno.OK);
        gone.close(emulation.cpu);
        emulation.frames.clearBits(emulation.frame(0), FrameTable.DIRTY);
    }

    void mapExclusiveProtected() {
        mapExclusive();
        protect(READ);
    }

    void mapExclusiveReadable() {
        mapExclusiveProtected();
        protect(READ_WRITE);
    }

    void mapRestoredReadOnly() {
        mapExclusiveReadable();
        load();
    }

    void mapWrittenAndHeld() {
        mapWritten();
        hold();
    }

    void mapExclusiveAndHeld() {
        mapExclusiveClean();
        hold();
    }

    void mapPrivateAndHeld() {
        mapWritten();
        assertThat(open().migrateToDevice(emulation.cpu, BASE, 1, buffer(1)).errno())
                .isEqualTo(Errno.OK);
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        hold();
    }

    /** With a free frame below it, so that a compaction would move it. */
    void mapExclusiveAboveRoom() {
        final long room = emulation.platform.allocator().allocate();
        mapExclusive();
        emulation.platform.allocator().put(room);
        assertThat(emulation.frame(0)).isGreaterThan(room);
    }

    private void hold() {
        held = emulation.frame(0);
        emulation.frames.get(held);
    }

    private void edit(final LongUnaryOperator change) {
        final long slot = emulation.space.pageTable().slot(BASE);
        emulation.space.pageTable().store(slot, change.applyAsLong(emulation.pte(0)));
        emulation.space.windows().flush(emulation.cpu);
    }

    // ---- before finalize ----------------------------------------------------------------------------------------

    void mapCollected() {
        mapWritten();
        collect();
        destination(emulation.platform.allocator().allocate());
    }

    void mapCollectedClean() {
        mapCleanNotSoftDirty();
        collect();
        destination(emulation.platform.allocator().allocate());
    }

    /** What the entry remembers and what the frame knows are two things. */
    void mapCollectedAndCleaned() {
        mapWritten();
        collect();
        emulation.frames.clearBits(emulation.frame(0), FrameTable.DIRTY);
        destination(emulation.platform.allocator().allocate());
    }

    void mapCollectedGuarded() {
        mapGuarded();
        collect();
        destination(emulation.platform.allocator().allocate());
    }

    void mapCollectedShared() {
        mapShared();
        collect();
        destination(emulation.platform.allocator().allocate());
    }

    void mapCollectedForNothing() {
        mapWritten();
        collect();
    }

    void mapCollectedForDevice() {
        mapWritten();
        collect();
        destination(ownMemory().allocate(1));
    }

    void mapCollectedFromDevice() {
        mapCollectedForDevice();
        finish();
        assertThat(emulation.kind(0)).isEqualTo(PteKind.DEVICE_PRIVATE_WRITE);
        setUp(Selection.DEVICE_PRIVATE);
        destination(emulation.platform.allocator().allocate());
    }

    private void destination(final long to) {
        assertThat(to).isNotEqualTo(FrameAllocator.NONE);
        emulation.platform.pageLock().lock(emulation.cpu, to);
        emulation.platform.data().copyFrame(migration.source(0), to);
        migration.destination(0, to);
    }

    /** A device that moves pages by hand; its pages come back by themselves never, since no CPU touches them. */
    private DeviceMemory ownMemory() {
        if (ownMemory == null) {
            ownMemory = emulation.platform.newDeviceMemory(99, (task, vma, addr, pfn) -> FaultResult.SIGBUS);
            ownMemory.grow(1);
        }
        return ownMemory;
    }

    // ---- operations ---------------------------------------------------------------------------------------------

    void store() {
        emulation.store(0, 77);
    }

    void load() {
        emulation.load(0);
    }

    void fork() {
        child = emulation.fork();
    }

    void exclusive() {
        assertThat(makeExclusive(1)).isEqualTo(Errno.OK);
    }

    void failToMake() {
        if (profile.makeBlocksOnPageLock()) {
            // One page after the other: a lock would be waited for, so the second page fails for its mapping.
            emulation.protect(1, 1, READ);
            assertThat(makeExclusive(2)).isEqualTo(Errno.EFAULT);
            return;
        }
        final Task holder = emulation.machine.newTask("holder");
        final long pfn = emulation.frame(1);
        emulation.platform.pageLock().lock(holder, pfn);
        assertThat(makeExclusive(2)).isEqualTo(Errno.EBUSY);
        emulation.platform.pageLock().unlock(holder, pfn);
    }

    private Errno makeExclusive(final int pages) {
        return makeExclusive(open(), pages);
    }

    private Errno makeExclusive(final MirrorHandle by, final int pages) {
        return by.exclusive(emulation.cpu, BASE, pages, buffer(pages)).errno();
    }

    private MirrorHandle open() {
        if (device == null) {
            device = emulation.open(0);
        }
        return device;
    }

    private static DeviceBuffer buffer(final int pages) {
        return DeviceBuffer.ofArray(new byte[pages * (int) PAGE]);
    }

    void deviceRead() {
        final MirrorHandle reader = emulation.open(1);
        assertThat(reader.read(emulation.cpu, BASE, 1, buffer(1)).errno()).isEqualTo(Errno.OK);
    }

    void protect(final long protection) {
        emulation.protect(0, 1, protection);
    }

    void protectReadOnly() {
        protect(READ);
    }

    void guard() {
        assertThat(handler.writeProtect(emulation.cpu, BASE, PAGE, true)).isEqualTo(Errno.OK);
    }

    void move() {
        assertThat(emulation.process.mremap(emulation.cpu, addr(0), PAGE, addr(8), false))
                .isEqualTo(Errno.OK);
        assertThat(emulation.process.mremap(emulation.cpu, addr(8), PAGE, addr(0), false))
                .isEqualTo(Errno.OK);
    }

    void discard() {
        assertThat(emulation.process.madvise(emulation.cpu, BASE, PAGE, Advice.DONTNEED))
                .isEqualTo(Errno.OK);
    }

    void unmap() {
        assertThat(emulation.process.munmap(emulation.cpu, addr(0), PAGE)).isEqualTo(Errno.OK);
    }

    void reap() {
        assertThat(emulation.process.reap(emulation.machine.newTask("reaper"))).isEqualTo(Errno.OK);
    }

    /** migrate_vma_setup; the migration stays open. */
    void collect() {
        setUp(Selection.SYSTEM);
        assertThat(migration.isMigrating(0)).isTrue();
        assertThat(emulation.kind(0).isMigration()).isTrue();
    }

    void collectNothing() {
        setUp(Selection.SYSTEM);
        assertThat(migration.isMigrating(0)).isFalse();
    }

    private void setUp(final Selection selection) {
        emulation.space.mmapLock().readLock(emulation.cpu);
        final Vma vma = emulation.space.vmas().lookup(BASE);
        migration = new DeviceMigration(1);
        assertThat(migration.setup(
                        emulation.cpu, vma, BASE, BASE + PAGE, ownMemory().owner(), selection))
                .isEqualTo(Errno.OK);
        inFlight = migration.isMigrating(0) ? 1 : 0;
    }

    /** migrate_vma_pages, migrate_vma_finalize. */
    void finish() {
        migration.commit(emulation.cpu);
        migration.finish(emulation.cpu);
        migration = null;
        inFlight = 0;
        emulation.space.mmapLock().readUnlock(emulation.cpu);
    }

    /** Looks when the page has been unmapped, and nothing else has been done yet. */
    void compactUntilCollected() {
        emulation.space.register(emulation.cpu, new NotifierSubscriber() {
            @Override
            public void invalidateEnd(final Actor actor, final NotifierRange range) {
                if (range.event() == NotifierEvent.CLEAR && seen == null) {
                    inFlight = 1;
                    seen = state();
                    inFlight = 0;
                }
            }
        });
        assertThat(emulation.machine.compact(emulation.cpu)).isEqualTo(profile.exclusiveIsReclaimable() ? 1 : 0);
        assertThat(seen != null).isEqualTo(profile.exclusiveIsReclaimable());
    }

    void swapOut() {
        assertThat(emulation.machine.swapOn(8)).isEqualTo(Errno.OK);
        emulation.machine.reclaim(emulation.cpu, 8);
    }

    // ---- questions ----------------------------------------------------------------------------------------------

    boolean hasAnonExclusive() {
        return profile.hasAnonExclusive();
    }

    /** What an exclusive entry counts as a mapping. */
    long exclusiveMaps() {
        return profile.exclusiveKeepsMapcount() ? 1 : 0;
    }

    PteKind exclusiveKind(final boolean writable) {
        return emulation.encoding.types().exclusiveKind(writable);
    }

    /** Whether migration entries keep young and dirty. */
    boolean keepsHints() {
        return emulation.encoding.types().tracksMigrationYoungDirty();
    }

    /** The kind for a page that was not writable, if it is the process's own or not, as far as the kernel knows. */
    PteKind migrationReadKind(final boolean own) {
        return own && hasAnonExclusive() ? PteKind.MIGRATION_READ_EXCLUSIVE : PteKind.MIGRATION_READ;
    }

    /** The frame that page 0 leads to is the one to ask from now on. */
    void follow() {
        followed = frameNow();
    }

    private long frameNow() {
        final PteEncoding encoding = emulation.encoding;
        final long pte = emulation.pte(0);
        final boolean zero = encoding.isPresent(pte) && encoding.isSpecial(pte);
        final boolean named = encoding.isPresent(pte) || encoding.kind(pte).carriesFrameNumber();
        return zero || !named ? 0 : emulation.frame(0);
    }

    /** What was seen in the middle of the operation; else what is now. */
    State outcome() {
        return seen != null ? seen : state();
    }

    State state() {
        final FrameTable frames = emulation.frames;
        final State state = new State();
        state.entry = Entry.of(emulation.encoding, emulation.pte(0));
        state.anonPages = emulation.process.rssAnonPages();
        state.swapEnts = emulation.space.swapEntries().value();
        if (child != null) {
            state.childEntry = Entry.of(emulation.encoding, emulation.pte(child, 0));
            state.childAnonPages = child.rssAnonPages();
            state.childSwapEnts = child.space().swapEntries().value();
        }
        if (followed != 0 && frames.refCount(followed) != 0) {
            state.ref = frames.refCount(followed) - inFlight;
            state.map = frames.mapCount(followed);
            state.frameDirty = frames.has(followed, FrameTable.DIRTY);
            state.anonExclusive = frames.has(followed, FrameTable.ANON_EXCLUSIVE);
        }
        final long now = frameNow();
        if (now != 0 && now != followed) {
            state.newRef = frames.refCount(now);
            state.newMap = frames.mapCount(now);
            state.newDirty = frames.has(now, FrameTable.DIRTY);
            state.newAnonExclusive = frames.has(now, FrameTable.ANON_EXCLUSIVE);
        }
        return state;
    }

    /** Whatever is open is closed; the machine is sound, and nothing is left on it. */
    void end() {
        if (migration != null) {
            finish();
        }
        if (held != 0) {
            emulation.platform.putPage(held);
        }
        emulation.assertSound();
        if (child != null) {
            child.exit(emulation.cpu);
        }
        if (handler != null) {
            handler.close(emulation.cpu);
        }
        if (file != null) {
            file.close(emulation.cpu);
        }
        emulation.assertNothingIsLeft();
    }
}
