package mmutex.bench.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import mmutex.bench.run.workload.CpuProgram;
import mmutex.bench.run.workload.DeviceProgram;
import mmutex.bench.run.workload.Scene;
import mmutex.bench.run.workload.Stage;
import mmutex.bench.run.workload.Verdict;
import mmutex.bench.run.workload.Workload;
import mmutex.cli.Environment;
import mmutex.machine.Cpu;
import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;
import mmutex.notify.Protocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExperimentTest {
    private static final int OPERATIONS = 3000;
    private static final int PROGRAMS = 2 + 2 * 4;

    @ParameterizedTest
    @CsvSource({
        "svm-counters, RING, K612",
        "svm-counters, INLINE, K612",
        "svm-counters, RING, K615",
        "svm-neighbours, RING, K612",
        "svm-neighbours, INLINE, K615",
        "svm-ops, RING, K612",
        "svm-ops, INLINE, K612",
        "duel, RING, K612",
        "duel, INLINE, K615",
        "svm-storm, RING, K612",
        "svm-storm, INLINE, K615"
    })
    void shouldLoseNothing(final String workload, final Delivery delivery, final String profile) {
        final RunResult result =
                Runs.run(Runs.options(Runs.workload(workload), delivery, SemanticProfile.byName(profile), OPERATIONS));

        assertThat(result.invariants().violations()).isEmpty();
        assertThat(result.verdict().lost()).isZero();
        assertThat(result.isGood()).isTrue();
        assertThat(result.operations()).isEqualTo((long) PROGRAMS * OPERATIONS);
    }

    @Test
    void shouldExpectEveryOperationOfTheCounters() {
        final RunResult result =
                Runs.run(Runs.options(Runs.workload("svm-counters"), Delivery.RING, SemanticProfile.K612, OPERATIONS));

        assertThat(result.verdict().expected()).isEqualTo((long) PROGRAMS * OPERATIONS);
        assertThat(result.verdict().counts()).hasSize(2 * 8);
    }

    @Test
    void shouldMeasureBothPathsAndTheirPhases() {
        final RunResult result =
                Runs.run(Runs.options(Runs.workload("svm-counters"), Delivery.RING, SemanticProfile.K612, OPERATIONS));

        final long makes = result.make().total().getTotalCount();
        assertThat(makes).isPositive();
        assertThat(result.make().phases().values()).hasSize(5).allMatch(phase -> phase.getTotalCount() == makes);
        final long restores = result.restore().total().getTotalCount();
        assertThat(result.restore().phases().values()).hasSize(5).allMatch(phase -> phase.getTotalCount() == restores);
        assertThat(result.actors().stream().mapToLong(RunResult.Actor::paths).sum())
                .isEqualTo(restores + makes);
        assertThat(result.shootDowns()).isPositive();
    }

    /** CO-3: in at least one of 20 runs. */
    @Test
    void shouldSeeTheUpdatesThatPlainMappingsLose() {
        final RunOptions options =
                Runs.options(Runs.workload("svm-plain"), Delivery.RING, SemanticProfile.K612, 100_000);
        boolean lost = false;
        for (int run = 0; run < 20 && !lost; run++) {
            final RunResult result = Runs.run(options);
            lost = result.verdict().lost() != 0;
            assertThat(result.verdict().found())
                    .isLessThanOrEqualTo(result.verdict().expected());
            assertThat(result.isGood()).isEqualTo(lost);
            assertThat(result.make().total().getTotalCount()).isZero();
        }

        assertThat(lost).isTrue();
    }

    @Test
    void shouldRunWithoutDevices() {
        final RunOptions options = new RunOptions(
                Runs.workload("svm-ops"),
                3,
                0,
                1,
                1,
                600,
                Runs.SEED,
                SemanticProfile.K612,
                Delivery.RING,
                Protocol.INTERVAL,
                false,
                OPERATIONS);

        final RunResult result = Runs.run(options);

        assertThat(result.isGood()).isTrue();
        assertThat(result.restore().total().getTotalCount()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"2, RING, HMM_MIRROR", "3, INLINE, RANGE_NOTIFIER", "8, INLINE, INTERVAL", "4, RING, INTERVAL"})
    void shouldLetDevicesFightWithoutCpus(final int devices, final Delivery delivery, final Protocol protocol) {
        final long each = 200;
        final RunOptions options = new RunOptions(
                Runs.workload("duel"),
                0,
                devices,
                2,
                1,
                600,
                Runs.SEED,
                SemanticProfile.K612,
                delivery,
                protocol,
                false,
                each);

        final RunResult result = Runs.run(options);

        assertThat(result.isGood()).isTrue();
        assertThat(result.verdict().found()).isEqualTo(2 * devices * each);
        assertThat(result.devices()).hasSize(devices).allSatisfy(device -> {
            assertThat(device.operations()).isEqualTo(2 * each);
            assertThat(device.paths()).isPositive();
            assertThat(device.waits().longestNs()).isPositive();
            assertThat(device.waits().totalNs())
                    .isGreaterThanOrEqualTo(device.waits().longestNs());
        });
        assertThat(Fairness.jain(result.devices(), RunResult.Actor::operations)).isEqualTo(1);
    }

    @Test
    void shouldEndEarlyWhenStopped() throws InterruptedException {
        final StopSignal stop = new StopSignal();
        final RunOptions options =
                Runs.options(Runs.workload("svm-counters"), Delivery.RING, SemanticProfile.K612, Long.MAX_VALUE);

        final RunResult result = new Experiment(
                        options, stop, LatencyLog.none(), (fraction, elapsedNs, restores, operations) -> stop.set())
                .run("stopped", Environment.current());

        assertThat(result.isGood()).isTrue();
    }

    @Test
    void shouldStopTheRunWhenAnActorFails() {
        final RunOptions options = Runs.options(new Failing(), Delivery.RING, SemanticProfile.K612, Long.MAX_VALUE);

        assertThatThrownBy(() -> Runs.run(options))
                .isInstanceOf(ActorFailure.class)
                .hasMessage("cpu1: java.lang.IllegalStateException: step=10")
                .hasCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldStopTheRunWhenAnActorCannotBegin() {
        final RunOptions options = Runs.options(
                new Failing() {
                    @Override
                    public CpuProgram cpuProgram(final int cpu) {
                        throw new IllegalStateException("no program: cpu=" + cpu);
                    }
                },
                Delivery.RING,
                SemanticProfile.K612,
                Long.MAX_VALUE);

        assertThatThrownBy(() -> Runs.run(options))
                .isInstanceOf(ActorFailure.class)
                .hasMessageContaining("no program");
    }

    /** The counters, but CPU 1 fails after ten steps. */
    static class Failing implements Workload, Scene {
        private Scene counters;

        @Override
        public String name() {
            return "failing";
        }

        @Override
        public String summary() {
            return "fails";
        }

        @Override
        public Scene prepare(final Stage stage) {
            counters = Runs.workload("svm-counters").prepare(stage);
            return this;
        }

        @Override
        public CpuProgram cpuProgram(final int number) {
            final CpuProgram program = counters.cpuProgram(number);
            final int[] steps = new int[1];
            return cpu -> {
                if (number == 1 && ++steps[0] == 10) {
                    throw new IllegalStateException("step=10");
                }
                program.step(cpu);
            };
        }

        @Override
        public DeviceProgram deviceProgram(final int device, final int lane) {
            return counters.deviceProgram(device, lane);
        }

        @Override
        public Verdict verdict(final Cpu cpu) {
            return counters.verdict(cpu);
        }
    }
}
