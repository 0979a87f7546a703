package mmutex.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every encoding, tried on many entries; the seed is fixed. */
class PteEncodingContractTest {
    private static final long SEED = 0x6d6d75746578L;
    private static final int RANDOM_WORDS = 20_000;
    private static final long READ_WRITE = VmFlags.READ | VmFlags.WRITE;

    static Collection<String> names() {
        return Encodings.names();
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldReturnTheFrameNumberItWasGiven(final String name) {
        final PteEncoding encoding = Encodings.byName(name);
        for (final long frame : frames(encoding)) {
            for (long flags = 0; flags < 16; flags++) {
                final long pte = encoding.present(frame, encoding.protection(flags));

                assertThat(encoding.frameNumber(pte)).isEqualTo(frame);
                assertThat(encoding.isPresent(pte)).isTrue();
                for (long other = 0; other < 16; other++) {
                    final long modified = encoding.modify(pte, encoding.protection(other));
                    assertThat(encoding.frameNumber(modified)).isEqualTo(frame);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldKeepTheFrameNumberThroughEveryModifier(final String name) {
        final PteEncoding encoding = Encodings.byName(name);
        for (final long pte : presentEntries(encoding)) {
            final long frame = encoding.frameNumber(pte);
            for (final long modified : modified(encoding, pte)) {
                assertThat(encoding.isPresent(modified)).isTrue();
                assertThat(encoding.frameNumber(modified)).isEqualTo(frame);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldReturnKindAndFrameNumberOfSwapForms(final String name) {
        final PteEncoding encoding = Encodings.byName(name);
        for (final PteKind kind : PteKind.values()) {
            if (!kind.carriesFrameNumber() || !encoding.types().has(kind)) {
                continue;
            }
            for (final long frame : frames(encoding)) {
                final long pte = encoding.frameEntry(kind, frame);

                assertThat(encoding.isSwapForm(pte)).isTrue();
                assertThat(encoding.kind(pte)).isEqualTo(kind);
                assertThat(encoding.swapFrameNumber(pte)).isEqualTo(frame);
                assertThat(encoding.isDeviceExclusive(pte)).isEqualTo(kind.isDeviceExclusive());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldBeInExactlyOneState(final String name) {
        final PteEncoding encoding = Encodings.byName(name);
        assertThat(encoding.isNone(encoding.empty())).isTrue();
        assertThat(encoding.kind(encoding.empty())).isEqualTo(PteKind.NONE);
        for (final long word : words(encoding)) {
            assertThat(encoding.isNone(word) && encoding.isPresent(word)).isFalse();
            assertThat(encoding.isDeviceExclusive(word))
                    .isEqualTo(encoding.kind(word).isDeviceExclusive());
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldPermitNothingThroughEntriesThatHardwareRefuses(final String name) {
        final PteEncoding encoding = Encodings.byName(name);
        for (final long word : words(encoding)) {
            if (!encoding.isPresent(word) || encoding.isNoAccess(word)) {
                assertThat(encoding.permits(word, false)).isFalse();
                assertThat(encoding.permits(word, true)).isFalse();
            }
            if (encoding.permits(word, true)) {
                assertThat(encoding.isWritable(word)).isTrue();
                assertThat(encoding.permits(word, false)).isTrue();
            }
        }
        for (final long frame : frames(encoding)) {
            final long noAccess = encoding.present(frame, encoding.protection(0));
            assertThat(encoding.isNoAccess(noAccess)).isTrue();
            assertThat(encoding.permits(noAccess, false)).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldLeaveSoftDirtyToSoftware(final String name) {
        final PteEncoding encoding = Encodings.byName(name);
        int granted = 0;
        for (final long pte : presentEntries(encoding)) {
            for (final boolean write : new boolean[] {false, true}) {
                if (!encoding.permits(pte, write)) {
                    continue;
                }
                final long accessed = encoding.hardwareAccessed(pte, write);

                assertThat(encoding.isYoung(accessed)).isTrue();
                assertThat(encoding.isDirty(accessed)).isEqualTo(write || encoding.isDirty(pte));
                assertThat(encoding.isSoftDirty(accessed)).isEqualTo(encoding.isSoftDirty(pte));
                assertThat(encoding.isWritable(accessed)).isEqualTo(encoding.isWritable(pte));
                assertThat(encoding.frameNumber(accessed)).isEqualTo(encoding.frameNumber(pte));
                granted++;
            }
        }
        assertThat(granted).isPositive();
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldNotLoseDirtyWithWritePermission(final String name) {
        final PteEncoding encoding = Encodings.byName(name);
        for (final long pte : presentEntries(encoding)) {
            final boolean dirty = encoding.isDirty(pte);
            final long readOnly = encoding.wrProtect(pte);

            assertThat(encoding.isWritable(readOnly)).isFalse();
            assertThat(encoding.isDirty(readOnly)).isEqualTo(dirty);
            assertThat(encoding.isWritable(encoding.mkWrite(readOnly))).isTrue();
            assertThat(encoding.isDirty(encoding.mkWrite(readOnly))).isEqualTo(dirty);
            assertThat(encoding.isDirty(encoding.mkClean(pte))).isFalse();
            assertThat(encoding.isWritable(encoding.mkUffdWp(pte))).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldKeepFlagsOfSwapFormsOutOfTheSwapEntry(final String name) {
        final PteEncoding encoding = Encodings.byName(name);
        final long pte = encoding.fromSwapEntry(SwapEntry.of(5, 0x12345));
        final long all = encoding.mkSwapExclusive(encoding.mkSwapUffdWp(encoding.mkSwapSoftDirty(pte)));

        assertThat(encoding.toSwapEntry(all)).isEqualTo(SwapEntry.of(5, 0x12345));
        assertThat(encoding.isSwapExclusive(all)).isTrue();
        assertThat(encoding.clearSwapFlags(all)).isEqualTo(pte);
        assertThat(encoding.isSwapSoftDirty(encoding.clearSwapSoftDirty(all))).isFalse();
        assertThat(encoding.isSwapUffdWp(encoding.clearSwapUffdWp(all))).isFalse();
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldGoToExclusiveAndBack(final String name) {
        final PteEncoding encoding = Encodings.byName(name);
        final boolean configured = encoding.types().has(encoding.types().exclusiveKind(true));
        assumeThat(configured).as("a kernel with device-exclusive entries").isTrue();
        final long protection = encoding.protection(READ_WRITE);
        for (final long pte : presentEntries(encoding)) {
            final long exclusive = encoding.makeExclusive(pte);
            final long restored = encoding.types().hasReadableExclusive()
                    ? encoding.restoreExclusiveByEntry(exclusive, protection, true)
                    : encoding.restoreExclusiveReadOnly(exclusive, protection);

            assertThat(encoding.isDeviceExclusive(exclusive)).isTrue();
            assertThat(encoding.swapFrameNumber(exclusive)).isEqualTo(encoding.frameNumber(pte));
            assertThat(encoding.isSwapSoftDirty(exclusive)).isEqualTo(encoding.isSoftDirty(pte));
            assertThat(encoding.isSwapExclusive(exclusive)).isFalse();
            assertThat(encoding.kind(restored)).isEqualTo(PteKind.PRESENT);
            assertThat(encoding.frameNumber(restored)).isEqualTo(encoding.frameNumber(pte));
            assertThat(encoding.isYoung(restored)).isFalse();
        }
    }

    /** 0, all ones, each single bit, two patterns, all within the width that every kind can hold. */
    private static List<Long> frames(final PteEncoding encoding) {
        final int bits = encoding.frameNumberBits();
        final long mask = (1L << bits) - 1;
        final List<Long> frames = new ArrayList<>(
                List.of(0L, mask, mask - 1, 0x12345L, 0x5555_5555_5555_5555L & mask, 0xaaaa_aaaa_aaaa_aaaaL & mask));
        for (int bit = 0; bit < bits; bit++) {
            frames.add(1L << bit);
        }
        return frames;
    }

    /** Entries as the makers give them: every protection, with each pair of modifiers. */
    private static List<Long> presentEntries(final PteEncoding encoding) {
        final List<Long> entries = new ArrayList<>();
        for (final long frame : List.of(0L, 0x12345L, (1L << encoding.frameNumberBits()) - 1)) {
            for (long flags = 0; flags < 16; flags++) {
                final long base = encoding.mkOld(encoding.present(frame, encoding.protection(flags)));
                for (final long first : modified(encoding, base)) {
                    entries.addAll(modified(encoding, first));
                }
            }
        }
        return entries;
    }

    private static List<Long> modified(final PteEncoding encoding, final long pte) {
        return List.of(
                pte,
                encoding.mkYoung(pte),
                encoding.mkOld(pte),
                encoding.mkDirty(pte),
                encoding.mkClean(pte),
                encoding.mkWrite(pte),
                encoding.wrProtect(pte),
                encoding.mkSoftDirty(pte),
                encoding.clearSoftDirty(pte),
                encoding.mkUffdWp(pte),
                encoding.clearUffdWp(pte),
                encoding.mkSpecial(pte),
                encoding.mkDevmap(pte),
                encoding.mkExec(pte));
    }

    /** Single bits, their complements, and random words. */
    private static long[] words(final PteEncoding encoding) {
        final SplittableRandom random = new SplittableRandom(SEED);
        final long[] words = random.longs(RANDOM_WORDS).toArray();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            words[2 * bit] = 1L << bit;
            words[2 * bit + 1] = ~(1L << bit);
        }
        words[2 * Long.SIZE] = 0;
        words[2 * Long.SIZE + 1] = encoding.empty();
        return words;
    }
}
