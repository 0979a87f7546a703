package mmutex.mm;

import static mmutex.mm.MmFixture.PAGE;
import static mmutex.mm.MmFixture.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class VmaSetTest {
    private final MmFixture mm = new MmFixture();
    private final VmaSet set = new VmaSet();
    private Vma low;
    private Vma middle;
    private Vma high;

    @BeforeEach
    void insert() {
        low = vma(10, 20);
        middle = vma(20, 25);
        high = vma(40, 50);
        set.insert(middle);
        set.insert(high);
        set.insert(low);
    }

    private Vma vma(final long first, final long end) {
        return new Vma(mm.space, first * PAGE, end * PAGE, READ_WRITE, first);
    }

    @Test
    void shouldKeepAddressOrder() {
        assertThat(set.size()).isEqualTo(3);
        assertThat(set.snapshot()).containsExactly(low, middle, high);
    }

    @Test
    void shouldFindTheFirstVmaThatEndsBehindAnAddress() {
        assertThat(set.find(0)).isSameAs(low);
        assertThat(set.find(10 * PAGE)).isSameAs(low);
        assertThat(set.find(20 * PAGE - 1)).isSameAs(low);
        assertThat(set.find(20 * PAGE)).isSameAs(middle);
        assertThat(set.find(30 * PAGE)).isSameAs(high);
        assertThat(set.find(50 * PAGE - 1)).isSameAs(high);
        assertThat(set.find(50 * PAGE)).isNull();
    }

    @Test
    void shouldLookUpOnlyWhatContainsAnAddress() {
        assertThat(set.lookup(10 * PAGE - 1)).isNull();
        assertThat(set.lookup(10 * PAGE)).isSameAs(low);
        assertThat(set.lookup(25 * PAGE)).isNull();
        assertThat(set.lookup(45 * PAGE + 17)).isSameAs(high);
        assertThat(set.lookup(Long.MAX_VALUE)).isNull();
    }

    @Test
    void shouldFindTheVmaBefore() {
        assertThat(set.before(10 * PAGE)).isNull();
        assertThat(set.before(20 * PAGE)).isSameAs(low);
        assertThat(set.before(20 * PAGE - 1)).isNull();
        assertThat(set.before(39 * PAGE)).isSameAs(middle);
        assertThat(set.before(Long.MAX_VALUE)).isSameAs(high);
    }

    @Test
    void shouldDetachWhatIsRemoved() {
        final Vma[] snapshot = set.snapshot();

        set.remove(middle);

        assertThat(set.snapshot()).containsExactly(low, high);
        assertThat(middle.isDetached()).isTrue();
        assertThat(low.isDetached()).isFalse();
        assertThat(snapshot).containsExactly(low, middle, high); // replaced whole, never changed
    }

    @Test
    void shouldFindNothingWhileEmpty() {
        final VmaSet empty = new VmaSet();

        assertThat(empty.find(0)).isNull();
        assertThat(empty.lookup(0)).isNull();
        assertThat(empty.before(0)).isNull();
        assertThat(empty.size()).isZero();
    }
}
