package mmutex.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import mmutex.machine.Emulation;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link DeviceOperation}, {@link DeviceAccess}, {@link DeviceBuffer} and {@link FaultQueue}: the small ones. */
class DeviceOperationTest {
    @ParameterizedTest
    @CsvSource({
        "ADD, 5, 3, 0, 8",
        "ADD, 9223372036854775807, 1, 0, -9223372036854775808",
        "EXCHANGE, 5, 3, 5, 3",
        "MAX, 5, 3, 0, 5",
        "MAX, -5, 3, 0, 3",
        "COMPARE_EXCHANGE, 5, 3, 5, 3",
        "COMPARE_EXCHANGE, 5, 3, 4, 5"
    })
    void shouldComputeTheNewValue(
            final DeviceOperation operation,
            final long old,
            final long operand,
            final long comparand,
            final long expected) {
        assertThat(operation.apply(old, operand, comparand)).isEqualTo(expected);
    }

    @Test
    void shouldNeedMoreRightsForStrongerAccess() {
        final long atomic = DeviceAccess.ATOMIC.needs();
        final long write = DeviceAccess.WRITE.needs();
        final long read = DeviceAccess.READ.needs();

        assertThat(DevicePte.has(atomic, write)).isTrue();
        assertThat(DevicePte.has(write, read)).isTrue();
        assertThat(DevicePte.has(write, atomic)).isFalse();
        assertThat(DevicePte.has(read, write)).isFalse();
        assertThat(Arrays.stream(DeviceAccess.values()).map(DeviceAccess::ordinal))
                .as("numbers of nouveau's fault buffer")
                .containsExactly(0, 1, 2, 3);
        assertThat(DeviceAccess.PREFETCH.ordinal()).isEqualTo(3);
    }

    @Test
    void shouldCopyToAndFromAnArray() {
        final byte[] array = {1, 2, 3};
        final byte[] target = new byte[2];
        final Task task = new Task(1, "t");

        assertThat(DeviceBuffer.ofArray(array).copyIn(task, target, 2)).isEqualTo(Errno.OK);
        assertThat(target).containsExactly(1, 2);
        assertThat(DeviceBuffer.ofArray(array).copyOut(task, new byte[] {9}, 1)).isEqualTo(Errno.OK);
        assertThat(array).containsExactly(9, 2, 3);
        assertThat(DeviceBuffer.unmapped().copyIn(task, target, 1)).isEqualTo(Errno.EFAULT);
        assertThat(DeviceBuffer.unmapped().copyOut(task, target, 1)).isEqualTo(Errno.EFAULT);
    }

    @Test
    void shouldQueueFaultsInOrder() {
        final FaultQueue queue = new FaultQueue(2);
        final DeviceFault first = new DeviceFault(null);
        final DeviceFault second = new DeviceFault(null);
        assertThat(queue.isEmpty()).isTrue();
        assertThat(queue.poll()).isNull();

        queue.put(first);
        queue.put(second);

        assertThat(queue.isEmpty()).isFalse();
        assertThat(queue.poll()).isSameAs(first);
        assertThat(queue.poll()).isSameAs(second);
        assertThat(queue.poll()).isNull();
    }

    @Test
    void shouldRefuseAFaultWhenFull() {
        final Emulation emulation = new Emulation();
        final SvmDevice device = emulation.machine.newDevice(emulation.cpu, emulation.process, 2, () -> 0);
        final FaultQueue queue = new FaultQueue(2);
        final DeviceFault fault = new DeviceFault(device.lanes().get(1));
        assertThat(queue.put(fault)).isTrue();
        assertThat(queue.put(fault)).isTrue();

        assertThat(queue.put(fault)).isFalse();

        assertThat(queue.poll()).isSameAs(fault);
        assertThat(queue.put(fault)).isTrue();
    }
}
