package mmutex.device;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.addr;
import static mmutex.machine.Huge.PAGES;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.machine.Emulation;
import mmutex.machine.Huge;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The test device on huge pages: what it maps, and what its snapshot says of them. */
class HugeMirrorTest {
    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    private static byte[] snapshot(final Emulation emulation, final MirrorHandle device, final int first, final int n) {
        final byte[] codes = new byte[n];
        assertThat(device.snapshot(emulation.cpu, addr(first), n, DeviceBuffer.ofArray(codes))
                        .errno())
                .isEqualTo(Errno.OK);
        return codes;
    }

    /** CH-8: an untouched, advised range is written by the device in one fault call. */
    @ParameterizedTest
    @MethodSource("profiles")
    void ch8WritesAnUntouchedHugePage(final SemanticProfile profile) {
        final Emulation emulation = Huge.advised(profile, 1);
        final MirrorHandle device = emulation.open(0);
        final ByteBuffer pattern = ByteBuffer.allocate(PAGES * (int) PAGE).order(ByteOrder.nativeOrder());
        for (int page = 0; page < PAGES; page++) {
            pattern.putLong(page * (int) PAGE, page);
        }

        final MirrorHandle.Result result =
                device.write(emulation.cpu, addr(0), PAGES, DeviceBuffer.ofArray(pattern.array()));

        assertThat(result).isEqualTo(new MirrorHandle.Result(Errno.OK, PAGES, 1));
        assertThat(Huge.isHuge(emulation, 0)).isTrue();
        Huge.assertContents(emulation, 0, PAGES, 0);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReadAHugePage(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final MirrorHandle device = emulation.open(0);
        final byte[] mirror = new byte[PAGES * (int) PAGE];

        final MirrorHandle.Result result = device.read(emulation.cpu, addr(0), PAGES, DeviceBuffer.ofArray(mirror));

        assertThat(result).isEqualTo(new MirrorHandle.Result(Errno.OK, PAGES, 1));
        final ByteBuffer words = ByteBuffer.wrap(mirror).order(ByteOrder.nativeOrder());
        for (int page = 0; page < PAGES; page++) {
            assertThat(words.getLong(page * (int) PAGE)).isEqualTo(page);
        }
        assertThat(Huge.isHuge(emulation, 0)).isTrue();
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldTellHugeMappingsInSnapshots(final SemanticProfile profile) {
        final Emulation emulation = Huge.advised(profile, 3);
        final MirrorHandle device = emulation.open(0);
        emulation.store(0, 1);
        emulation.load(PAGES);

        assertThat(snapshot(emulation, device, PAGES - 1, 2)).containsExactly(0x06, 0x05);
        assertThat(snapshot(emulation, device, 2 * PAGES, 1)).containsExactly(0x00);
        emulation.protect(0, PAGES, READ);
        assertThat(snapshot(emulation, device, 0, 1)).containsExactly(0x05);
        Huge.advise(emulation, PAGES, 1, Advice.DONTNEED);
        assertThat(snapshot(emulation, device, PAGES, 2)).containsExactly(0x00, 0x11);
        Huge.assertNothingIsLeft(emulation);
    }

    /** A device's write to the huge page of zeroes needs a page of the process's own. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldWriteWhereZeroesWere(final SemanticProfile profile) {
        final Emulation emulation = Huge.advised(profile, 1);
        final MirrorHandle device = emulation.open(0);
        emulation.load(0);
        final ByteBuffer pattern = ByteBuffer.allocate((int) PAGE).order(ByteOrder.nativeOrder());
        pattern.putLong(0, 77);

        assertThat(device.write(emulation.cpu, addr(3), 1, DeviceBuffer.ofArray(pattern.array()))
                        .errno())
                .isEqualTo(Errno.OK);

        assertThat(Huge.isHuge(emulation, 0)).isEqualTo(profile.hugeZeroWriteAllocates());
        assertThat(emulation.load(3)).isEqualTo(77);
        assertThat(emulation.load(4)).isZero();
        Huge.assertNothingIsLeft(emulation);
    }

    /** The driver for computing: plain mappings of pages under a huge entry. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldLoseItsMappingsWhenTheEntryIsSplit(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final MirrorHandle device = emulation.open(0);
        device.read(emulation.cpu, addr(0), 4, DeviceBuffer.ofArray(new byte[4 * (int) PAGE]));
        final long vpn = addr(0) / PAGE;
        assertThat(device.table().nextValid(vpn, vpn + 4)).isEqualTo(vpn);

        Huge.advise(emulation, 100, 1, Advice.DONTNEED); // far away, but the split is of all

        assertThat(device.table().nextValid(vpn, vpn + 4)).isEqualTo(vpn + 4);
        Huge.assertNothingIsLeft(emulation);
    }
}
