package mmutex.mm;

import static mmutex.mm.MmFixture.PAGE;
import static mmutex.mm.MmFixture.READ_ONLY;
import static mmutex.mm.MmFixture.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import mmutex.layout.VmFlags;
import org.junit.jupiter.api.Test;

class VmaTest {
    private final MmFixture mm = new MmFixture();
    private final Vma vma = new Vma(mm.space, 16 * PAGE, 20 * PAGE, READ_WRITE, 100);

    @Test
    void shouldContainItsBytes() {
        assertThat(vma.contains(16 * PAGE - 1)).isFalse();
        assertThat(vma.contains(16 * PAGE)).isTrue();
        assertThat(vma.contains(20 * PAGE - 1)).isTrue();
        assertThat(vma.contains(20 * PAGE)).isFalse();
    }

    @Test
    void shouldTranslateBetweenAddressesAndLinearIndexes() {
        assertThat(vma.linearIndex(16 * PAGE)).isEqualTo(100);
        assertThat(vma.linearIndex(19 * PAGE + 5)).isEqualTo(103);
        assertThat(vma.address(100)).isEqualTo(16 * PAGE);
        assertThat(vma.address(103)).isEqualTo(19 * PAGE);
    }

    @Test
    void shouldCoverItsLinearIndexes() {
        assertThat(vma.covers(99)).isFalse();
        assertThat(vma.covers(100)).isTrue();
        assertThat(vma.covers(103)).isTrue();
        assertThat(vma.covers(104)).isFalse();
    }

    @Test
    void shouldDeriveItsProtectionFromItsFlags() {
        assertThat(vma.protection()).isEqualTo(mm.platform.encoding().protection(READ_WRITE));
        vma.flags(READ_ONLY);
        assertThat(vma.protection()).isEqualTo(mm.platform.encoding().protection(READ_ONLY));
        assertThat(vma.has(VmFlags.WRITE)).isFalse();
        assertThat(vma.has(VmFlags.READ)).isTrue();
        assertThat(vma.has(VmFlags.READ | VmFlags.WRITE)).isFalse();
    }

    @Test
    void shouldDescribeItself() {
        assertThat(vma).hasToString("[0x10000, 0x14000) flags=0x73");
    }
}
