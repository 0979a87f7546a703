package mmutex.mm;

import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameTable;

/** can_change_pte_writable, mm/mprotect.c (6.12): may an entry of a writable VMA become writable without a fault? */
public final class WriteUpgrade {
    private WriteUpgrade() {}

    /** Whether the present, read-only entry may be made writable at once; leaf-table lock held. */
    public static boolean isPossible(final Vma vma, final long pte) {
        final Platform platform = vma.space().platform();
        final PteEncoding encoding = platform.encoding();
        if (encoding.isNoAccess(pte)) {
            return false;
        }
        // Soft-dirty tracking and uffd-wp need the write fault.
        if (!vma.has(VmFlags.SOFTDIRTY) && !encoding.isSoftDirty(pte)) {
            return false;
        }
        if (encoding.isUffdWp(pte) && vma.has(VmFlags.UFFD_WP)) {
            return false;
        }
        if (vma.has(VmFlags.SHARED)) {
            return encoding.isDirty(pte);
        }
        // Private: only a page that the write fault would reuse as well.
        return !encoding.isSpecial(pte)
                && platform.frames().has(encoding.frameNumber(pte), FrameTable.ANON | FrameTable.ANON_EXCLUSIVE);
    }

    /** can_change_pmd_writable (6.2 and later): the same of a huge entry; its lock held. */
    public static boolean isPossibleHuge(final Vma vma, final long pmd) {
        final boolean wantsFault = !vma.has(VmFlags.SOFTDIRTY) && !HugePmd.isSoftDirty(pmd)
                || HugePmd.isUffdWp(pmd) && vma.has(VmFlags.UFFD_WP);
        return !HugePmd.isNoAccess(pmd)
                && !wantsFault
                && vma.space()
                        .platform()
                        .frames()
                        .has(HugePmd.frameNumber(pmd), FrameTable.ANON | FrameTable.ANON_EXCLUSIVE);
    }
}
