package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.change.Mapper;
import mmutex.change.SpaceTeardown;
import mmutex.layout.VmFlags;
import mmutex.memory.Words;
import mmutex.mm.AddressSpace;
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
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * {@code ORDER(vma-lookup)}: a VMA that a fault found without the mmap lock, and found unchanged under the VMA's lock, is
 * initialised and stays as it is until the fault lets go of it.
 */
public final class VmaLookupStress {
    private static final Task CPU = new Task(1, "cpu");
    private static final Task OTHER = new Task(2, "other");
    private static final long START = 0x10000;
    private static final long LENGTH = 0x2000;
    private static final long FIRST_PAGE = 0x1000;
    private static final long ACCESS = VmFlags.READ | VmFlags.WRITE;

    private VmaLookupStress() {}

    /** The steps of a fault under the VMA lock: null if it has to fall back to the mmap lock. */
    private static Vma findAndLock(final AddressSpace space, final long addr) {
        final Vma vma = space.vmas().lookup(addr);
        if (vma == null || !vma.lock().tryReadLock(CPU, space.mmapLock())) {
            return null;
        }
        if (vma.isDetached() || !vma.contains(addr)) {
            vma.lock().readUnlock(CPU);
            return null;
        }
        return vma;
    }

    /** The VMA goes away, or its first page does: both change it under the fault's eyes. */
    @JCStressTest
    @Description("A fault on the first page of a VMA while that page, or all of it, is unmapped.")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "unmapped or marked before: the fault falls back to the mmap lock")
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "the fault held the VMA, munmap came after")
    @Outcome(expect = FORBIDDEN, desc = "munmap was over while the fault still used the VMA: ORDER(vma-lookup)")
    @State
    public static class FaultAgainstUnmap {
        private static final Words WORDS = Slab.words();

        private final int place = Slab.next();
        private final long unmapped = Slab.offset(place);
        private final AddressSpace space = new AddressSpace(1, World.PLATFORM);

        public FaultAgainstUnmap() {
            Mapper.mapAnonymous(World.task(), space, START, LENGTH, ACCESS);
        }

        @Actor
        public void fault(final I_Result r) {
            final Vma vma = findAndLock(space, START);
            if (vma == null) {
                r.r1 = -1;
            } else {
                Thread.onSpinWait(); // gives munmap time to be wrong
                r.r1 = (int) WORDS.loadAcquire(unmapped);
                vma.lock().readUnlock(CPU);
            }
        }

        @Actor
        public void unmapper() {
            Mapper.unmap(OTHER, space, START, (place & 1) == 0 ? FIRST_PAGE : LENGTH);
            WORDS.storeRelease(unmapped, 1);
        }

        @Arbiter
        public void free() {
            SpaceTeardown.unpin(World.task(), space);
        }
    }

    /** A VMA that has just been inserted. */
    @JCStressTest
    @Description("A fault finds a VMA that is being mapped.")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "not there yet, or still marked")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "found, with its flags and bounds")
    @Outcome(expect = FORBIDDEN, desc = "found before it was initialised: ORDER(vma-lookup)")
    @State
    public static class FaultAgainstMap {
        private final AddressSpace space = new AddressSpace(1, World.PLATFORM);

        @Actor
        public void fault(final I_Result r) {
            final Vma vma = findAndLock(space, START);
            if (vma == null) {
                r.r1 = -1;
            } else {
                r.r1 = vma.has(ACCESS) && vma.end() == START + LENGTH && vma.anonVma() == null ? 1 : 0;
                vma.lock().readUnlock(CPU);
            }
        }

        @Actor
        public void mapper() {
            Mapper.mapAnonymous(OTHER, space, START, LENGTH, ACCESS);
        }

        @Arbiter
        public void free() {
            SpaceTeardown.unpin(World.task(), space);
        }
    }
}
