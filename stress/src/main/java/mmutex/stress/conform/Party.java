package mmutex.stress.conform;

import java.util.ArrayList;
import java.util.List;
import mmutex.device.MirrorHandle;
import mmutex.machine.Cpu;
import mmutex.machine.Pipe;
import mmutex.machine.Process;

/**
 * A process of a scenario: its memory, the CPU on which its one thread runs, and its file descriptors of devices, by
 * handle number; a closed one is null.
 */
final class Party {
    private final Process process;
    private final Cpu cpu;
    private final List<OpenFile> files;
    private final Pipe pipe = new Pipe();

    Party(final Process process, final Cpu cpu, final List<OpenFile> files) {
        this.process = process;
        this.cpu = cpu;
        this.files = new ArrayList<>(files);
        cpu.run(process);
    }

    Process process() {
        return process;
    }

    /** Its thread: the CPU that runs it. */
    Cpu cpu() {
        return cpu;
    }

    /** The pipe that it opened before anything happened. */
    Pipe pipe() {
        return pipe;
    }

    /** A handle; null if it has been closed. */
    MirrorHandle handle(final int number) {
        final OpenFile file = files.get(number);
        return file == null ? null : file.handle();
    }

    /** Gives it handles, numbered as they come. */
    void addHandles(final OpenFile... opened) {
        files.addAll(List.of(opened));
    }

    /** Closes its descriptor of a handle; false if it is closed. */
    boolean close(final int number) {
        final OpenFile file = files.set(number, null);
        if (file != null) {
            file.close(cpu);
        }
        return file != null;
    }

    /** Opens a file in the place of a handle. */
    void open(final int number, final OpenFile file) {
        close(number);
        files.set(number, file);
    }

    /** Descriptors for a forked child. */
    List<OpenFile> inheritFiles() {
        final List<OpenFile> inherited = new ArrayList<>();
        for (final OpenFile file : files) {
            inherited.add(file == null ? null : file.inherit());
        }
        return inherited;
    }

    /** Its end, in the kernel's order: the memory goes first, then the files. */
    void exit() {
        cpu.run(null);
        process.exit(cpu);
        pipe.close();
        for (int number = 0; number < files.size(); number++) {
            close(number);
        }
    }
}
