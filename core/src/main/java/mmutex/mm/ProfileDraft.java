package mmutex.mm;

import java.util.function.Consumer;
import mmutex.layout.KernelGeneration;
import mmutex.mm.SemanticProfile.ForkExclusive;
import mmutex.mm.SemanticProfile.LargeReuse;
import mmutex.mm.SemanticProfile.MakeCheck;
import mmutex.mm.SemanticProfile.MprotectUpgrade;
import mmutex.mm.SemanticProfile.Populate;
import mmutex.notify.NotifierEvent;

/** A profile while its switches are being set, by name; {@link SemanticProfile} says what they mean. */
final class ProfileDraft {
    KernelGeneration generation;
    boolean makeOnePage;
    boolean makePassesOwner;
    NotifierEvent makeEvent;
    NotifierEvent restoreEvent;
    boolean makeBlocksOnPageLock;
    MakeCheck makeCheck;
    boolean makeAcceptsShared;
    boolean exclusiveKeepsMapcount;
    boolean restoreTakesReference;
    boolean restoreBlocksOnPageLock;
    boolean restoreDecidesWritable;
    ForkExclusive forkExclusive;
    boolean mprotectDemotesExclusive;
    MprotectUpgrade mprotectUpgrade;
    boolean mprotectUnaccounts;
    boolean mergesIntoUnfaulted;
    int mprotectNotifyLevel;
    Populate populate;
    boolean swapInGrantsWrite;
    boolean mremapMovesManyVmas;
    boolean retriedFaultIsMajor;
    boolean hasAnonExclusive;
    boolean exclusiveIsReclaimable;
    boolean migrationWalkAcceptsExclusive;
    boolean deviceFaultTakesPageLock;
    boolean hasVmaLock;
    boolean makeConfusesSubpages;
    boolean restoreConfusesSubpages;
    boolean hugeZeroWriteAllocates;
    LargeReuse largeReuse;
    boolean hugetlbMovesAndDiscards;
    boolean splitMapsZeroes;
    int deviceFaultPages;
    int deviceMigrationPages;
    boolean deviceWritesMigratedHoles;
    boolean deviceReportsErrno;

    private ProfileDraft() {}

    /** A profile that nothing came before. */
    static SemanticProfile first(final String name, final Consumer<ProfileDraft> switches) {
        return build(new ProfileDraft(), name, switches);
    }

    /** A profile that is like another one but for some switches. */
    static SemanticProfile after(
            final SemanticProfile before, final String name, final Consumer<ProfileDraft> switches) {
        final ProfileDraft draft = new ProfileDraft();
        draft.generation = before.generation();
        draft.makeOnePage = before.makeOnePage();
        draft.makePassesOwner = before.makePassesOwner();
        draft.makeEvent = before.makeEvent();
        draft.restoreEvent = before.restoreEvent();
        draft.makeBlocksOnPageLock = before.makeBlocksOnPageLock();
        draft.makeCheck = before.makeCheck();
        draft.makeAcceptsShared = before.makeAcceptsShared();
        draft.exclusiveKeepsMapcount = before.exclusiveKeepsMapcount();
        draft.restoreTakesReference = before.restoreTakesReference();
        draft.restoreBlocksOnPageLock = before.restoreBlocksOnPageLock();
        draft.restoreDecidesWritable = before.restoreDecidesWritable();
        draft.forkExclusive = before.forkExclusive();
        draft.mprotectDemotesExclusive = before.mprotectDemotesExclusive();
        draft.mprotectUpgrade = before.mprotectUpgrade();
        draft.mprotectUnaccounts = before.mprotectUnaccounts();
        draft.mergesIntoUnfaulted = before.mergesIntoUnfaulted();
        draft.mprotectNotifyLevel = before.mprotectNotifyLevel();
        draft.populate = before.populate();
        draft.swapInGrantsWrite = before.swapInGrantsWrite();
        draft.mremapMovesManyVmas = before.mremapMovesManyVmas();
        draft.retriedFaultIsMajor = before.retriedFaultIsMajor();
        draft.hasAnonExclusive = before.hasAnonExclusive();
        draft.exclusiveIsReclaimable = before.exclusiveIsReclaimable();
        draft.migrationWalkAcceptsExclusive = before.migrationWalkAcceptsExclusive();
        draft.deviceFaultTakesPageLock = before.deviceFaultTakesPageLock();
        draft.hasVmaLock = before.hasVmaLock();
        draft.makeConfusesSubpages = before.makeConfusesSubpages();
        draft.restoreConfusesSubpages = before.restoreConfusesSubpages();
        draft.hugeZeroWriteAllocates = before.hugeZeroWriteAllocates();
        draft.largeReuse = before.largeReuse();
        draft.hugetlbMovesAndDiscards = before.hugetlbMovesAndDiscards();
        draft.splitMapsZeroes = before.splitMapsZeroes();
        draft.deviceFaultPages = before.deviceFaultPages();
        draft.deviceMigrationPages = before.deviceMigrationPages();
        draft.deviceWritesMigratedHoles = before.deviceWritesMigratedHoles();
        draft.deviceReportsErrno = before.deviceReportsErrno();
        return build(draft, name, switches);
    }

    private static SemanticProfile build(
            final ProfileDraft draft, final String name, final Consumer<ProfileDraft> switches) {
        switches.accept(draft);
        return new SemanticProfile(
                name,
                draft.generation,
                draft.makeOnePage,
                draft.makePassesOwner,
                draft.makeEvent,
                draft.restoreEvent,
                draft.makeBlocksOnPageLock,
                draft.makeCheck,
                draft.makeAcceptsShared,
                draft.exclusiveKeepsMapcount,
                draft.restoreTakesReference,
                draft.restoreBlocksOnPageLock,
                draft.restoreDecidesWritable,
                draft.forkExclusive,
                draft.mprotectDemotesExclusive,
                draft.mprotectUpgrade,
                draft.mprotectUnaccounts,
                draft.mergesIntoUnfaulted,
                draft.mprotectNotifyLevel,
                draft.populate,
                draft.swapInGrantsWrite,
                draft.mremapMovesManyVmas,
                draft.retriedFaultIsMajor,
                draft.hasAnonExclusive,
                draft.exclusiveIsReclaimable,
                draft.migrationWalkAcceptsExclusive,
                draft.deviceFaultTakesPageLock,
                draft.hasVmaLock,
                draft.makeConfusesSubpages,
                draft.restoreConfusesSubpages,
                draft.hugeZeroWriteAllocates,
                draft.largeReuse,
                draft.hugetlbMovesAndDiscards,
                draft.splitMapsZeroes,
                draft.deviceFaultPages,
                draft.deviceMigrationPages,
                draft.deviceWritesMigratedHoles,
                draft.deviceReportsErrno);
    }
}
