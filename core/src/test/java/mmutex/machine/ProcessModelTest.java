package mmutex.machine;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.SvmDevice;
import mmutex.fault.Signal;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.sync.HangGuard;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random system calls, accesses and device requests of several processes against a model that knows what each page of
 * each process must contain; all counts are checked on the way, and nothing may be left at the end. One thread, so that a
 * seed says everything.
 */
@HangGuard
class ProcessModelTest {
    private static final int PAGES = 24;
    private static final int PROCESSES_MAX = 4;
    private static final int STEPS = 900;
    private static final long UNMAPPED = -1;
    private static final long[] PROTECTIONS = {READ_WRITE, READ_WRITE, READ, 0};

    private static Stream<Arguments> runs() {
        // Plenty of frames, and so few that they run out.
        return SemanticProfile.ALL.stream()
                .flatMap(profile -> Stream.of(300, 48)
                        .flatMap(frames ->
                                Stream.of(1L, 2L).map(seed -> Arguments.of(profile, frames, seed + 1000L * frames))));
    }

    /** A process and what its pages must be. */
    private static final class Model {
        private final Process process;
        private final long[] protection = new long[PAGES];
        private final long[] value = new long[PAGES];

        private Model(final Process process) {
            this.process = process;
            Arrays.fill(protection, UNMAPPED);
        }

        private Model copy(final Process child) {
            final Model copy = new Model(child);
            System.arraycopy(protection, 0, copy.protection, 0, PAGES);
            System.arraycopy(value, 0, copy.value, 0, PAGES);
            return copy;
        }

        private boolean isUniformly(final int first, final int end, final boolean mapped) {
            for (int page = first; page < end; page++) {
                if (protection[page] != UNMAPPED != mapped) {
                    return false;
                }
            }
            return true;
        }
    }

    private Emulation emulation;
    private Cpu cpu;
    private SplittableRandom random;
    private List<Model> models;
    private MirrorHandle mirror;
    private SvmDevice device;
    private String where;

    @ParameterizedTest
    @MethodSource("runs")
    void shouldDoWhatAModelDoes(final SemanticProfile profile, final int frames, final long seed) {
        emulation = new Emulation(new MachineSpec(profile, "x86-64", Delivery.INLINE, 1, frames, 128, 4));
        cpu = emulation.cpu;
        random = new SplittableRandom(seed);
        models = new ArrayList<>(List.of(new Model(emulation.process)));
        mirror = emulation.open(0);
        device = emulation.machine.newDevice(cpu, emulation.process, 1, () -> 0);
        for (int step = 0; step < STEPS; step++) {
            where = "profile=" + profile + ", frames=" + frames + ", seed=" + seed + ", step=" + step;
            step();
            if (step % 50 == 49) {
                emulation.assertSound();
            }
        }
        for (final Model model : models) {
            checkAll(model);
        }
        while (models.size() > 1) {
            models.remove(1).process.exit(cpu);
        }
        cpu.run(emulation.process);
        emulation.machine.removeDevice(cpu, device);
        emulation.assertNothingIsLeft();
    }

    private void step() {
        final Model model = models.get(random.nextInt(models.size()));
        cpu.run(model.process);
        final int first = random.nextInt(PAGES);
        final int end = first + 1 + random.nextInt(Math.min(6, PAGES - first));
        final int choice = random.nextInt(100);
        if (choice < 12) {
            map(model, first, end);
        } else if (choice < 16) {
            unmap(model, first, end);
        } else if (choice < 24) {
            protect(model, first, end);
        } else if (choice < 30) {
            discard(model, first, end);
        } else if (choice < 34) {
            fork(model);
        } else if (choice < 37) {
            exit();
        } else if (choice < 62) {
            store(model, first);
        } else if (choice < 82) {
            check(model, first);
        } else {
            useDevice(first, end);
        }
    }

    private void map(final Model model, final int first, final int end) {
        final boolean free = model.isUniformly(first, end, false);
        final long protection = PROTECTIONS[random.nextInt(PROTECTIONS.length)];
        assertThat(model.process.mmap(cpu, addr(first), (end - first) * PAGE, protection))
                .as(where)
                .isEqualTo(free ? Errno.OK : Errno.EEXIST);
        if (free) {
            Arrays.fill(model.protection, first, end, protection);
            Arrays.fill(model.value, first, end, 0);
        }
    }

    private void unmap(final Model model, final int first, final int end) {
        assertThat(model.process.munmap(cpu, addr(first), (end - first) * PAGE)).isEqualTo(Errno.OK);
        Arrays.fill(model.protection, first, end, UNMAPPED);
    }

    private void protect(final Model model, final int first, final int end) {
        final long protection = PROTECTIONS[random.nextInt(PROTECTIONS.length)];
        int changed = first;
        while (changed < end && model.protection[changed] != UNMAPPED) {
            changed++;
        }
        assertThat(model.process.mprotect(cpu, addr(first), (end - first) * PAGE, protection))
                .as(where)
                .isEqualTo(changed == end ? Errno.OK : Errno.ENOMEM);
        Arrays.fill(model.protection, first, changed, protection);
    }

    private void discard(final Model model, final int first, final int end) {
        final boolean whole = model.isUniformly(first, end, true);
        assertThat(model.process.madvise(cpu, addr(first), (end - first) * PAGE, Advice.DONTNEED))
                .as(where)
                .isEqualTo(whole ? Errno.OK : Errno.ENOMEM);
        Arrays.fill(model.value, first, end, 0);
    }

    private void fork(final Model model) {
        if (models.size() < PROCESSES_MAX) {
            final Process.Forked forked = model.process.fork(cpu);
            assertThat(forked.errno()).as(where).isEqualTo(Errno.OK);
            models.add(model.copy(forked.child()));
        }
    }

    private void exit() {
        if (models.size() > 1) {
            final Model gone = models.remove(1 + random.nextInt(models.size() - 1));
            cpu.run(null);
            gone.process.exit(cpu);
        }
    }

    private void store(final Model model, final int page) {
        final long value = 1 + random.nextLong(1_000_000);
        final Signal signal = cpu.storeLong(addr(page) + 8, value);
        if (model.protection[page] == UNMAPPED) {
            assertThat(signal).as(where).isEqualTo(Signal.SEGV_MAPERR);
        } else if (model.protection[page] != READ_WRITE) {
            assertThat(signal).as(where).isEqualTo(Signal.SEGV_ACCERR);
        } else if (signal != Signal.OUT_OF_MEMORY) {
            assertThat(signal).as(where).isEqualTo(Signal.NONE);
            model.value[page] = value;
        }
    }

    private void check(final Model model, final int page) {
        final Signal signal = cpu.loadLong(addr(page) + 8);
        if (model.protection[page] == UNMAPPED) {
            assertThat(signal).as(where).isEqualTo(Signal.SEGV_MAPERR);
        } else if (model.protection[page] == 0) {
            assertThat(signal).as(where).isEqualTo(Signal.SEGV_ACCERR);
        } else {
            assertThat(signal).as(where).isEqualTo(Signal.NONE);
            assertThat(cpu.value()).as("%s, page=%d", where, page).isEqualTo(model.value[page]);
        }
    }

    private void checkAll(final Model model) {
        cpu.run(model.process);
        for (int page = 0; page < PAGES; page++) {
            check(model, page);
        }
    }

    /** Devices belong to the first process. */
    private void useDevice(final int first, final int end) {
        final Model model = models.get(0);
        cpu.run(model.process);
        final byte[] bytes = new byte[(int) ((end - first) * PAGE)];
        switch (random.nextInt(4)) {
            case 0:
                mirror.exclusive(cpu, addr(first), end - first, DeviceBuffer.ofArray(bytes));
                break;
            case 1:
                final Errno read = mirror.read(cpu, addr(first), end - first, DeviceBuffer.ofArray(bytes))
                        .errno();
                if (read == Errno.OK) {
                    for (int page = first; page < end; page++) {
                        assertThat(word(bytes, page - first)).as(where).isEqualTo(model.value[page]);
                    }
                }
                break;
            case 2:
                deviceWrite(model, first, bytes);
                break;
            default:
                final DeviceAccess access = DeviceAccess.values()[random.nextInt(4)];
                final Errno resolved = device.driver().resolve(device.worker(), addr(first), access);
                if (model.protection[first] == READ_WRITE
                        && emulation.platform.allocator().inUse() < 40) {
                    assertThat(resolved).as(where).isEqualTo(Errno.OK);
                }
                break;
        }
    }

    private void deviceWrite(final Model model, final int page, final byte[] bytes) {
        final long value = 1 + random.nextLong(1_000_000);
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putLong(8, value);
        final Errno written =
                mirror.write(cpu, addr(page), 1, DeviceBuffer.ofArray(bytes)).errno();
        if (model.protection[page] != READ_WRITE) {
            assertThat(written).as(where).isNotEqualTo(Errno.OK);
        } else if (written == Errno.OK) {
            model.value[page] = value;
        }
    }

    private static long word(final byte[] bytes, final int page) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong((int) (page * PAGE + 8));
    }
}
