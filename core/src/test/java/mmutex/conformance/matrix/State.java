package mmutex.conformance.matrix;

import java.util.function.UnaryOperator;

/**
 * Everything that the matrix is about: page 0, the frame that it led to before, and the one that it leads to now; a child's
 * page 0. References of threads in flight are left out.
 */
final class State {
    // Of the frame before. A frame that is free says nothing of itself.
    long ref;
    long map;
    boolean frameDirty;
    boolean anonExclusive;

    // Of another frame, if the page leads to one now.
    long newRef;
    long newMap;
    boolean newDirty;
    boolean newAnonExclusive;

    Entry entry = Entry.NONE;
    long anonPages;
    long swapEnts;

    // Of the child, if there is one.
    Entry childEntry = Entry.NONE;
    long childAnonPages;
    long childSwapEnts;

    /** By how much the columns ref(F), map(F) and anonPages change. */
    State counts(final long refBy, final long mapBy, final long anonPagesBy) {
        ref += refBy;
        map += mapBy;
        anonPages += anonPagesBy;
        return this;
    }

    State swapEnts(final long by) {
        swapEnts += by;
        return this;
    }

    /** Another frame, with one reference and one mapping. */
    State freshFrame(final boolean isExclusive) {
        newRef = 1;
        newMap = 1;
        newAnonExclusive = isExclusive;
        return this;
    }

    State newDirty(final boolean isDirty) {
        newDirty = isDirty;
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

    /** The frame has gone, with what it knew. */
    State freed() {
        frameDirty = false;
        anonExclusive = false;
        return this;
    }

    State entry(final UnaryOperator<Entry> change) {
        entry = change.apply(entry);
        return this;
    }

    State none() {
        entry = Entry.NONE;
        return this;
    }

    State child(final Entry isEntry, final long isAnonPages) {
        childEntry = isEntry;
        childAnonPages = isAnonPages;
        return this;
    }

    @Override
    public String toString() {
        return "ref=" + ref + " map=" + map + " frameDirty=" + frameDirty + " anonExclusive=" + anonExclusive
                + " newRef=" + newRef + " newMap=" + newMap + " newDirty=" + newDirty + " newAnonExclusive="
                + newAnonExclusive + " anonPages=" + anonPages + " swapEnts=" + swapEnts + " " + entry + " child "
                + childEntry + " anonPages=" + childAnonPages + " swapEnts=" + childSwapEnts;
    }
}
