package mmutex.mm;

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
}
