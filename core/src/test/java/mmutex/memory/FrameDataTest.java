package mmutex.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameDataTest {
    private final FrameData data = new FrameData(1024, 12);
    private long position;

    @BeforeEach
    void ensure() {
        data.ensure(3);
        data.ensure(4);
        position = data.position(3, 16);
    }

    @ParameterizedTest
    @ValueSource(ints = {12, 14, 16})
    void shouldKnowItsPageSize(final int shift) {
        final FrameData sized = new FrameData(64, shift);

        assertThat(sized.pageShift()).isEqualTo(shift);
        assertThat(sized.pageLength()).isEqualTo(1 << shift);
        assertThat(sized.position(2, 5)).isEqualTo(2L << shift | 5);
    }

    @Test
    void shouldPerformCpuAccessesOnLongs() {
        data.storeLong(position, 5);

        assertThat(data.loadLong(position)).isEqualTo(5);
        assertThat(data.getAndAddLong(position, 2)).isEqualTo(5);
        assertThat(data.getAndSetLong(position, 9)).isEqualTo(7);
        assertThat(data.compareAndSetLong(position, 8, 0)).isFalse();
        assertThat(data.compareAndSetLong(position, 9, 1)).isTrue();
        assertThat(data.loadLong(position)).isEqualTo(1);
    }

    @Test
    void shouldPerformCpuAccessesOnInts() {
        data.storeInt(position, 5);

        assertThat(data.loadInt(position)).isEqualTo(5);
        assertThat(data.getAndAddInt(position, 2)).isEqualTo(5);
        assertThat(data.getAndSetInt(position, 9)).isEqualTo(7);
        assertThat(data.compareAndSetInt(position, 8, 0)).isFalse();
        assertThat(data.compareAndSetInt(position, 9, 1)).isTrue();
        assertThat(data.loadInt(position)).isEqualTo(1);
        assertThat(data.loadInt(position + Integer.BYTES)).isZero();
    }

    @Test
    void shouldShareTheBytesBetweenCpuAndDevice() {
        data.storeLong(position, 11);
        assertThat(data.deviceLoadLong(position)).isEqualTo(11);

        data.deviceStoreLong(position, 12);
        assertThat(data.loadLong(position)).isEqualTo(12);

        data.deviceStoreInt(position, 13);
        assertThat(data.deviceLoadInt(position)).isEqualTo(13);
        assertThat(data.loadInt(position)).isEqualTo(13);
    }

    @Test
    void shouldClearOneFrameOnly() {
        data.storeLong(data.position(3, 4088), 1);
        data.storeLong(data.position(4, 0), 2);

        data.clear(3);

        assertThat(data.isZero(3)).isTrue();
        assertThat(data.isZero(4)).isFalse();
    }

    @Test
    void shouldSeeASingleBitAnywhereInAFrame() {
        for (int offset = 0; offset < data.pageLength(); offset += Long.BYTES) {
            data.storeLong(data.position(3, offset), 1L << 63);
            assertThat(data.isZero(3)).as("offset %d", offset).isFalse();
            data.storeLong(data.position(3, offset), 0);
        }
        assertThat(data.isZero(3)).isTrue();
    }

    @Test
    void shouldCopyAFrameToAnotherInAnotherSegment() {
        final long far = 700; // 2 MiB hold 512 frames
        data.ensure(far);
        data.storeLong(data.position(3, 0), 1);
        data.storeLong(data.position(3, 4088), 2);

        data.copyFrame(3, far);

        assertThat(data.loadLong(data.position(far, 0))).isEqualTo(1);
        assertThat(data.loadLong(data.position(far, 4088))).isEqualTo(2);
        assertThat(data.loadLong(data.position(3, 0))).isEqualTo(1);
    }

    @Test
    void shouldCopyBytesOfAFrameInAndOut() {
        final byte[] bytes = {9, 8, 7, 6};
        final byte[] read = new byte[5];

        data.write(3, 4093, bytes, 1, 3);
        data.read(3, 4093, read, 1, 3);

        assertThat(read).containsExactly(0, 8, 7, 6, 0);
        assertThat(data.isZero(4)).isTrue();
    }
}
