package mmutex.mm;

import mmutex.layout.Encodings;
import mmutex.layout.VmFlags;

/** A platform with address spaces, without system calls: what the tests of this package change by hand. */
final class MmFixture {
    static final long PAGE = 4096;
    static final long MAY = VmFlags.MAYREAD | VmFlags.MAYWRITE | VmFlags.MAYEXEC;
    static final long READ_ONLY = VmFlags.READ | MAY;
    static final long READ_WRITE = VmFlags.READ | VmFlags.WRITE | MAY;

    final Platform platform;
    final Task task = new Task(1, "task");
    final AddressSpace space;
    private int spaces;

    MmFixture() {
        this(SemanticProfile.K612);
    }

    MmFixture(final SemanticProfile profile) {
        platform = new Platform(Encodings.forGeneration("x86-64", profile.generation()), profile, 1024, 64, 2);
        space = newSpace();
    }

    AddressSpace newSpace() {
        return new AddressSpace(++spaces, platform);
    }

    /** Maps pages [first, end) with their own numbers as page offsets. */
    Vma map(final long first, final long end, final long flags) {
        return map(space, first, end, flags, first);
    }

    Vma map(final AddressSpace in, final long first, final long end, final long flags, final long pageOffset) {
        in.mmapLock().writeLock(task);
        final Vma vma = in.editor().map(task, first * PAGE, end * PAGE, flags, pageOffset);
        in.mmapLock().writeUnlock(task);
        return vma;
    }

    /** Gives a part of the VMA that holds it other flags. */
    Vma modify(final long first, final long end, final long flags) {
        space.mmapLock().writeLock(task);
        final Vma vma = space.editor().modify(task, space.vmas().lookup(first * PAGE), first * PAGE, end * PAGE, flags);
        space.mmapLock().writeUnlock(task);
        return vma;
    }

    /** Unmaps the VMAs of pages [first, end), splitting at the edges. */
    void unmap(final AddressSpace in, final long first, final long end) {
        in.mmapLock().writeLock(task);
        in.editor().split(task, first * PAGE);
        in.editor().split(task, end * PAGE);
        for (Vma vma = in.vmas().find(first * PAGE);
                vma != null && vma.start() < end * PAGE;
                vma = in.vmas().find(first * PAGE)) {
            in.editor().remove(task, vma);
        }
        in.mmapLock().writeUnlock(task);
    }

    AnonVma prepare(final Vma vma) {
        vma.space().mmapLock().readLock(task);
        vma.space().reverseMap().prepare(task, vma);
        vma.space().mmapLock().readUnlock(task);
        return vma.anonVma();
    }

    /** What fork does to one VMA. */
    Vma fork(final AddressSpace child, final Vma parent) {
        child.mmapLock().writeLock(task);
        final Vma copy = child.editor().copy(task, parent, parent.flags());
        child.reverseMap().fork(task, copy, parent);
        child.mmapLock().writeUnlock(task);
        return copy;
    }

    /** The VMAs of a space as "first-end", in order. */
    static String layout(final AddressSpace space) {
        final StringBuilder text = new StringBuilder();
        for (final Vma vma : space.vmas().snapshot()) {
            text.append(text.length() == 0 ? "" : " ")
                    .append(vma.start() / PAGE)
                    .append('-')
                    .append(vma.end() / PAGE);
        }
        return text.toString();
    }
}
