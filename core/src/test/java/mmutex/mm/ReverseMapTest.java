package mmutex.mm;

import static mmutex.mm.MmFixture.PAGE;
import static mmutex.mm.MmFixture.READ_ONLY;
import static mmutex.mm.MmFixture.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameTable;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;

/** {@link ReverseMap}, {@link AnonVma} and their ids. */
@HangGuard
class ReverseMapTest {
    private final MmFixture mm = new MmFixture();
    private final FrameTable frames = mm.platform.frames();

    // ---- preparation ----------------------------------------------------------------------------------------------

    @Test
    void shouldGiveAVmaAnAnonVmaOfItsOwn() {
        final Vma vma = mm.map(10, 20, READ_WRITE);

        final AnonVma anonVma = mm.prepare(vma);

        assertThat(anonVma.id()).isPositive();
        assertThat(mm.platform.anonVma(anonVma.id())).isSameAs(anonVma);
        assertThat(anonVma.root).isSameAs(anonVma);
        assertThat(anonVma.vmas()).containsExactly(vma);
        assertThat(vma.chain).containsExactly(anonVma);
        assertThat(anonVma.activeVmas).isEqualTo(1);
    }

    @Test
    void shouldReuseANeighboursThatDiffersInAccessOnly() {
        final Vma before = mm.map(10, 20, READ_WRITE);
        final Vma vma = mm.map(20, 30, READ_ONLY);
        final Vma behind = mm.map(30, 40, READ_WRITE | VmFlags.EXEC);
        final AnonVma anonVma = mm.prepare(before);

        assertThat(mm.prepare(vma)).isSameAs(anonVma);
        assertThat(mm.prepare(behind)).isSameAs(anonVma);
        assertThat(anonVma.activeVmas).isEqualTo(3);
    }

    @Test
    void shouldPreferTheNeighbourBehind() {
        final Vma before = mm.map(10, 20, READ_WRITE);
        final Vma behind = mm.map(30, 40, READ_WRITE);
        mm.prepare(before);
        final AnonVma second = mm.prepare(behind);
        final Vma between = mm.map(20, 30, READ_ONLY);

        assertThat(mm.prepare(between)).isSameAs(second);
    }

    @Test
    void shouldNotReuseAcrossAHoleOtherFlagsOrOffsets() {
        final AnonVma first = mm.prepare(mm.map(10, 20, READ_WRITE));

        final AnonVma acrossHole = mm.prepare(mm.map(21, 30, READ_ONLY));
        final AnonVma otherFlags = mm.prepare(mm.map(30, 40, READ_ONLY | VmFlags.DONTCOPY));
        final AnonVma otherOffset = mm.prepare(mm.map(mm.space, 40, 50, READ_WRITE | VmFlags.DONTCOPY, 77));

        final Set<AnonVma> all = new HashSet<>(Set.of(first, acrossHole, otherFlags, otherOffset));
        assertThat(all).hasSize(4);
    }

    @Test
    void shouldNotReuseAnInheritedOne() {
        final Vma parent = mm.map(10, 20, READ_WRITE);
        mm.prepare(parent);
        final AddressSpace child = mm.newSpace();
        final Vma copy = mm.fork(child, parent);
        final Vma beside = mm.map(child, 20, 30, READ_ONLY, 20);

        assertThat(mm.prepare(beside)).isNotSameAs(copy.anonVma()).isNotSameAs(parent.anonVma());
    }

    /** Two faults on a fresh VMA: one object, no id lost. */
    @Test
    void shouldPrepareOnceWhenFaultsRace() throws InterruptedException {
        for (int round = 0; round < 200; round++) {
            final Vma vma = mm.map(10, 20, READ_WRITE);
            final Crew crew = new Crew();
            crew.startTogether(3, number -> {
                final Task task = new Task(10 + number, "fault" + number);
                mm.space.mmapLock().readLock(task);
                mm.space.reverseMap().prepare(task, vma);
                mm.space.mmapLock().readUnlock(task);
            });
            crew.join();

            assertThat(vma.chain).containsExactly(vma.anonVma());
            assertThat(vma.anonVma().activeVmas).isEqualTo(1);
            mm.unmap(mm.space, 10, 20);
        }
        // Ids are used again, so a leak would show as ever higher ones.
        assertThat(mm.prepare(mm.map(10, 20, READ_WRITE)).id()).isLessThan(10);
    }

    // ---- fork chains ----------------------------------------------------------------------------------------------

    @Test
    void shouldLinkAChildToItsParentsAnonVmaAndGiveItOneOfItsOwn() {
        final Vma parent = mm.map(10, 20, READ_WRITE);
        final AnonVma root = mm.prepare(parent);

        final Vma child = mm.fork(mm.newSpace(), parent);
        final Vma grandchild = mm.fork(mm.newSpace(), child);

        assertThat(child.anonVma()).isNotSameAs(root);
        assertThat(child.anonVma().parent).isSameAs(root);
        assertThat(grandchild.anonVma().parent).isSameAs(child.anonVma());
        assertThat(grandchild.anonVma().root).isSameAs(root);
        assertThat(grandchild.anonVma().lock()).isSameAs(root.lock());
        // Pages of the parent are found in all three, the child's in two, the grandchild's in one.
        assertThat(root.vmas()).containsExactlyInAnyOrder(parent, child, grandchild);
        assertThat(child.anonVma().vmas()).containsExactlyInAnyOrder(child, grandchild);
        assertThat(grandchild.anonVma().vmas()).containsExactly(grandchild);
        assertThat(grandchild.chain).hasSize(3);
    }

    @Test
    void shouldForkAnUnfaultedVmaWithoutAnonVma() {
        final Vma child = mm.fork(mm.newSpace(), mm.map(10, 20, READ_WRITE));

        assertThat(child.anonVma()).isNull();
        assertThat(child.chain).isEmpty();
    }

    /** anon_vma_clone: a spare anon_vma, without VMA of its own and at most one child, is taken over. */
    @Test
    void shouldTakeOverASpareAnonVma() {
        final Vma parent = mm.map(10, 20, READ_WRITE);
        mm.prepare(parent);
        final AddressSpace childSpace = mm.newSpace();
        final Vma child = mm.fork(childSpace, parent);
        final AnonVma spare = child.anonVma();
        final Vma grandchild = mm.fork(mm.newSpace(), child);
        mm.unmap(childSpace, 10, 20);
        assertThat(spare.activeVmas).isZero();

        final Vma next = mm.fork(mm.newSpace(), grandchild);

        assertThat(next.anonVma()).isSameAs(spare);
        assertThat(spare.activeVmas).isEqualTo(1);
    }

    @Test
    void shouldNotTakeOverARoot() {
        final Vma parent = mm.map(10, 20, READ_WRITE);
        final AnonVma root = mm.prepare(parent);
        final Vma child = mm.fork(mm.newSpace(), parent);
        mm.unmap(mm.space, 10, 20);
        assertThat(root.activeVmas).isZero();

        final Vma grandchild = mm.fork(mm.newSpace(), child);

        assertThat(grandchild.anonVma()).isNotSameAs(root).isNotSameAs(child.anonVma());
    }

    @Test
    void shouldKeepAnAnonVmaWhileAChildIsLinkedToIt() {
        final Vma parent = mm.map(10, 20, READ_WRITE);
        final AnonVma root = mm.prepare(parent);
        final AddressSpace childSpace = mm.newSpace();
        final Vma child = mm.fork(childSpace, parent);
        final AnonVma own = child.anonVma();

        mm.unmap(mm.space, 10, 20);
        assertThat(mm.platform.anonVma(root.id())).isSameAs(root);
        assertThat(root.vmas()).containsExactly(child);

        mm.unmap(childSpace, 10, 20);
        assertThat(mm.platform.anonVma(root.id())).isNull();
        assertThat(mm.platform.anonVma(own.id())).isNull();
    }

    @Test
    void shouldUseIdsAgain() {
        final long first = mm.prepare(mm.map(10, 20, READ_WRITE)).id();
        mm.unmap(mm.space, 10, 20);

        assertThat(mm.prepare(mm.map(50, 60, READ_WRITE)).id()).isEqualTo(first);
    }

    @Test
    void shouldHandOutManyIds() {
        final Set<Long> ids = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            final AnonVma anonVma = mm.prepare(mm.map(10 * i, 10 * i + 5, READ_WRITE));
            assertThat(ids.add(anonVma.id())).isTrue();
            assertThat(mm.platform.anonVma(anonVma.id())).isSameAs(anonVma);
        }
        assertThat(mm.platform.anonVma(1_000_000)).isNull();
    }

    // ---- frames ---------------------------------------------------------------------------------------------------

    @Test
    void shouldRecordTheFirstMappingOfAFrame() {
        final Vma vma = mm.map(10, 20, READ_WRITE);
        final AnonVma anonVma = mm.prepare(vma);
        final long pfn = mm.platform.allocator().allocate();

        mm.space.reverseMap().addNewAnon(pfn, vma, 13 * PAGE);

        assertThat(frames.mapping(pfn)).isEqualTo(anonVma.id());
        assertThat(frames.index(pfn)).isEqualTo(13);
        assertThat(frames.mapCount(pfn)).isEqualTo(1);
        assertThat(frames.has(pfn, FrameTable.ANON | FrameTable.ANON_EXCLUSIVE)).isTrue();
        mm.space.reverseMap().add(pfn);
        assertThat(frames.mapCount(pfn)).isEqualTo(2);
        mm.space.reverseMap().remove(pfn);
        assertThat(frames.mapCount(pfn)).isEqualTo(1);
    }

    @Test
    void shouldNotMarkOwnershipWhereTheProfileHasNoBitForIt() {
        final MmFixture old = new MmFixture(SemanticProfile.V9);
        final Vma vma = old.map(10, 20, READ_WRITE);
        old.prepare(vma);
        final long pfn = old.platform.allocator().allocate();

        old.space.reverseMap().addNewAnon(pfn, vma, 10 * PAGE);

        assertThat(old.platform.frames().has(pfn, FrameTable.ANON)).isTrue();
        assertThat(old.platform.frames().has(pfn, FrameTable.ANON_EXCLUSIVE)).isFalse();
    }

    @Test
    void shouldMoveAFrameToTheVmaThatOwnsItAlone() {
        final Vma parent = mm.map(10, 20, READ_WRITE);
        mm.prepare(parent);
        final Vma child = mm.fork(mm.newSpace(), parent);
        final long pfn = mm.platform.allocator().allocate();
        mm.space.reverseMap().addNewAnon(pfn, parent, 15 * PAGE);

        mm.space.reverseMap().moveTo(pfn, child);

        assertThat(frames.mapping(pfn)).isEqualTo(child.anonVma().id());
        assertThat(frames.index(pfn)).isEqualTo(15);
    }

    @Test
    void shouldLockTheFamilyOfAMappedFrameOnly() {
        final Vma vma = mm.map(10, 20, READ_WRITE);
        final AnonVma anonVma = mm.prepare(vma);
        final long pfn = mm.platform.allocator().allocate();
        assertThat(mm.space.reverseMap().lockAnonVma(mm.task, pfn)).isNull(); // not anonymous

        mm.space.reverseMap().addNewAnon(pfn, vma, 10 * PAGE);
        assertThat(mm.space.reverseMap().lockAnonVma(mm.task, pfn)).isSameAs(anonVma);
        assertThat(anonVma.lock().isHeld()).isTrue();
        anonVma.lock().readUnlock(mm.task);

        mm.space.reverseMap().remove(pfn); // mapcount 0: invisible, as an exclusive frame up to 6.14
        assertThat(mm.space.reverseMap().lockAnonVma(mm.task, pfn)).isNull();
        assertThat(anonVma.lock().isHeld()).isFalse();
    }
}
