package mmutex.mm;

import static mmutex.mm.MmFixture.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameTable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WriteUpgradeTest {
    private final MmFixture mm = new MmFixture();
    private final PteEncoding encoding = mm.platform.encoding();
    private Vma vma;
    private long pfn;
    private long pte;

    /** The one combination that is allowed; each test spoils one part of it. */
    @BeforeEach
    void map() {
        vma = mm.map(10, 20, READ_WRITE);
        mm.prepare(vma);
        pfn = mm.platform.allocator().allocate();
        mm.space.reverseMap().addNewAnon(pfn, vma, vma.start());
        pte = encoding.present(pfn, vma.protection());
        assertThat(encoding.isWritable(pte)).isFalse();
        assertThat(possible()).isTrue();
    }

    private boolean possible() {
        return WriteUpgrade.isPossible(vma, pte);
    }

    @Test
    void shouldNeedThePageToBelongToTheProcessAlone() {
        mm.platform.frames().clearBits(pfn, FrameTable.ANON_EXCLUSIVE);

        assertThat(possible()).isFalse();
    }

    @Test
    void shouldNeedAnAnonymousPage() {
        mm.platform.frames().clearBits(pfn, FrameTable.ANON);

        assertThat(possible()).isFalse();
    }

    @Test
    void shouldLeaveNoAccessEntriesAlone() {
        pte = encoding.present(pfn, encoding.protection(0));

        assertThat(encoding.isNoAccess(pte)).isTrue();
        assertThat(possible()).isFalse();
    }

    @Test
    void shouldNeedNoTrackingOfSoftDirty() {
        vma.flags(READ_WRITE); // tracked since clear_refs
        assertThat(possible()).isFalse();

        pte = encoding.mkSoftDirty(pte);
        assertThat(possible()).isTrue();
    }

    @Test
    void shouldLeaveUserfaultProtectionAlone() {
        pte = encoding.mkUffdWp(pte);
        assertThat(possible()).isTrue(); // a stale bit in a VMA that isn't registered

        vma.flags(vma.flags() | VmFlags.UFFD_WP);
        assertThat(possible()).isFalse();
    }

    @Test
    void shouldLeaveTheZeroPageAlone() {
        pte = encoding.mkSpecial(pte);

        assertThat(possible()).isFalse();
    }

    @Test
    void shouldNeedDirtyInSharedMappings() {
        vma.flags(vma.flags() | VmFlags.SHARED);
        assertThat(possible()).isFalse();

        pte = encoding.mkDirty(pte);
        assertThat(possible()).isTrue();
    }
}
