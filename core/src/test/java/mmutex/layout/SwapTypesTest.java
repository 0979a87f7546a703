package mmutex.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SwapTypesTest {
    private static final int FRAME_BITS = 34;

    private final SwapTypes v6 = new SwapTypes(SwapTypesSpec.everything(KernelGeneration.V6_12, FRAME_BITS, 50));
    private final SwapTypes v7 = new SwapTypes(SwapTypesSpec.everything(KernelGeneration.V7_3, FRAME_BITS, 50));

    @ParameterizedTest
    @CsvSource({
        "MARKER, 31, 31",
        "DEVICE_EXCLUSIVE_READ, 30, -1",
        "DEVICE_EXCLUSIVE_WRITE, 29, -1",
        "DEVICE_EXCLUSIVE, -1, 30",
        "DEVICE_PRIVATE_READ, 28, 29",
        "DEVICE_PRIVATE_WRITE, 27, 28",
        "MIGRATION_WRITE, 26, 27",
        "MIGRATION_READ_EXCLUSIVE, 25, 26",
        "MIGRATION_READ, 24, 25",
        "HWPOISON, 23, 24",
        "SWAP, -1, -1",
        "NONE, -1, -1",
        "PRESENT, -1, -1",
        "UNASSIGNED, -1, -1",
    })
    void shouldNumberTypesFromTheTop(final PteKind kind, final int in6, final int in7) {
        assertNumber(v6, kind, in6);
        assertNumber(v7, kind, in7);
    }

    /** Configurations of real kernels: options and the number of swap files that they leave. */
    @ParameterizedTest
    @CsvSource({
        "V6_12, true, true, true, 23",
        "V6_12, true, true, false, 24",
        "V6_12, true, false, false, 28",
        "V6_12, false, false, false, 31",
        "V7_3, true, true, true, 24",
        "V7_3, true, true, false, 25",
    })
    void shouldLeaveTheRestToSwapFiles(
            final KernelGeneration generation,
            final boolean migration,
            final boolean devicePrivate,
            final boolean memoryFailure,
            final int maxSwapFiles) {
        final SwapTypes types = new SwapTypes(
                new SwapTypesSpec(generation, migration, devicePrivate, memoryFailure, FRAME_BITS, 1L << 50));

        assertThat(types.maxSwapFiles()).isEqualTo(maxSwapFiles);
        for (int type = 0; type < 32; type++) {
            assertThat(types.kindOf(type) == PteKind.SWAP).as("type %d", type).isEqualTo(type < maxSwapFiles);
        }
    }

    @Test
    void shouldMoveMigrationUpWithoutDeviceTypes() {
        final SwapTypes types =
                new SwapTypes(new SwapTypesSpec(KernelGeneration.V6_12, true, false, false, FRAME_BITS, 1L << 50));

        assertThat(types.typeOf(PteKind.MIGRATION_WRITE)).isEqualTo(30);
        assertThat(types.kindOf(29)).isEqualTo(PteKind.MIGRATION_READ_EXCLUSIVE);
        assertThat(types.has(PteKind.DEVICE_EXCLUSIVE_READ)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 63, 64, 127, -1, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void shouldNotAssignTypesBeyondLinux(final int type) {
        assertThat(v6.kindOf(type)).isEqualTo(PteKind.UNASSIGNED);
    }

    @ParameterizedTest
    @EnumSource(KernelGeneration.class)
    void shouldAnswerByMaskAsByKind(final KernelGeneration generation) {
        final SwapTypes types = new SwapTypes(SwapTypesSpec.everything(generation, FRAME_BITS, 50));
        for (int type = 0; type < SwapEntry.TYPE_COUNT; type++) {
            final PteKind kind = types.kindOf(type);
            final long entry = SwapEntry.of(type, 0x12345);

            assertThat(types.isDeviceExclusive(entry)).isEqualTo(kind.isDeviceExclusive());
            assertThat(types.carriesFrameNumber(entry)).isEqualTo(kind.carriesFrameNumber());
        }
    }

    @Test
    void shouldChooseTheExclusiveKind() {
        assertThat(v6.hasReadableExclusive()).isTrue();
        assertThat(v6.exclusiveKind(true)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_WRITE);
        assertThat(v6.exclusiveKind(false)).isEqualTo(PteKind.DEVICE_EXCLUSIVE_READ);
        assertThat(v7.hasReadableExclusive()).isFalse();
        assertThat(v7.exclusiveKind(true)).isEqualTo(PteKind.DEVICE_EXCLUSIVE);
        assertThat(v7.exclusiveKind(false)).isEqualTo(PteKind.DEVICE_EXCLUSIVE);
    }

    @Test
    void shouldKeepYoungAndDirtyAboveTheFrameNumber() {
        final long entry = SwapEntry.of(v6.typeOf(PteKind.MIGRATION_READ), 0x3_ffff_ffffL);
        final long both = v6.mkMigrationDirty(v6.mkMigrationYoung(entry));

        assertThat(both ^ entry).isEqualTo(3L << FRAME_BITS);
        assertThat(v6.isMigrationYoung(both)).isTrue();
        assertThat(v6.isMigrationDirty(both)).isTrue();
        assertThat(v6.isMigrationYoung(entry) || v6.isMigrationDirty(entry)).isFalse();
        assertThat(v6.frameNumber(both)).isEqualTo(0x3_ffff_ffffL);
    }

    @ParameterizedTest
    @CsvSource({"35, false", "36, true", "50, true"})
    void shouldTrackYoungAndDirtyOnlyIfBothFit(final int offsetBits, final boolean tracks) {
        final SwapTypes types = new SwapTypes(SwapTypesSpec.everything(KernelGeneration.V7_3, FRAME_BITS, offsetBits));

        assertThat(types.tracksMigrationYoungDirty()).isEqualTo(tracks);
        assertThat(types.isMigrationYoung(types.mkMigrationYoung(0))).isEqualTo(tracks);
        assertThat(types.isMigrationDirty(types.mkMigrationDirty(0))).isEqualTo(tracks);
    }

    @Test
    void shouldReadOnlyTheMarkerBitsItKnows() {
        final long entry = v6.marker(7);

        assertThat(SwapEntry.offset(entry)).isEqualTo(7);
        assertThat(v6.markerBits(entry)).isEqualTo(SwapTypes.MARKER_UFFD_WP | SwapTypes.MARKER_POISONED);
        assertThat(v7.markerBits(entry)).isEqualTo(7);
    }

    @Test
    void shouldRefuseAFrameNumberThatDoesNotFit() {
        assertThatThrownBy(() -> SwapTypesSpec.everything(KernelGeneration.V7_3, 57, 58))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("frame number does not fit: frameNumberBits=57");
    }

    private static void assertNumber(final SwapTypes types, final PteKind kind, final int number) {
        assertThat(types.has(kind)).isEqualTo(number >= 0);
        if (number >= 0) {
            assertThat(types.typeOf(kind)).isEqualTo(number);
            assertThat(types.kindOf(number)).isEqualTo(kind);
        } else {
            assertThatThrownBy(() -> types.typeOf(kind))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("kind=" + kind);
        }
    }
}
