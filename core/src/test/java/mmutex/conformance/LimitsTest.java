package mmutex.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mmutex.check.InvariantChecker;
import mmutex.device.DeviceAccess;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.notify.Delivery;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The sizes that the emulator promises: 8 CPUs, 8 devices, 64 address spaces, 1 TiB each, frames as memory allows. */
@Timeout(60)
class LimitsTest {
    private static final long RW = VmFlags.READ | VmFlags.WRITE;
    private static final long TIB = 1L << 40;

    @Test
    void shouldRunEightCpusAndEightDevicesOnOneProcess() {
        final Machine machine = new Machine(
                MachineSpec.defaults().withCpus(8).withDelivery(Delivery.INLINE).withFrames(1024));
        final Process process = machine.newProcess();
        final Cpu cpu = machine.cpu(0);
        for (int i = 0; i < 8; i++) {
            machine.cpu(i).run(process);
        }
        process.mmap(cpu, TIB, 8 * 4096, RW);
        final List<SvmDevice> devices = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            devices.add(machine.newDevice(cpu, process, 1, System::nanoTime));
        }
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 8; i++) {
                final SvmDevice device = devices.get(i);
                final long addr = TIB + 4096L * ((i + round) % 8);
                assertThat(device.driver().resolve(device.worker(), addr, DeviceAccess.ATOMIC))
                        .isEqualTo(Errno.OK);
            }
            new InvariantChecker(machine).atQuiescence(cpu).orThrow();
            for (int i = 0; i < 8; i++) {
                assertThat(machine.cpu(i).fetchAddLong(TIB + 4096L * i, 1)).isEqualTo(Signal.NONE);
            }
        }
        devices.forEach(device -> machine.removeDevice(cpu, device));
        new InvariantChecker(machine).atQuiescence(cpu).orThrow();
    }

    @Test
    void shouldKeepSixtyFourAddressSpacesApart() {
        final Machine machine = new Machine(MachineSpec.defaults().withFrames(1024));
        final Cpu cpu = machine.cpu(0);
        final List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            final Process process = machine.newProcess();
            processes.add(process);
            cpu.run(process);
            process.mmap(cpu, TIB, 4096, RW);
            cpu.storeLong(TIB, i);
        }
        for (int i = 0; i < 64; i++) {
            cpu.run(processes.get(i));
            cpu.loadLong(TIB);
            assertThat(cpu.value()).isEqualTo(i);
        }
        cpu.run(null);
        new InvariantChecker(machine).atQuiescence(cpu).orThrow();
        processes.forEach(process -> process.exit(cpu));
        assertThat(machine.platform().allocator().inUse()).isZero();
        assertThat(machine.platform().tables().inUse()).isZero();
    }

    @Test
    void shouldMapOneTebibyteSparsely() {
        final Machine machine = new Machine(MachineSpec.defaults().withFrames(4096));
        final Process process = machine.newProcess();
        final Cpu cpu = machine.cpu(0);
        cpu.run(process);
        assertThat(process.mmap(cpu, TIB, TIB, RW)).isEqualTo(Errno.OK);
        final long step = TIB / 1024;
        for (long addr = TIB; addr < 2 * TIB; addr += step) {
            assertThat(cpu.storeLong(addr, addr)).isEqualTo(Signal.NONE);
        }
        for (long addr = TIB; addr < 2 * TIB; addr += step) {
            cpu.loadLong(addr);
            assertThat(cpu.value()).isEqualTo(addr);
        }
        new InvariantChecker(machine).atQuiescence(cpu).orThrow();
        assertThat(process.munmap(cpu, TIB, TIB)).isEqualTo(Errno.OK);
        assertThat(machine.platform().allocator().inUse()).isZero();
        assertThat(machine.platform().tables().inUse()).isEqualTo(1); // the root
    }

    @Test
    void shouldReportExhaustedFramesAsOutOfMemory() {
        final Machine machine =
                new Machine(MachineSpec.defaults().withDelivery(Delivery.INLINE).withFrames(18));
        final Process process = machine.newProcess();
        final Cpu cpu = machine.cpu(0);
        cpu.run(process);
        process.mmap(cpu, TIB, 64 * 4096, RW);
        for (int page = 0; page < 16; page++) {
            assertThat(cpu.storeLong(TIB + page * 4096L, 1)).isEqualTo(Signal.NONE);
        }
        assertThat(cpu.storeLong(TIB + 16 * 4096L, 1)).isEqualTo(Signal.OUT_OF_MEMORY);
        final SvmDevice device = machine.newDevice(cpu, process, 1, System::nanoTime);
        assertThat(device.driver().resolve(device.worker(), TIB + 16 * 4096L, DeviceAccess.ATOMIC))
                .isEqualTo(Errno.EINVAL);
        new InvariantChecker(machine).atQuiescence(cpu).orThrow();
        // Pages that are there still work, and a freed frame can be used again.
        assertThat(device.driver().resolve(device.worker(), TIB, DeviceAccess.ATOMIC))
                .isEqualTo(Errno.OK);
        process.munmap(cpu, TIB + 4096, 4096);
        assertThat(cpu.storeLong(TIB + 16 * 4096L, 1)).isEqualTo(Signal.NONE);
        device.worker().stop();
        machine.removeDevice(cpu, device);
        new InvariantChecker(machine).atQuiescence(cpu).orThrow();
    }
}
