package mmutex.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HugePmdTest {
    private static final long FRAME = 512 * 9;
    private static final long WRITABLE = VmFlags.READ | VmFlags.WRITE;

    static Stream<PteEncoding> encodings() {
        return Stream.of(KernelGeneration.values()).map(g -> Encodings.forGeneration("x86-64", g));
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void shouldSayOfEachPageWhatTheLeafEntrySaid(final PteEncoding encoding) {
        final long protection = encoding.protection(WRITABLE);
        final long plain = encoding.present(FRAME, protection);
        final long[] ptes = {
            plain,
            encoding.mkOld(plain),
            encoding.mkDirty(plain),
            encoding.mkSoftDirty(plain),
            encoding.mkUffdWp(plain),
            encoding.mkWrite(encoding.mkDirty(plain)),
            encoding.hardwareAccessed(encoding.mkWrite(plain), true),
        };
        for (final long pte : ptes) {
            final long pmd = HugePmd.of(encoding, pte);

            assertThat(HugePmd.isHuge(pmd)).isTrue();
            assertThat(HugePmd.frameNumber(pmd)).isEqualTo(FRAME);
            final long leaf = HugePmd.leaf(encoding, pmd, 7, protection);
            assertThat(encoding.frameNumber(leaf)).isEqualTo(FRAME + 7);
            assertThat(encoding.isWritable(leaf)).isEqualTo(encoding.isWritable(pte));
            assertThat(encoding.isDirty(leaf)).isEqualTo(encoding.isDirty(pte));
            assertThat(encoding.isYoung(leaf)).isEqualTo(encoding.isYoung(pte));
            assertThat(encoding.isUffdWp(leaf)).isEqualTo(encoding.isUffdWp(pte));
            assertThat(encoding.isSoftDirty(leaf)).isEqualTo(encoding.isSoftDirty(pte));
        }
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void shouldPermitWhatItsBitsSay(final PteEncoding encoding) {
        final long readOnly = HugePmd.of(encoding, encoding.present(FRAME, encoding.protection(WRITABLE)));
        final long writable = HugePmd.mkWrite(readOnly);
        final long noAccess = HugePmd.modify(encoding, writable, encoding.protection(0));

        assertThat(HugePmd.permits(readOnly, false)).isTrue();
        assertThat(HugePmd.permits(readOnly, true)).isFalse();
        assertThat(HugePmd.permits(writable, true)).isTrue();
        assertThat(HugePmd.permits(HugePmd.invalidate(writable), false)).isFalse();
        assertThat(HugePmd.isHuge(HugePmd.invalidate(writable))).isTrue();
        assertThat(HugePmd.isNoAccess(noAccess)).isTrue();
        assertThat(HugePmd.permits(noAccess, false)).isFalse();
        assertThat(HugePmd.permits(HugePmd.modify(encoding, noAccess, encoding.protection(WRITABLE)), false))
                .isTrue();
        assertThat(HugePmd.isWritable(HugePmd.mkUffdWp(writable))).isFalse();
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void shouldChangeOneBitAtATime(final PteEncoding encoding) {
        final long pmd = HugePmd.of(encoding, encoding.mkOld(encoding.present(FRAME, encoding.protection(WRITABLE))));

        assertThat(HugePmd.isYoung(HugePmd.mkYoung(pmd))).isTrue();
        assertThat(HugePmd.mkOld(HugePmd.mkYoung(pmd))).isEqualTo(pmd);
        assertThat(HugePmd.wrProtect(HugePmd.mkWrite(pmd))).isEqualTo(pmd);
        assertThat(HugePmd.clearSoftDirty(HugePmd.mkSoftDirty(pmd))).isEqualTo(pmd);
        assertThat(HugePmd.clearUffdWp(HugePmd.mkUffdWp(pmd))).isEqualTo(pmd);
        assertThat(HugePmd.isSoftDirty(HugePmd.mkDirty(pmd))).isTrue();
        final long accessed = HugePmd.hardwareAccessed(pmd, true);
        assertThat(HugePmd.isDirty(accessed)).isTrue();
        assertThat(HugePmd.isSoftDirty(accessed)).isFalse();
    }
}
