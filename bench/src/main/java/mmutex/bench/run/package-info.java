/**
 * {@code mmutex run}: one experiment with real threads, measured and judged.
 *
 * <p>{@link mmutex.bench.run.RunCommand} turns options into a {@code RunOptions}; {@code Experiment} builds the machine
 * and gives every actor a thread ({@code CpuActor}, {@code DeviceActor}, {@code DisturbanceActor}, {@code RefereeActor});
 * {@code PathProbe} stamps the phases of the two measured paths into a {@code PathRecorder} of the actor's own; the result
 * goes to {@code TextReport} or {@code JsonReport}. What the actors do is in {@link mmutex.bench.run.workload}.
 *
 * <p>While actors run nothing is allocated per operation, no lock is shared among them that is not the emulation's, and
 * the clock is read once in 64 operations and at the marks of the measured paths.
 */
package mmutex.bench.run;
