package mmutex.mm;

import static mmutex.mm.MmFixture.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import mmutex.layout.PteEncoding;
import mmutex.layout.VmFlags;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PageTableTest {
    private static final long ADDR = 0x40_0000;

    private final MmFixture mm = new MmFixture();
    private final PteEncoding encoding = mm.platform.encoding();
    private final PageTable table = mm.space.pageTable();
    private long pte;
    private long slot;

    @BeforeEach
    void create() {
        slot = table.slotOrCreate(ADDR);
        pte = encoding.present(5, encoding.protection(VmFlags.READ | VmFlags.WRITE));
    }

    @Test
    void shouldFindSlotsByAddress() {
        assertThat(table.slot(ADDR)).isEqualTo(slot);
        assertThat(table.slot(ADDR + PAGE - 1)).isEqualTo(slot);
        assertThat(table.slot(ADDR + PAGE)).isEqualTo(slot + Long.BYTES);
        assertThat(table.slot(2 * ADDR)).isEqualTo(PageTable.NO_SLOT);
    }

    @Test
    void shouldBeEmptyAtFirst() {
        assertThat(encoding.isNone(table.load(slot))).isTrue();
    }

    @Test
    void shouldStoreAndCompareAndSet() {
        table.store(slot, pte);

        assertThat(table.load(slot)).isEqualTo(pte);
        assertThat(table.compareAndSet(slot, encoding.mkDirty(pte), 0)).isFalse();
        assertThat(table.compareAndSet(slot, pte, encoding.mkDirty(pte))).isTrue();
        assertThat(table.load(slot)).isEqualTo(encoding.mkDirty(pte));
    }

    @Test
    void shouldReturnWhatItClears() {
        table.store(slot, pte);

        assertThat(table.getAndClear(slot)).isEqualTo(pte);
        assertThat(table.load(slot)).isEqualTo(encoding.empty());
    }

    @Test
    void shouldShootDownWhenItClearsAPresentEntryOnly() {
        table.store(slot, pte);
        assertThat(table.clearFlush(mm.task, slot)).isEqualTo(pte);
        assertThat(mm.space.windows().flushes()).isEqualTo(1);

        table.clearFlush(mm.task, slot);
        table.store(slot, encoding.makeExclusive(pte));
        table.clearFlush(mm.task, slot);
        assertThat(mm.space.windows().flushes()).isEqualTo(1);
    }

    @Test
    void shouldLockTheTableOfASlot() {
        table.lock(mm.task, slot);
        assertThat(mm.platform.pteLock().isLocked(slot)).isTrue();
        table.unlock(mm.task, slot);
        assertThat(mm.platform.pteLock().isLocked(slot)).isFalse();
    }
}
