package mmutex.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import mmutex.journal.JournalReader.JournalRecord;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
    @TempDir
    private Path folder;

    @Test
    void shouldReadBackWhatManyThreadsWrote() throws Exception {
        final Path file = folder.resolve("journal");
        final int perThread = 500;
        try (Journal journal = Journal.create(file, 4 * perThread)) {
            final List<Thread> threads = new ArrayList<>();
            for (int t = 1; t <= 4; t++) {
                final int actor = t;
                threads.add(new Thread(() -> {
                    for (int i = 0; i < perThread; i++) {
                        journal.append(actor, i, actor * 10L, i, -i);
                    }
                }));
            }
            threads.forEach(Thread::start);
            for (final Thread thread : threads) {
                thread.join();
            }
            assertThat(journal.size()).isEqualTo(4 * perThread);
        }
        final Set<String> seen = new HashSet<>();
        try (JournalReader reader = JournalReader.open(file)) {
            assertThat(reader.forEach(r -> {
                        assertThat(r.subject()).isEqualTo(r.actor() * 10L);
                        assertThat(r.first()).isEqualTo(r.kind());
                        assertThat(r.second()).isEqualTo(-r.kind());
                        seen.add(r.actor() + "/" + r.kind());
                    }))
                    .isEqualTo(4 * perThread);
            assertThat(reader.dropped()).isZero();
        }
        assertThat(seen).hasSize(4 * perThread);
    }

    @Test
    void shouldDropAndCountWhatDoesNotFit() throws IOException {
        final Path file = folder.resolve("small");
        try (Journal journal = Journal.create(file, 2)) {
            assertThat(journal.append(1, 1, 1, 1, 1)).isTrue();
            assertThat(journal.append(1, 2, 1, 1, 1)).isTrue();
            assertThat(journal.append(1, 3, 1, 1, 1)).isFalse();
            assertThat(journal.dropped()).isEqualTo(1);
        }
        try (JournalReader reader = JournalReader.open(file)) {
            assertThat(reader.forEach(r -> {})).isEqualTo(2);
            assertThat(reader.dropped()).isEqualTo(1);
        }
    }

    @Test
    void shouldRefuseWhatIsNotAJournal() throws IOException {
        final Path file = folder.resolve("text");
        Files.writeString(file, "x".repeat(200));
        assertThatThrownBy(() -> JournalReader.open(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not a journal");
        assertThatThrownBy(() -> Journal.create(file, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldRecordTheNotificationsOfAnAddressSpace() throws IOException {
        final Path file = folder.resolve("notifications");
        final Machine machine = new Machine(MachineSpec.defaults().withFrames(64));
        final Process process = machine.newProcess();
        final Cpu cpu = machine.cpu(0);
        cpu.run(process);
        try (Journal journal = Journal.create(file, 16)) {
            process.space()
                    .register(
                            cpu,
                            new NotificationJournal(journal, process.space().id()));
            process.mmap(cpu, 0x10000, 4096, VmFlags.READ | VmFlags.WRITE);
            cpu.storeLong(0x10000, 1);
            process.munmap(cpu, 0x10000, 4096);
        }
        final List<JournalRecord> records = new ArrayList<>();
        try (JournalReader reader = JournalReader.open(file)) {
            reader.forEach(records::add);
        }
        assertThat(records).hasSize(2);
        assertThat(NotificationJournal.event(records.get(0).kind())).isEqualTo(NotifierEvent.UNMAP);
        assertThat(NotificationJournal.isStart(records.get(0).kind())).isTrue();
        assertThat(NotificationJournal.isStart(records.get(1).kind())).isFalse();
        assertThat(records.get(0).first()).isEqualTo(0x10000);
        assertThat(records.get(0).second()).isEqualTo(0x11000);
    }
}
