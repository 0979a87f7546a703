package mmutex.stress.conform;

import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.mm.PageMap.PageState;

/** A page of the emulator, in the terms of a recording. */
final class PageReader {
    private PageReader() {}

    /** Looks at a page through the process's pagemap, without touching it. The frame is the emulator's own number. */
    static PageText read(final Party party, final long address) {
        final PageState state = party.process().pagemap(party.cpu(), address);
        final boolean present = state.kind() == PteKind.PRESENT;
        if (present && isHuge(party, address)) {
            return new PageText("P", "", false, PageText.NONE, PageText.NONE);
        }
        final boolean swapForm = !present && state.kind() != PteKind.NONE;
        final boolean hasFrame = !state.zero() && (present || state.kind().carriesFrameNumber());
        final StringBuilder flags = new StringBuilder();
        append(flags, present, 'P');
        append(flags, swapForm, 'S');
        append(flags, state.file(), 'F');
        append(flags, state.uffdWp(), 'U');
        append(flags, present && !state.zero() && state.mapCount() == 1, 'X');
        append(flags, state.softDirty(), 'D');
        return new PageText(
                flags.toString(),
                swapForm ? typeOf(state.kind()) : "",
                state.zero(),
                hasFrame ? state.frame() : PageText.NONE,
                hasFrame && !state.kind().isDevicePrivate() ? state.mapCount() : PageText.NONE);
    }

    /** Of a page in a hugetlb mapping a recording shows only that it is there. */
    private static boolean isHuge(final Party party, final long address) {
        return party.process().space().vmas().lookup(address).has(VmFlags.HUGETLB);
    }

    private static void append(final StringBuilder flags, final boolean set, final char letter) {
        if (set) {
            flags.append(letter);
        }
    }

    private static String typeOf(final PteKind kind) {
        switch (kind) {
            case DEVICE_EXCLUSIVE_WRITE:
                return "exw";
            case DEVICE_EXCLUSIVE_READ:
                return "exr";
            case DEVICE_EXCLUSIVE:
                return "exc";
            case DEVICE_PRIVATE_WRITE:
                return "dpw";
            case DEVICE_PRIVATE_READ:
                return "dpr";
            case SWAP:
                return "swapfile";
            case MIGRATION_READ:
                return "migr";
            case MIGRATION_READ_EXCLUSIVE:
                return "migrx";
            case MIGRATION_WRITE:
                return "migw";
            default:
                return "mark";
        }
    }
}
