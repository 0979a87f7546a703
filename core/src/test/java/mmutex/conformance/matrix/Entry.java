package mmutex.conformance.matrix;

import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;

/**
 * What the matrix asks of an entry.
 *
 * @param dirty of a migration entry: its hint
 * @param young likewise
 * @param exclusive AnonExclusive as a swap entry keeps it; a migration entry says it by its kind
 */
record Entry(
        PteKind kind,
        boolean softDirty,
        boolean uffdWp,
        boolean writable,
        boolean dirty,
        boolean young,
        boolean exclusive) {
    static final Entry NONE = new Entry(PteKind.NONE, false, false, false, false, false, false);

    static Entry of(final PteEncoding encoding, final long pte) {
        if (encoding.isNone(pte)) {
            return NONE;
        }
        final PteKind kind = encoding.kind(pte);
        if (encoding.isPresent(pte)) {
            return new Entry(
                    kind,
                    encoding.isSoftDirty(pte),
                    encoding.isUffdWp(pte),
                    encoding.isWritable(pte),
                    encoding.isDirty(pte),
                    encoding.isYoung(pte),
                    false);
        }
        final long swapEntry = encoding.toSwapEntry(pte);
        return new Entry(
                kind,
                encoding.isSwapSoftDirty(pte),
                encoding.isSwapUffdWp(pte),
                false,
                kind.isMigration() && encoding.types().isMigrationDirty(swapEntry),
                kind.isMigration() && encoding.types().isMigrationYoung(swapEntry),
                encoding.isSwapExclusive(pte));
    }

    /** Permissions and accesses are others; soft-dirty and uffd-wp stay. */
    Entry present(final boolean isWritable, final boolean isDirty, final boolean isYoung) {
        return new Entry(PteKind.PRESENT, softDirty, uffdWp, isWritable, isDirty, isYoung, false);
    }

    /** Permissions and accesses are gone; soft-dirty and uffd-wp stay. */
    Entry special(final PteKind newKind) {
        return new Entry(newKind, softDirty, uffdWp, false, false, false, false);
    }

    /** The same with hints. */
    Entry migrating(final PteKind newKind, final boolean isDirty, final boolean isYoung) {
        return new Entry(newKind, softDirty, uffdWp, false, isDirty, isYoung, false);
    }

    Entry swapped(final boolean isExclusive) {
        return new Entry(PteKind.SWAP, softDirty, uffdWp, false, false, false, isExclusive);
    }

    Entry softDirty(final boolean isSoftDirty) {
        return new Entry(kind, isSoftDirty, uffdWp, writable, dirty, young, exclusive);
    }

    Entry uffdWp(final boolean isUffdWp) {
        return new Entry(kind, softDirty, isUffdWp, writable, dirty, young, exclusive);
    }
}
