package mmutex.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import mmutex.layout.golden.GoldenRow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class X86_64EncodingTest {
    private static final long FRAME = 0x12345;
    private static final long PRIVATE_WRITABLE = VmFlags.READ | VmFlags.WRITE;

    private final PteEncoding v6 = Encodings.byName("x86-64-6.12");
    private final PteEncoding v7 = Encodings.byName("x86-64-7.3");
    private final long base = v6.protection(PRIVATE_WRITABLE);

    /** The entry of the worked examples: private mapping, writable, dirty, young, soft-dirty. */
    private final long worked = v6.mkDirty(v6.mkWrite(v6.mkYoung(v6.present(FRAME, base))));

    @Test
    void shouldFollowTheWorkedExampleOf612() {
        final long exclusive = v6.makeExclusive(worked);

        assertThat(worked).isEqualTo(0x8000_0000_1234_5867L);
        assertThat(exclusive).isEqualTo(0xefff_ffff_fdb9_7402L);
        assertThat(v6.kind(exclusive)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
        assertThat(v6.restoreExclusiveByEntry(exclusive, base, true)).isEqualTo(0x8000_0000_1234_5847L);
    }

    @Test
    void shouldFollowTheWorkedExampleOf73() {
        final long exclusive = v7.makeExclusive(worked);
        final long readOnly = v7.restoreExclusiveReadOnly(exclusive, base);

        assertThat(exclusive).isEqualTo(0xf7ff_ffff_fdb9_7402L);
        assertThat(v7.kind(exclusive)).isEqualTo(PteKind.DEVICE_EXCLUSIVE);
        assertThat(v7.isWritable(readOnly)).isFalse();
        assertThat(v7.grantWrite(readOnly, true)).isEqualTo(0x8000_0000_1234_5847L);
    }

    @Test
    void shouldRestoreACleanWritableEntryAsDirtyOnlyIn612() {
        final long clean = v6.mkWrite(v6.present(FRAME, base));

        final long restored6 = v6.restoreExclusiveByEntry(v6.makeExclusive(clean), base, true);
        final long restored7 = v7.grantWrite(v7.restoreExclusiveReadOnly(v7.makeExclusive(clean), base), false);

        assertThat(v6.isDirty(restored6) && v6.isSoftDirty(restored6)).isTrue();
        assertThat(v7.isWritable(restored7)).isTrue();
        assertThat(v7.isDirty(restored7) || v7.isSoftDirty(restored7)).isFalse();
    }

    @Test
    void shouldDowngradeAWritableExclusiveEntryAndKeepItsFlags() {
        final long entry = v6.mkSwapUffdWp(v6.makeExclusive(worked));
        final long readable = v6.downgradeExclusive(entry);

        assertThat(v6.kind(readable)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);
        assertThat(v6.swapFrameNumber(readable)).isEqualTo(FRAME);
        assertThat(v6.isSwapSoftDirty(readable) && v6.isSwapUffdWp(readable)).isTrue();
    }

    @Test
    void shouldMoveDirtyWhenWriteComesAndGoes() {
        final long readOnly = v6.wrProtect(worked);

        assertThat(worked & X86_64Encoding.DIRTY).isNotZero();
        assertThat(readOnly & X86_64Encoding.DIRTY).isZero();
        assertThat(readOnly & X86_64Encoding.SAVED_DIRTY).isNotZero();
        assertThat(v6.mkWrite(readOnly)).isEqualTo(worked);
        assertThat(v6.modify(worked, base)).isEqualTo(readOnly);
    }

    @Test
    void shouldComplementTheFrameNumberOfANoAccessEntry() {
        final long noAccess = v6.modify(v6.present(1, base), v6.protection(0));

        assertThat(noAccess & X86_64Encoding.FRAME_MASK).isEqualTo(0x000f_ffff_ffff_e000L);
        assertThat(v6.frameNumber(noAccess)).isEqualTo(1);
        assertThat(v6.isNoAccess(noAccess)).isTrue();
        assertThat(v6.modify(noAccess, base)).isEqualTo(v6.present(1, base));
    }

    @Test
    void shouldNotComplementTheZeroWord() {
        assertThat(v6.frameNumber(0)).isZero();
        assertThat(v6.present(FRAME, 0)).isEqualTo(FRAME << X86_64Encoding.PAGE_SHIFT);
    }

    /** In 7.3 such an entry is not writable, so it never gets that far; the rule is stated all the same. */
    @Test
    void shouldCarryUffdWpOnlyIn612() {
        final long protectedPte = v6.mkUffdWp(worked);

        assertThat(v6.isSwapUffdWp(v6.makeExclusive(protectedPte))).isTrue();
        assertThat(v7.isSwapUffdWp(v7.makeExclusive(protectedPte))).isFalse();
    }

    @Test
    void shouldCollideWithTheEmptyEntryAtTypeZeroAndTheHighestOffset() {
        final long highest = (1L << X86_64Encoding.SWAP_OFFSET_BITS) - 1;

        assertThat(v6.isNone(v6.fromSwapEntry(SwapEntry.of(0, highest)))).isTrue();
        assertThat(v6.isNone(v6.fromSwapEntry(SwapEntry.of(0, 0)))).isFalse();
        assertThat(v6.isNone(v6.fromSwapEntry(SwapEntry.of(1, highest)))).isFalse();
    }

    @Test
    void shouldIgnoreTheErratumBitsOfAnEmptyEntry() {
        assertThat(v6.isNone(X86_64Encoding.ACCESSED | X86_64Encoding.DIRTY)).isTrue();
        assertThat(v6.isNone(X86_64Encoding.PAT)).isFalse();
    }

    @Test
    void shouldCutOffsetsThatDoNotFit() {
        final long entry = v6.toSwapEntry(v6.fromSwapEntry(SwapEntry.of(5, (1L << 50) + 6)));

        assertThat(entry).isEqualTo(SwapEntry.of(5, 6));
    }

    @Test
    void shouldHaveDevmapOnlyIn612() {
        final long pte = v6.present(FRAME, base);

        assertThat(v6.isDevmap(v6.mkDevmap(pte)) && v6.isSpecial(v6.mkDevmap(pte)))
                .isTrue();
        assertThat(v7.mkDevmap(pte)).isEqualTo(pte);
        assertThat(v7.isDevmap(pte | X86_64Encoding.DEVMAP)).isFalse();
        // The bit is free in 7.3, so a change of protection drops it.
        assertThat(v6.modify(pte | X86_64Encoding.DEVMAP, base)).isEqualTo(pte | X86_64Encoding.DEVMAP);
        assertThat(v7.modify(pte | X86_64Encoding.DEVMAP, base)).isEqualTo(pte);
    }

    @Test
    void shouldPermitByPresentUserAndWrite() {
        final long readOnly = v6.present(FRAME, base);

        assertThat(v6.permits(readOnly, false)).isTrue();
        assertThat(v6.permits(readOnly, true)).isFalse();
        assertThat(v6.permits(v6.mkWrite(readOnly), true)).isTrue();
        assertThat(v6.permits(readOnly & ~X86_64Encoding.USER, false)).isFalse();
        assertThat(v6.permits(v6.makeExclusive(worked), false)).isFalse();
        assertThat(v6.permits(v6.modify(worked, v6.protection(0)), false)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"x86-64-6.12, 4, 34", "x86-64-7.3, 4, 34", "x86-64-l5-6.12, 5, 40", "x86-64-l5-7.3, 5, 40"})
    void shouldHaveTheGeometryOfItsLevels(final String name, final int levels, final int frameNumberBits) {
        final PteEncoding encoding = Encodings.byName(name);

        assertThat(encoding.levels()).isEqualTo(levels);
        assertThat(encoding.pageShift()).isEqualTo(12);
        assertThat(encoding.indexBits()).isEqualTo(9);
        assertThat(encoding.frameNumberBits()).isEqualTo(frameNumberBits);
        assertThat(encoding.types().tracksMigrationYoungDirty()).isTrue();
    }

    @Test
    void shouldRefuseOtherLevels() {
        assertThatThrownBy(() -> X86_64Encoding.create("x86-64-3", KernelGeneration.V6_12, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("x86-64 has 4 or 5 levels: levels=3");
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64-6.12", "x86-64-l5-6.12", "x86-64-7.3", "x86-64-l5-7.3"})
    void shouldLimitSwapFilesOnFlawedProcessors(final String name) throws IOException {
        final SwapTypesSpec spec = Encodings.byName(name).types().spec();
        int checks = 0;
        for (final GoldenRow row : GoldenVectorTest.read(name, ".meta.csv").rows()) {
            if (!row.id().startsWith("l1tf_")) {
                continue;
            }
            final int cacheBits = Integer.parseInt(row.id().substring(row.id().indexOf('=') + 1));
            final long pages = X86_64Encoding.l1tfSwapFilePagesMax(cacheBits);
            final boolean tracks = new SwapTypes(spec.withSwapFilePagesMax(pages)).tracksMigrationYoungDirty();
            final boolean isSize = row.id().startsWith("l1tf_max_swapfile_size@");
            assertThat(isSize ? pages : tracks ? 1 : 0).as(row.id()).isEqualTo(row.number("hex"));
            checks++;
        }
        assertThat(checks).isEqualTo(18);
    }

    @Test
    void shouldPinTheBits() {
        assertThat(X86_64Encoding.FRAME_MASK).isEqualTo(0x000f_ffff_ffff_f000L);
        assertThat(X86_64Encoding.NO_ACCESS).isEqualTo(0x100);
        assertThat(X86_64Encoding.SPECIAL | X86_64Encoding.UFFD_WP | X86_64Encoding.SOFT_DIRTY)
                .isEqualTo(0xe00);
        assertThat(X86_64Encoding.DEVMAP).isEqualTo(0x0200_0000_0000_0000L);
        assertThat(X86_64Encoding.SAVED_DIRTY).isEqualTo(0x0400_0000_0000_0000L);
        assertThat(X86_64Encoding.NO_EXECUTE).isEqualTo(Long.MIN_VALUE);
    }
}
