package mmutex.check;

import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.machine.Emulation;
import mmutex.machine.Huge;
import mmutex.memory.FrameTable;
import mmutex.mm.PageTable;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is watched of huge entries, told by hand of changes that no correct kernel would make. */
class HugeEntryWatchTest {
    private final Emulation emulation = Huge.written(SemanticProfile.K612, 1);
    private final PteEncoding encoding = emulation.encoding;
    private final PageTable table = emulation.space.pageTable();
    private final Watch watch = new Watch(emulation.platform);
    private final Task actor = emulation.machine.newTask("actor");
    private long slot;
    private long pmd;
    private long folio;
    private long leafTable;
    private long protection;

    @BeforeEach
    void setUp() {
        slot = table.upperSlot(addr(0));
        pmd = table.loadUpper(slot);
        folio = HugePmd.frameNumber(pmd);
        protection = emulation.space.vmas().lookup(addr(0)).protection();
        leafTable = table.radix().allocateLeaf();
        emulation.frames.markDirty(folio);
        fill(pmd);
        table.lock(actor, slot);
    }

    private void fill(final long like) {
        for (int i = 0; i < Huge.PAGES; i++) {
            entry(i, HugePmd.leaf(encoding, like, i, protection));
        }
    }

    private void entry(final int page, final long pte) {
        emulation.platform.tables().entries().store(leafTable + (long) page * Long.BYTES, pte);
    }

    private List<String> found() {
        final CheckReport report = new CheckReport();
        watch.addTo(report);
        return report.violations().stream()
                .map(violation -> violation.substring(0, violation.indexOf(':')))
                .distinct()
                .toList();
    }

    private void split() {
        watch.upperChanged(table, slot, pmd, HugePmd.invalidate(pmd));
        watch.upperChanged(table, slot, HugePmd.invalidate(pmd), leafTable);
    }

    @Test
    void shouldFindNothingWrongInAnInstallASplitAndAZap() {
        watch.upperChanged(table, slot, 0, pmd);
        split();
        watch.upperChanged(table, slot, pmd, 0);
        watch.upperChanged(table, slot, leafTable, 0);
        watch.upperChanged(table, slot, 0, leafTable);

        assertThat(found()).isEmpty();
        assertThat(watch.splits()).isEqualTo(1);
    }

    @Test
    void shouldLetHardwareSetItsBitsWithoutTheLock() {
        table.unlock(actor, slot);

        watch.upperChanged(table, slot, HugePmd.mkOld(pmd), pmd);

        assertThat(found()).isEmpty();
    }

    @Test
    void shouldReportAnInstallWithoutTheLock() {
        table.unlock(actor, slot);

        watch.upperChanged(table, slot, 0, pmd);

        assertThat(found()).containsExactly("O1");
    }

    @Test
    void shouldReportASplitThatHardwareCouldStillMarkTheEntryIn() {
        watch.upperChanged(table, slot, pmd, leafTable);

        assertThat(found()).containsExactly("O1");
    }

    @Test
    void shouldReportAHugeEntryOfAFreeFrame() {
        final long free = emulation.platform.allocator().allocateCompound();
        emulation.platform.putPage(free);

        watch.upperChanged(table, slot, 0, HugePmd.of(encoding, encoding.present(free, protection)));

        assertThat(found()).containsExactly("I14");
    }

    @Test
    void shouldReportALostPage() {
        entry(77, encoding.empty());
        split();

        assertThat(found()).containsExactly("I14");
    }

    @Test
    void shouldReportAPageThatIsNotCounted() {
        emulation.frames.addEntireMapCount(folio, -1);
        split();

        assertThat(found()).containsExactly("I14");
    }

    @Test
    void shouldReportLostDirtiness() {
        emulation.frames.clearBits(folio, FrameTable.DIRTY);
        split();

        assertThat(found()).containsExactly("I22");
    }

    @Test
    void shouldReportALostSoftDirtyBit() {
        pmd = HugePmd.mkSoftDirty(pmd);
        fill(HugePmd.clearSoftDirty(HugePmd.mkClean(pmd)));
        split();

        assertThat(found()).containsExactly("I19");
    }

    @Test
    void shouldReportALostMarkOfAHandler() {
        pmd = HugePmd.mkUffdWp(pmd);
        fill(HugePmd.clearUffdWp(pmd));
        split();

        assertThat(found()).containsExactly("I19");
    }
}
