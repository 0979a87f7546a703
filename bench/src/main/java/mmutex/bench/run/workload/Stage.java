package mmutex.bench.run.workload;

import java.util.SplittableRandom;
import mmutex.layout.VmFlags;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.Task;

/**
 * What a workload is given to set itself up.
 *
 * @param process whose memory is shared
 * @param task makes the system calls of the set-up
 * @param cpus CPUs that will run programs
 * @param devices devices that will
 * @param pages as asked for by the user
 * @param seed decides every choice
 */
public record Stage(Process process, Task task, int cpus, int devices, int pages, long seed) {
    /** Where workloads map their memory. */
    static final long BASE = 0x1000_0000_0000L;

    private static final int LANES_MAX = 1 << 20;

    /** Bytes in a page. */
    long pageSize() {
        return process.space().pageSize();
    }

    /** Maps private anonymous memory, readable and writable. */
    void map(final long addr, final long pageCount) {
        final Errno errno = process.mmap(task, addr, pageCount * pageSize(), VmFlags.READ | VmFlags.WRITE);
        if (errno != Errno.OK) {
            throw new IllegalStateException("mmap failed: errno=" + errno + ", pages=" + pageCount);
        }
    }

    /** The choices of a CPU: the same for the same seed, whatever others do. */
    SplittableRandom cpuChoices(final int cpu) {
        return new SplittableRandom(mix(seed) ^ mix(cpu + 1L));
    }

    /** The choices of a lane. */
    SplittableRandom laneChoices(final int device, final int lane) {
        return new SplittableRandom(mix(seed) ^ mix((device + 1L) * LANES_MAX + lane));
    }

    /** The finalizer of MurmurHash3: neighbouring inputs give unrelated outputs. */
    static long mix(final long value) {
        long h = value;
        h = (h ^ h >>> 33) * 0xff51afd7ed558ccdL;
        h = (h ^ h >>> 33) * 0xc4ceb9fe1a85ec53L;
        return h ^ h >>> 33;
    }
}
