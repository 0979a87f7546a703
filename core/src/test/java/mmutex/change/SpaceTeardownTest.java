package mmutex.change;

import static mmutex.machine.Emulation.BASE;
import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.machine.Emulation;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.IntervalSubscription;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpaceTeardownTest {
    private final Emulation emulation = new Emulation();

    /** 3.21: RELEASE to interval subscribers, release to the list, and then the unmapping, of which only intervals hear. */
    @Test
    void shouldReleaseSubscribersBeforeItUnmaps() {
        final List<String> log = new ArrayList<>();
        emulation.mapWritten(0, 2);
        final IntervalSubscription subscription = new IntervalSubscription((actor, hit, range, sequence) -> {
            log.add(range.event() + " " + range.start() + " " + (range.end() == Long.MAX_VALUE) + " frames="
                    + emulation.platform.allocator().inUse());
            hit.setSeq(sequence);
            return true;
        });
        emulation.space.insert(emulation.cpu, subscription, BASE, PAGE);
        emulation.space.register(emulation.cpu, new NotifierSubscriber() {
            @Override
            public void release(final Actor actor) {
                log.add("release frames=" + emulation.platform.allocator().inUse());
            }
        });
        emulation.cpu.run(null);

        emulation.process.exit(emulation.cpu);

        assertThat(log).containsExactly("RELEASE 0 true frames=2", "release frames=2", "UNMAP 0 true frames=2");
        assertThat(emulation.platform.allocator().inUse()).isZero();
        // Removing an interval subscription of a dead address space is fine (R15).
        emulation.space.notifiers().remove(emulation.cpu, subscription);
    }

    @ParameterizedTest
    @ValueSource(strings = {"V3", "V9", "K514", "K612", "K615"})
    void shouldLeaveNothingOfAnyKindOfPage(final String profile) {
        final Emulation other = new Emulation(SemanticProfile.byName(profile));
        other.mapWritten(0, 4); // exclusive
        other.map(10, 2, READ_WRITE);
        other.load(10); // zero page
        other.mapWritten(20, 2);
        other.protect(20, 2, READ);
        other.mapWritten(1L << 27, 1);
        final Process child = other.fork(); // shared
        other.store(0, 7); // copied
        final MirrorHandle device = other.open(0);
        assertThat(device.exclusive(other.cpu, BASE, 4, DeviceBuffer.ofArray(new byte[4 * 4096]))
                        .errno())
                .isEqualTo(Errno.OK);
        other.assertSound();

        child.exit(other.cpu);
        other.assertNothingIsLeft();
    }

    @Test
    void shouldTearDownAnEmptySpace() {
        emulation.assertNothingIsLeft();
        assertThat(emulation.space.isAlive()).isFalse();
        assertThat(emulation.space.notifiers().snapshot(emulation.cpu).released())
                .isTrue();
    }

    /** I25: a device that outlives the process maps nothing of it, and its requests fail. */
    @Test
    void shouldLeaveDevicesWithoutMappings() {
        emulation.mapWritten(0, 2);
        final MirrorHandle device = emulation.machine.newMirrorDevice(0).open(emulation.cpu, emulation.space);
        device.exclusive(emulation.cpu, BASE, 2, DeviceBuffer.ofArray(new byte[2 * 4096]));
        emulation.cpu.run(null);

        emulation.process.exit(emulation.cpu);

        assertThat(device.table().nextValid(0, device.table().pageLimit()))
                .isEqualTo(device.table().pageLimit());
        assertThat(emulation.platform.allocator().inUse()).isZero();
        final DeviceBuffer buffer = DeviceBuffer.ofArray(new byte[4096]);
        assertThat(device.exclusive(emulation.cpu, BASE, 1, buffer).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device.read(emulation.cpu, BASE, 1, buffer).errno()).isEqualTo(Errno.EFAULT);
        assertThat(device.snapshot(emulation.cpu, BASE, 1, buffer).errno()).isEqualTo(Errno.EINVAL);
        device.close(emulation.cpu);
        assertThat(emulation.platform.tables().inUse()).isZero();
    }
}
