/**
 * The workloads of {@code mmutex run}, a file each.
 *
 * <p>A {@link mmutex.bench.run.workload.Workload} has a name and makes a {@link mmutex.bench.run.workload.Scene}: mapped
 * memory, a program for every CPU and every lane, and an oracle. Programs keep a record of what they did in memory of
 * their own; the oracle, when all have ended, compares the records with what the emulated memory holds. The runner knows
 * nothing of counters, and a workload nothing of threads, clocks or histograms.
 *
 * <p>To add one: implement {@code Workload} and {@code Scene}, name it in {@link mmutex.bench.run.workload.Workloads}.
 */
package mmutex.bench.run.workload;
