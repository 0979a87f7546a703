package mmutex.conformance;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;
import java.util.function.Predicate;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.machine.Emulation;
import mmutex.machine.Process;
import mmutex.memory.FrameTable;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.ForkExclusive;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The bookkeeping matrix, semantics 3.25: what each operation does to a frame's counts, to the address space's, and to the bits
 * of entry and frame, in every profile. A row says what changes; all that it does not mention must stay as it was.
 */
class BookkeepingMatrixTest {
    /** Everything that the matrix is about: page 0, the frame that it led to before, and the one that it leads to now. */
    private static final class State {
        private long ref;
        private long map;
        private boolean frameDirty;
        private boolean anonExclusive;

        private PteKind kind;
        private boolean softDirty;
        private boolean uffdWp;
        private boolean writable;
        private boolean dirty;
        private boolean young;

        private long anonPages;

        // Of another frame, if the page leads to one now.
        private long newRef;
        private long newMap;
        private boolean newAnonExclusive;

        State counts(final long refBy, final long mapBy, final long anonPagesBy) {
            ref += refBy;
            map += mapBy;
            anonPages += anonPagesBy;
            return this;
        }

        State freshFrame(final boolean exclusive) {
            newRef = 1;
            newMap = 1;
            newAnonExclusive = exclusive;
            return this;
        }

        /** An entry whose permissions and accesses are gone; soft-dirty and uffd-wp stay. */
        State special(final PteKind newKind) {
            kind = newKind;
            writable = false;
            dirty = false;
            young = false;
            return this;
        }

        State present(final boolean isWritable, final boolean isDirty, final boolean isYoung) {
            kind = PteKind.PRESENT;
            writable = isWritable;
            dirty = isDirty;
            young = isYoung;
            return this;
        }

        State none() {
            softDirty = false;
            uffdWp = false;
            return special(PteKind.NONE);
        }

        State softDirty(final boolean isSoftDirty) {
            softDirty = isSoftDirty;
            return this;
        }

        State uffdWp(final boolean isUffdWp) {
            uffdWp = isUffdWp;
            return this;
        }

        State frameDirty() {
            frameDirty = true;
            return this;
        }

        State anonExclusive(final boolean isExclusive) {
            anonExclusive = isExclusive;
            return this;
        }

        @Override
        public String toString() {
            return "ref=" + ref + " map=" + map + " frameDirty=" + frameDirty + " anonExclusive=" + anonExclusive
                    + " anonPages=" + anonPages + " entry=" + kind + " softDirty=" + softDirty + " uffdWp=" + uffdWp
                    + " writable=" + writable + " dirty=" + dirty + " young=" + young + " newRef=" + newRef
                    + " newMap=" + newMap + " newAnonExclusive=" + newAnonExclusive;
        }
    }

    /**
     * A line of the matrix.
     *
     * @param name as in the matrix, with what was there before
     * @param exists whether a kernel of a profile can do it
     * @param otherwise why not
     * @param prepare what was there before
     * @param operate the operation
     * @param changes turns the state before into the one expected after
     */
    private record Row(
            String name,
            Predicate<SemanticProfile> exists,
            String otherwise,
            Consumer<Bench> prepare,
            Consumer<Bench> operate,
            BiConsumer<Bench, State> changes) {
        Row(
                final String name,
                final Consumer<Bench> prepare,
                final Consumer<Bench> operate,
                final BiConsumer<Bench, State> changes) {
            this(name, profile -> true, "", prepare, operate, changes);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static final Predicate<SemanticProfile> TWO_TYPES = SemanticProfile::mprotectDemotesExclusive;
    private static final String ONE_TYPE = "the one exclusive type of 6.15 is made from writable entries only, is never"
            + " demoted, and a writable entry can't be uffd-wp";

    private static final List<Row> ROWS = List.of(
            new Row(
                    "first write touch",
                    Bench::map,
                    Bench::store,
                    (b, s) -> s.freshFrame(b.hasAnonExclusive())
                            .counts(0, 0, 1)
                            .present(true, true, true)
                            .softDirty(true)),
            new Row("zero-page mapping", Bench::map, Bench::load, (b, s) -> s.present(false, false, true)),
            new Row(
                    "wp reuse, last one left",
                    Bench::mapLeftAlone,
                    Bench::store,
                    (b, s) -> s.present(true, true, true).softDirty(true).anonExclusive(b.hasAnonExclusive())),
            new Row(
                    "wp reuse, restored read-only",
                    TWO_TYPES,
                    ONE_TYPE,
                    Bench::mapRestoredReadOnly,
                    Bench::store,
                    (b, s) -> s.present(true, true, true).softDirty(true)),
            new Row(
                    "wp copy of a shared page",
                    Bench::mapShared,
                    Bench::store,
                    (b, s) -> s.counts(-1, -1, 0)
                            .freshFrame(b.hasAnonExclusive())
                            .present(true, true, true)
                            .softDirty(true)),
            new Row(
                    "wp copy of the zero page",
                    Bench::mapZero,
                    Bench::store,
                    (b, s) -> s.counts(0, 0, 1)
                            .freshFrame(b.hasAnonExclusive())
                            .present(true, true, true)
                            .softDirty(true)),
            // ---- make
            new Row(
                    "make of a dirty page",
                    Bench::mapWritten,
                    Bench::exclusive,
                    (b, s) -> s.counts(0, b.exclusiveMaps() - 1, 0)
                            .special(b.exclusiveKind(true))
                            .frameDirty()),
            new Row(
                    "make of a page that is not soft-dirty",
                    Bench::mapNotSoftDirty,
                    Bench::exclusive,
                    (b, s) -> s.counts(0, b.exclusiveMaps() - 1, 0)
                            .special(b.exclusiveKind(true))
                            .frameDirty()),
            new Row(
                    "make of a uffd-wp page",
                    TWO_TYPES,
                    ONE_TYPE,
                    Bench::mapUffdWp,
                    Bench::exclusive,
                    (b, s) -> s.counts(0, b.exclusiveMaps() - 1, 0)
                            .special(b.exclusiveKind(true))
                            .frameDirty()),
            new Row(
                    "failed make: another page can't be had",
                    Bench::mapBatch,
                    Bench::failToMake,
                    (b, s) -> s.counts(0, b.exclusiveMaps() - 1, 0)
                            .special(b.exclusiveKind(true))
                            .frameDirty()),
            // ---- restore, by a device's read, so that no CPU sets bits in the entry
            new Row(
                    "restore",
                    Bench::mapExclusive,
                    Bench::deviceRead,
                    (b, s) -> s.counts(0, 1 - b.exclusiveMaps(), 0).present(true, true, false)),
            new Row(
                    "restore, not soft-dirty",
                    Bench::mapExclusiveNotSoftDirty,
                    Bench::deviceRead,
                    (b, s) -> s.counts(0, 1 - b.exclusiveMaps(), 0)
                            .present(!b.profile.restoreDecidesWritable(), !b.profile.restoreDecidesWritable(), false)
                            .softDirty(!b.profile.restoreDecidesWritable())),
            new Row(
                    "restore, frame clean",
                    Bench::mapExclusiveClean,
                    Bench::deviceRead,
                    (b, s) -> s.counts(0, 1 - b.exclusiveMaps(), 0)
                            .present(true, !b.profile.restoreDecidesWritable(), false)),
            new Row(
                    "restore, mapping read-only",
                    Bench::mapExclusiveProtected,
                    Bench::deviceRead,
                    (b, s) -> s.counts(0, 1 - b.exclusiveMaps(), 0).present(false, false, false)),
            new Row(
                    "restore, uffd-wp",
                    TWO_TYPES,
                    ONE_TYPE,
                    Bench::mapExclusiveUffdWp,
                    Bench::deviceRead,
                    (b, s) -> s.counts(0, 1, 0).present(false, false, false)),
            new Row(
                    "restore of a readable entry",
                    TWO_TYPES,
                    ONE_TYPE,
                    Bench::mapExclusiveReadable,
                    Bench::deviceRead,
                    (b, s) -> s.counts(0, 1, 0).present(false, false, false)),
            new Row(
                    "restore by a CPU's write",
                    Bench::mapExclusive,
                    Bench::store,
                    (b, s) -> s.counts(0, 1 - b.exclusiveMaps(), 0).present(true, true, true)),
            // ---- fork
            new Row(
                    "fork, present",
                    Bench::mapWritten,
                    Bench::fork,
                    (b, s) -> s.counts(1, 1, 0).present(false, true, true).anonExclusive(false)),
            new Row(
                    "fork, exclusive, copied",
                    profile -> profile.forkExclusive() == ForkExclusive.COPY_DEMOTED,
                    "from v8 on fork restores exclusive entries",
                    Bench::mapExclusive,
                    Bench::fork,
                    (b, s) -> s.counts(1, 0, 0).special(b.exclusiveKind(false))),
            new Row(
                    "fork, exclusive, restored",
                    profile -> profile.forkExclusive() == ForkExclusive.RESTORE_BY_TRYLOCK,
                    "v3 copies exclusive entries",
                    Bench::mapExclusive,
                    Bench::fork,
                    (b, s) -> s.counts(1, 2 - b.exclusiveMaps(), 0)
                            .present(false, true, false)
                            .anonExclusive(false)),
            // ---- mprotect
            new Row(
                    "mprotect on exclusive",
                    Bench::mapExclusive,
                    b -> b.protect(READ),
                    (b, s) -> s.special(b.exclusiveKind(!b.profile.mprotectDemotesExclusive()))),
            new Row(
                    "mprotect on exclusive, not soft-dirty",
                    Bench::mapExclusiveNotSoftDirty,
                    b -> b.protect(READ),
                    (b, s) -> s.special(b.exclusiveKind(!b.profile.mprotectDemotesExclusive()))),
            new Row(
                    "mprotect on exclusive, uffd-wp",
                    TWO_TYPES,
                    ONE_TYPE,
                    Bench::mapExclusiveUffdWp,
                    b -> b.protect(READ),
                    (b, s) -> s.special(b.exclusiveKind(false))),
            // ---- mremap, there and back: page 0 is where the matrix looks
            new Row("mremap of a present page", Bench::mapNotSoftDirty, Bench::move, (b, s) -> s.softDirty(true)),
            new Row(
                    "mremap of an exclusive page",
                    Bench::mapExclusiveNotSoftDirty,
                    Bench::move,
                    (b, s) -> s.softDirty(true)),
            new Row(
                    "mremap of an exclusive page, uffd-wp",
                    TWO_TYPES,
                    ONE_TYPE,
                    Bench::mapExclusiveUffdWp,
                    Bench::move,
                    (b, s) -> s.uffdWp(true)),
            // ---- zap; somebody keeps a reference, so that the frame can still be asked
            new Row(
                    "zap PRESENT anon",
                    Bench::mapWrittenAndHeld,
                    Bench::discard,
                    (b, s) -> s.counts(-1, -1, -1).none()),
            new Row(
                    "zap exclusive",
                    Bench::mapExclusiveAndHeld,
                    Bench::discard,
                    (b, s) -> s.counts(-1, -b.exclusiveMaps(), -1).none()),
            new Row(
                    "munmap of exclusive",
                    Bench::mapExclusiveAndHeld,
                    Bench::unmap,
                    (b, s) -> s.counts(-1, -b.exclusiveMaps(), -1).none()));

    static Stream<Arguments> rowsAndProfiles() {
        return ROWS.stream().flatMap(row -> SemanticProfile.ALL.stream().map(profile -> Arguments.of(row, profile)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("rowsAndProfiles")
    void shouldKeepTheBooks(final Row row, final SemanticProfile profile) {
        assumeTrue(row.exists.test(profile), row.otherwise);
        final Bench bench = new Bench(profile);
        row.prepare.accept(bench);
        bench.follow();
        final State expected = bench.state();
        row.changes.accept(bench, expected);

        row.operate.accept(bench);

        assertThat(bench.state()).hasToString(expected.toString());
        bench.end();
    }

    /** The child's side of the matrix's fork lines. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldKeepTheChildsBooks(final SemanticProfile profile) {
        final Bench bench = new Bench(profile);
        bench.mapExclusive();
        bench.fork();

        final PteEncoding encoding = bench.emulation.encoding;
        final long pte = bench.emulation.pte(bench.child, 0);
        assertThat(bench.child.rssAnonPages()).isEqualTo(1);
        if (profile.forkExclusive() == ForkExclusive.COPY_DEMOTED) {
            assertThat(encoding.kind(pte)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);
            assertThat(encoding.isSwapSoftDirty(pte)).isTrue();
        } else {
            assertThat(encoding.isPresent(pte)).isTrue();
            assertThat(encoding.isWritable(pte)).isFalse();
            assertThat(encoding.isDirty(pte)).isTrue();
            assertThat(encoding.isYoung(pte)).isFalse();
            assertThat(encoding.isSoftDirty(pte)).isTrue();
            assertThat(encoding.isUffdWp(pte)).isFalse();
        }
        bench.end();
    }

    static List<SemanticProfile> profiles() {
        return SemanticProfile.ALL;
    }

    /** The machine of one row, whose subject is page 0. */
    private static final class Bench {
        private final SemanticProfile profile;
        private final Emulation emulation;
        private MirrorHandle device;
        private Process child;
        private long followed;
        private long held;

        Bench(final SemanticProfile profile) {
            this.profile = profile;
            this.emulation = new Emulation(profile);
        }

        // ---- before ---------------------------------------------------------------------------------------------

        void map() {
            emulation.map(0, 1, READ_WRITE);
        }

        void mapZero() {
            map();
            load();
        }

        void mapWritten() {
            emulation.mapWritten(0, 1);
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

        void mapNotSoftDirty() {
            mapWritten();
            edit(emulation.encoding::clearSoftDirty);
        }

        /** As between get_user_pages and the conversion, when somebody has protected the page meanwhile. */
        void mapUffdWp() {
            mapWritten();
            edit(emulation.encoding::mkUffdWp);
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
            emulation
                    .space
                    .editor()
                    .modify(emulation.cpu, vma, vma.start(), vma.end(), vma.flags() & ~VmFlags.SOFTDIRTY);
            emulation.space.mmapLock().writeUnlock(emulation.cpu);
        }

        void mapExclusiveUffdWp() {
            mapExclusive();
            edit(emulation.encoding::mkSwapUffdWp);
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

        private void hold() {
            held = emulation.frame(0);
            emulation.frames.get(held);
        }

        private void edit(final LongUnaryOperator change) {
            final long slot = emulation.space.pageTable().slot(BASE);
            emulation.space.pageTable().store(slot, change.applyAsLong(emulation.pte(0)));
            emulation.space.windows().flush(emulation.cpu);
        }

        // ---- operations -----------------------------------------------------------------------------------------

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
            if (device == null) {
                device = emulation.open(0);
            }
            return makeExclusive(device, pages);
        }

        private Errno makeExclusive(final MirrorHandle by, final int pages) {
            return by.exclusive(emulation.cpu, BASE, pages, DeviceBuffer.ofArray(new byte[pages * (int) PAGE]))
                    .errno();
        }

        void deviceRead() {
            final MirrorHandle reader = emulation.open(1);
            assertThat(reader.read(emulation.cpu, BASE, 1, DeviceBuffer.ofArray(new byte[(int) PAGE]))
                            .errno())
                    .isEqualTo(Errno.OK);
        }

        void protect(final long protection) {
            emulation.protect(0, 1, protection);
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

        // ---- questions ------------------------------------------------------------------------------------------

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

        void follow() {
            followed = frameNow();
        }

        private long frameNow() {
            final long pte = emulation.pte(0);
            final boolean zero = emulation.encoding.isPresent(pte) && emulation.encoding.isSpecial(pte);
            return emulation.encoding.isNone(pte) || zero ? 0 : emulation.frame(0);
        }

        State state() {
            final PteEncoding encoding = emulation.encoding;
            final FrameTable frames = emulation.frames;
            final long pte = emulation.pte(0);
            final boolean present = encoding.isPresent(pte);
            final boolean special = !present && !encoding.isNone(pte);
            final State state = new State();
            state.kind = encoding.kind(pte);
            state.softDirty = present ? encoding.isSoftDirty(pte) : special && encoding.isSwapSoftDirty(pte);
            state.uffdWp = present ? encoding.isUffdWp(pte) : special && encoding.isSwapUffdWp(pte);
            state.writable = present && encoding.isWritable(pte);
            state.dirty = present && encoding.isDirty(pte);
            state.young = present && encoding.isYoung(pte);
            state.anonPages = emulation.process.rssAnonPages();
            if (followed != 0) {
                state.ref = frames.refCount(followed);
                state.map = frames.mapCount(followed);
                state.frameDirty = frames.has(followed, FrameTable.DIRTY);
                state.anonExclusive = frames.has(followed, FrameTable.ANON_EXCLUSIVE);
            }
            final long now = frameNow();
            if (now != 0 && now != followed) {
                state.newRef = frames.refCount(now);
                state.newMap = frames.mapCount(now);
                state.newAnonExclusive = frames.has(now, FrameTable.ANON_EXCLUSIVE);
            }
            return state;
        }

        void end() {
            if (held != 0) {
                emulation.platform.putPage(held);
            }
            emulation.assertSound();
            if (child != null) {
                child.exit(emulation.cpu);
            }
            emulation.assertNothingIsLeft();
        }
    }
}
