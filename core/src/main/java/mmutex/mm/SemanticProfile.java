package mmutex.mm;

import java.util.Arrays;
import java.util.List;
import mmutex.layout.KernelGeneration;
import mmutex.notify.NotifierEvent;

/**
 * The switches in which the kernel generations differ. A profile is read at construction, to pick strategies; code asks
 * for a switch, never for a profile's name. Each profile below says what is new against the one before; what the first
 * does not name is off.
 *
 * @param name as printed and accepted by the commands
 * @param generation which layout of the swap types belongs to it
 * @param makeOnePage make converts one page per call and reports an errno (6.15), not a range with null slots
 * @param makePassesOwner the maker's cookie travels with the event
 * @param makeEvent event during make
 * @param restoreEvent event during a fault's restore
 * @param makeBlocksOnPageLock make waits for the page lock instead of skipping the page
 * @param makeCheck how make finds out that the page is still at its address
 * @param makeAcceptsShared file and shared pages can become exclusive
 * @param exclusiveKeepsMapcount a converted mapping still counts as a mapping
 * @param restoreTakesReference a fault takes its own reference before the page lock
 * @param restoreBlocksOnPageLock a fault always blocks on the page lock (else lock-or-retry)
 * @param restoreDecidesWritable the restored entry's writability is decided at restore, not by the entry
 * @param forkExclusive what fork does with an exclusive entry
 * @param mprotectDemotesExclusive mprotect makes writable exclusive entries readable
 * @param mprotectUpgrade whether mprotect r -> rw makes private AnonExclusive pages writable at once
 * @param mprotectUnaccounts mprotect to read-only gives back the accounting of memory that was never faulted in
 * @param mergesIntoUnfaulted a VMA without anon_vma is merged with a changed neighbour that has one
 * @param mprotectNotifyLevel level of the upper entries whose presence mprotect looks at before it sends its event
 * @param populate what MADV_POPULATE does about holes, if the kernel has it
 * @param swapInGrantsWrite a page that is read back from swap is writable at once where nobody has to notice the write
 * @param mremapMovesManyVmas mremap moves a range VMA by VMA, holes and all, instead of refusing what isn't one VMA
 * @param retriedFaultIsMajor a fault that had to wait counts as major
 * @param hasAnonExclusive the AnonExclusive bit exists
 * @param exclusiveIsReclaimable reclaim and migration handle exclusive entries
 * @param migrationWalkAcceptsExclusive the migration walk takes exclusive entries for its own (a defect)
 * @param deviceFaultTakesPageLock a fault on a device-private page takes its page lock before it calls the driver
 * @param hasVmaLock faults try the per-VMA lock first
 * @param makeConfusesSubpages make takes a large folio's head for whichever page was asked for, and hands it to the device;
 *     later versions refuse all but the head
 * @param restoreConfusesSubpages a fault maps a large folio's head in the place of any of its pages
 * @param hugeZeroWriteAllocates a write to the huge page of zeroes gets a huge page (6.13), not a small one
 * @param largeReuse when a write to a read-only page of a large folio reuses it, though it is not AnonExclusive
 * @param hugetlbMovesAndDiscards mremap and MADV_DONTNEED take hugetlb mappings, huge page by huge page (5.16, 5.18)
 * @param splitMapsZeroes taking a large folio apart maps its pages of zeroes as the zero page (6.12)
 * @param deviceFaultPages pages that the test device faults per round
 * @param deviceMigrationPages pages that the test device migrates per round
 * @param deviceWritesMigratedHoles the test device maps memory that it gave to untouched pages writable
 * @param deviceReportsErrno the test device passes make's errno on, instead of EBUSY
 */
public record SemanticProfile(
        String name,
        KernelGeneration generation,
        boolean makeOnePage,
        boolean makePassesOwner,
        NotifierEvent makeEvent,
        NotifierEvent restoreEvent,
        boolean makeBlocksOnPageLock,
        MakeCheck makeCheck,
        boolean makeAcceptsShared,
        boolean exclusiveKeepsMapcount,
        boolean restoreTakesReference,
        boolean restoreBlocksOnPageLock,
        boolean restoreDecidesWritable,
        ForkExclusive forkExclusive,
        boolean mprotectDemotesExclusive,
        MprotectUpgrade mprotectUpgrade,
        boolean mprotectUnaccounts,
        boolean mergesIntoUnfaulted,
        int mprotectNotifyLevel,
        Populate populate,
        boolean swapInGrantsWrite,
        boolean mremapMovesManyVmas,
        boolean retriedFaultIsMajor,
        boolean hasAnonExclusive,
        boolean exclusiveIsReclaimable,
        boolean migrationWalkAcceptsExclusive,
        boolean deviceFaultTakesPageLock,
        boolean hasVmaLock,
        boolean makeConfusesSubpages,
        boolean restoreConfusesSubpages,
        boolean hugeZeroWriteAllocates,
        LargeReuse largeReuse,
        boolean hugetlbMovesAndDiscards,
        boolean splitMapsZeroes,
        int deviceFaultPages,
        int deviceMigrationPages,
        boolean deviceWritesMigratedHoles,
        boolean deviceReportsErrno) {

    /** How make verifies that GUP's answer still holds. */
    public enum MakeCheck {
        /** Not at all. */
        NONE,
        /** A flag set while the mappings are converted: same address space, same address, was writable. */
        FLAG,
        /** A second walk of the one address; otherwise start over. */
        SECOND_WALK
    }

    /** What fork does with an exclusive entry. */
    public enum ForkExclusive {
        /** Copies it; both sides become readable entries. */
        COPY_DEMOTED,
        /** Restores it if the page lock can be had at once; otherwise fork fails. */
        RESTORE_BY_TRYLOCK
    }

    /** MADV_POPULATE_READ and MADV_POPULATE_WRITE. */
    public enum Populate {
        /** Not there yet: EINVAL. */
        ABSENT,
        /** Goes on behind a hole, and reports it at the end. */
        PASSES_HOLES,
        /** Ends at a hole. */
        STOPS_AT_HOLE
    }

    /** When a write fault on a page of a large folio, mapped by an entry of its own, reuses it: do_wp_page. */
    public enum LargeReuse {
        /** As a small page: if nothing else refers to the folio, so that no other page of it is mapped. */
        LAST_REFERENCE,
        /** Never: the folio is the sooner free (6.7). */
        NEVER,
        /** If all references are mappings of this address space, and more than one (6.15, CONFIG_MM_ID). */
        ALL_OURS
    }

    /** When mprotect grants write at once. */
    public enum MprotectUpgrade {
        NEVER,
        IF_DIRTY,
        ALWAYS
    }

    private static final int PMD = 1;
    private static final int PUD = 2;

    /** The posted v3 series, February 2021. */
    public static final SemanticProfile V3 = ProfileDraft.first("V3", p -> {
        p.generation = KernelGeneration.V6_12;
        p.makeEvent = NotifierEvent.CLEAR;
        p.restoreEvent = NotifierEvent.CLEAR;
        p.makeCheck = MakeCheck.NONE;
        p.makeAcceptsShared = true;
        p.restoreBlocksOnPageLock = true;
        p.forkExclusive = ForkExclusive.COPY_DEMOTED;
        p.mprotectDemotesExclusive = true;
        p.mprotectUpgrade = MprotectUpgrade.NEVER;
        p.mprotectNotifyLevel = PMD;
        p.populate = Populate.ABSENT;
        p.retriedFaultIsMajor = true;
        p.migrationWalkAcceptsExclusive = true;
        p.makeConfusesSubpages = true;
        p.restoreConfusesSubpages = true;
        p.largeReuse = LargeReuse.LAST_REFERENCE;
        p.deviceFaultPages = 64;
        p.deviceMigrationPages = 64;
        p.deviceWritesMigratedHoles = true;
    });

    /** The posted v8/v9 series, May 2021. */
    public static final SemanticProfile V9 = ProfileDraft.after(V3, "V9", p -> {
        p.makePassesOwner = true;
        p.makeEvent = NotifierEvent.EXCLUSIVE;
        p.makeCheck = MakeCheck.FLAG;
        p.makeAcceptsShared = false;
        p.restoreBlocksOnPageLock = false;
        p.forkExclusive = ForkExclusive.RESTORE_BY_TRYLOCK;
        p.restoreConfusesSubpages = false;
    });

    /** 5.14 to 6.2; what differs between 5.14 and 5.19 follows the later ones (recorded: 6.1). */
    public static final SemanticProfile K514 = ProfileDraft.after(V9, "K514", p -> {
        p.restoreEvent = NotifierEvent.EXCLUSIVE;
        p.restoreTakesReference = true;
        p.mprotectUpgrade = MprotectUpgrade.IF_DIRTY;
        p.populate = Populate.PASSES_HOLES;
        p.hasAnonExclusive = true;
        p.makeConfusesSubpages = false;
        p.hugetlbMovesAndDiscards = true;
    });

    /** 6.3 to 6.14 (recorded: 6.12). */
    public static final SemanticProfile K612 = ProfileDraft.after(K514, "K612", p -> {
        p.mprotectUpgrade = MprotectUpgrade.ALWAYS;
        p.mprotectUnaccounts = true;
        p.mprotectNotifyLevel = PUD;
        p.populate = Populate.STOPS_AT_HOLE;
        p.swapInGrantsWrite = true;
        p.retriedFaultIsMajor = false;
        p.hasVmaLock = true;
        p.largeReuse = LargeReuse.NEVER;
        p.splitMapsZeroes = true;
    });

    /** 6.15 and later (recorded: 7.3). */
    public static final SemanticProfile K615 = ProfileDraft.after(K612, "K615", p -> {
        p.generation = KernelGeneration.V7_3;
        p.makeOnePage = true;
        p.restoreEvent = NotifierEvent.CLEAR;
        p.makeBlocksOnPageLock = true;
        p.makeCheck = MakeCheck.SECOND_WALK;
        p.exclusiveKeepsMapcount = true;
        p.restoreDecidesWritable = true;
        p.mprotectDemotesExclusive = false;
        p.mergesIntoUnfaulted = true;
        p.mremapMovesManyVmas = true;
        p.exclusiveIsReclaimable = true;
        p.migrationWalkAcceptsExclusive = false;
        p.deviceFaultTakesPageLock = true;
        p.hugeZeroWriteAllocates = true;
        p.largeReuse = LargeReuse.ALL_OURS;
        p.deviceFaultPages = 32;
        p.deviceMigrationPages = 512;
        p.deviceWritesMigratedHoles = false;
        p.deviceReportsErrno = true;
    });

    /** All profiles, oldest first. */
    public static final List<SemanticProfile> ALL = List.of(V3, V9, K514, K612, K615);

    /**
     * Looks a profile up.
     *
     * @throws IllegalArgumentException if there is none of that name
     */
    public static SemanticProfile byName(final String name) {
        return ALL.stream()
                .filter(p -> p.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown profile '" + name + "', known: "
                        + Arrays.toString(
                                ALL.stream().map(SemanticProfile::name).toArray())));
    }

    @Override
    public String toString() {
        return name;
    }
}
