package mmutex.stress.litmus.broken;

import static mmutex.stress.litmus.broken.Twin.Shows.BY_INTERLEAVING;
import static mmutex.stress.litmus.broken.Twin.Shows.BY_LATE_STORE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import java.lang.invoke.VarHandle;
import mmutex.change.Mapper;
import mmutex.change.SpaceTeardown;
import mmutex.layout.VmFlags;
import mmutex.memory.Words;
import mmutex.mm.AddressSpace;
import mmutex.mm.AnonVma;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.mm.Vma;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** Twins of {@code VmaLockStress}, {@code VmaLookupStress} and {@code AnonVmaStress}. */
public final class WrongVma {
    private static final Words WORDS = Slab.words();

    private WrongVma() {}

    /** The mark is set, but not visibly so, when the readers are counted. */
    @JCStressTest
    @Twin(breaks = "vma-lock", shows = BY_LATE_STORE)
    @Description("A writer marks the VMA by a release store and looks at the readers without a fence.")
    @Outcome(
            id = {"0, 0", "1, 1", "-1, -1"},
            expect = ACCEPTABLE,
            desc = "as it should be, or the fault was refused")
    @Outcome(
            id = {"0, 1", "1, 0"},
            expect = ACCEPTABLE_INTERESTING,
            desc = "the VMA was used while it was changed")
    @State
    public static class MarkWithoutFence {
        private final long readers = Slab.offset(Slab.next());
        private final long mark = readers + Slab.FAR;
        private final long start = mark + 8;
        private final long end = mark + 16;

        @Actor
        public void fault(final II_Result r) {
            WORDS.getAndAdd(readers, 1);
            if (WORDS.loadVolatile(mark) == 0) {
                r.r1 = (int) WORDS.loadOpaque(start);
                Thread.onSpinWait(); // gives the writer time to be wrong
                r.r2 = (int) WORDS.loadOpaque(end);
            } else {
                r.r1 = -1;
                r.r2 = -1;
            }
            WORDS.getAndAdd(readers, -1);
        }

        @Actor
        public void writer() {
            WORDS.storeRelease(mark, 1);
            while (WORDS.loadAcquire(readers) != 0) { // ends: new readers see the mark
                Thread.onSpinWait();
            }
            WORDS.storeOpaque(start, 1);
            WORDS.storeOpaque(end, 1);
            WORDS.storeRelease(mark, 0);
        }
    }

    /** The mark ends before the changes are made. */
    @JCStressTest
    @Twin(breaks = "vma-unmark", shows = BY_INTERLEAVING)
    @Description("A writer ends the mark before its last change.")
    @Outcome(
            id = {"0, 0", "1, 1", "-1, -1"},
            expect = ACCEPTABLE,
            desc = "as it should be, or the fault was refused")
    @Outcome(
            id = {"0, 1", "1, 0"},
            expect = ACCEPTABLE_INTERESTING,
            desc = "the VMA was used while it was changed")
    @State
    public static class UnmarkBeforeChange {
        private final long readers = Slab.offset(Slab.next());
        private final long mark = readers + Slab.FAR;
        private final long start = mark + 8;
        private final long end = mark + 16;

        @Actor
        public void fault(final II_Result r) {
            WORDS.getAndAdd(readers, 1);
            if (WORDS.loadVolatile(mark) == 0) {
                r.r1 = (int) WORDS.loadOpaque(start);
                Thread.onSpinWait(); // gives the writer time to be wrong
                r.r2 = (int) WORDS.loadOpaque(end);
            } else {
                r.r1 = -1;
                r.r2 = -1;
            }
            WORDS.getAndAdd(readers, -1);
        }

        @Actor
        public void writer() {
            WORDS.storeVolatile(mark, 1);
            VarHandle.fullFence();
            while (WORDS.loadVolatile(readers) != 0) { // ends: new readers see the mark
                Thread.onSpinWait();
            }
            WORDS.storeOpaque(start, 1);
            WORDS.storeVolatile(mark, 0);
            WORDS.storeOpaque(end, 1);
        }
    }

    /** Core's own lock, but the VMA is believed as it was found. */
    @JCStressTest
    @Twin(breaks = "vma-lookup", shows = BY_INTERLEAVING)
    @Description("A fault locks the VMA that it found, and does not look again whether it is still mapped.")
    @Outcome(
            id = {"-1", "0"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "1", expect = ACCEPTABLE_INTERESTING, desc = "munmap was over when the fault used the VMA")
    @State
    public static class LookUpWithoutRecheck {
        private static final Task CPU = new Task(1, "cpu");
        private static final Task OTHER = new Task(2, "other");
        /** A whole munmap has to fit between look-up and lock; that takes more than a few instructions. */
        private static final int INTERRUPTION = 20;

        private static final long START = 0x10000;
        private static final long LENGTH = 0x1000;

        private final long unmapped = Slab.offset(Slab.next());
        private final AddressSpace space = new AddressSpace(1, World.PLATFORM);

        public LookUpWithoutRecheck() {
            Mapper.mapAnonymous(World.task(), space, START, LENGTH, VmFlags.READ | VmFlags.WRITE);
        }

        @Actor
        public void fault(final I_Result r) {
            final Vma vma = space.vmas().lookup(START);
            for (int i = 0; i < INTERRUPTION; i++) {
                Thread.onSpinWait();
            }
            if (vma != null && vma.lock().tryReadLock(CPU, space.mmapLock())) {
                r.r1 = (int) WORDS.loadAcquire(unmapped);
                vma.lock().readUnlock(CPU);
            } else {
                r.r1 = -1;
            }
        }

        @Actor
        public void unmapper() {
            Mapper.unmap(OTHER, space, START, LENGTH);
            WORDS.storeRelease(unmapped, 1);
        }

        @Arbiter
        public void free() {
            SpaceTeardown.unpin(World.task(), space);
        }
    }

    /** The VMA points to an object that does not point back yet. */
    @JCStressTest
    @Twin(breaks = "anon-vma-publish", shows = BY_INTERLEAVING)
    @Description("Publishes an anon_vma before the VMA is linked to it.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "there, but not linked")
    @State
    public static class PublishBeforeLink {
        private final long published = Slab.offset(Slab.next());
        private final long linked = published + Slab.FAR;

        @Actor
        public void prepare() {
            WORDS.storeRelease(published, 1);
            WORDS.storeRelease(linked, 1);
        }

        @Actor
        public void look(final I_Result r) {
            r.r1 = WORDS.loadAcquire(published) == 0 ? -1 : (int) WORDS.loadAcquire(linked);
        }
    }

    /** The object that an id named has died while the walker waited for its lock. */
    @JCStressTest
    @Twin(breaks = "anon-vma-recheck", shows = BY_INTERLEAVING)
    @Description("Locks the anon_vma that a frame's record named, and does not look again whether it still does.")
    @Outcome(
            id = {"-1", "1"},
            expect = ACCEPTABLE,
            desc = "as it should be")
    @Outcome(id = "0", expect = ACCEPTABLE_INTERESTING, desc = "locked a dead anon_vma")
    @State
    public static class LockWithoutRecheck {
        private static final Task WALKER = new Task(1, "walker");
        private static final Task OWNER = new Task(2, "owner");
        private static final Platform PLATFORM = World.PLATFORM;
        private static final long START = 0x10000;
        private static final long LENGTH = 0x1000;

        private final AddressSpace space = new AddressSpace(1, PLATFORM);
        private final Vma vma;
        private final long pfn = PLATFORM.allocator().allocate();

        public LockWithoutRecheck() {
            Mapper.mapAnonymous(World.task(), space, START, LENGTH, VmFlags.READ | VmFlags.WRITE);
            vma = space.vmas().lookup(START);
            space.reverseMap().prepare(World.task(), vma);
            space.reverseMap().addNewAnon(pfn, vma, START);
        }

        @Actor
        public void walker(final I_Result r) {
            final AnonVma found = PLATFORM.frames().mapCount(pfn) == 0 ? null : vma.anonVma();
            if (found == null) {
                r.r1 = -1;
            } else {
                found.lock().readLock(WALKER);
                r.r1 = found.vmas().isEmpty() ? 0 : 1;
                found.lock().readUnlock(WALKER);
            }
        }

        @Actor
        public void owner() {
            space.mmapLock().writeLock(OWNER);
            space.reverseMap().remove(pfn);
            space.editor().remove(OWNER, vma);
            space.mmapLock().writeUnlock(OWNER);
        }

        @Arbiter
        public void free() {
            PLATFORM.allocator().put(pfn);
            SpaceTeardown.unpin(World.task(), space);
        }
    }
}
