package mmutex;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noCodeUnits;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaConstructorCall;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.lang.invoke.VarHandle;
import java.nio.Buffer;
import java.util.Date;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.Timer;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mmutex.machine.Machine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What core promises to be: layers in one line, no threads, no output, one place for buffers and one for waiting. */
class ArchitectureTest {
    /** Each package imports only those before it. */
    private static final List<String> LINE = List.of(
            "layout",
            "seam",
            "memory",
            "sync",
            "notify",
            "mm",
            "fault",
            "remote",
            "exclusive",
            "change",
            "hmm",
            "device",
            "machine",
            "check",
            "journal");

    /** All that was compiled with the machine, which is core's main code. */
    private static final JavaClasses CORE = new ClassFileImporter()
            .importUrl(Machine.class.getProtectionDomain().getCodeSource().getLocation());

    private static Stream<String> line() {
        return LINE.stream();
    }

    private static String in(final String name) {
        return "mmutex." + name + "..";
    }

    private static DescribedPredicate<JavaClass> outsideOf(final String... names) {
        return DescribedPredicate.not(
                resideInAnyPackage(Stream.of(names).map(ArchitectureTest::in).toArray(String[]::new)));
    }

    // ---- layers
    // -------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("line")
    void shouldImportOnlyPackagesBeforeItInTheLine(final String name) {
        final String[] later = LINE.subList(LINE.indexOf(name) + 1, LINE.size()).stream()
                .map(ArchitectureTest::in)
                .toArray(String[]::new);

        noClasses()
                .that()
                .resideInAPackage(in(name))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(later)
                .allowEmptyShould(true)
                .check(CORE);
    }

    @Test
    void shouldHaveEveryPackageInTheLine() {
        final Set<String> packages =
                CORE.stream().map(type -> type.getPackageName().split("\\.")[1]).collect(Collectors.toSet());

        assertThat(LINE).containsAll(packages);
        assertThat(packages).hasSizeGreaterThanOrEqualTo(12); // the importer has found them
    }

    @Test
    void shouldHaveNoCycles() {
        slices().matching("mmutex.(*)..").should().beFreeOfCycles().check(CORE);
    }

    @Test
    void shouldDependOnNothingButTheJdkAgronaAndJcTools() {
        classes()
                .that(outsideOf("journal"))
                .should()
                .onlyDependOnClassesThat(
                        resideInAnyPackage("", "java..", "mmutex..", "org.agrona..", "org.jctools.queues.atomic.."))
                .check(CORE);
        classes()
                .that()
                .resideInAPackage(in("journal"))
                .should()
                .onlyDependOnClassesThat(
                        resideInAnyPackage("", "java..", "mmutex..", "org.agrona..", "net.openhft.chronicle.bytes.."))
                .allowEmptyShould(true)
                .check(CORE);
    }

    // ---- what core never does
    // -----------------------------------------------------------------------------------------

    @Test
    void shouldNeverPrintOrLog() {
        NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(CORE);
        NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING.check(CORE);
        noClasses()
                .should()
                .dependOnClassesThat(resideInAnyPackage("org.slf4j..", "java.util.logging.."))
                .orShould()
                .dependOnClassesThat(assignableTo(System.Logger.class))
                .check(CORE);
    }

    @Test
    void shouldNeverMakeThreads() {
        noClasses()
                .should()
                .callConstructorWhere(made(
                        "makes a thread",
                        type -> type.isAssignableTo(Thread.class) || type.isAssignableTo(Timer.class)))
                .orShould()
                .beAssignableTo(Thread.class)
                .orShould()
                .dependOnClassesThat(assignableTo(Executor.class))
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.concurrent.Executors")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.concurrent.CompletableFuture")
                .check(CORE);
    }

    /** An actor is passed, never looked up. */
    @Test
    void shouldNeverLookUpThreadLocals() {
        noClasses()
                .should()
                .dependOnClassesThat(assignableTo(ThreadLocal.class))
                .check(CORE);
    }

    /** Clocks and chance are passed in. */
    @Test
    void shouldNeverReadAWallClockOrRollDice() {
        noClasses()
                .should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .dependOnClassesThat(resideInAnyPackage("java.time.."))
                .orShould()
                .dependOnClassesThat(assignableTo(Date.class))
                .orShould()
                .dependOnClassesThat(assignableTo(Random.class))
                .orShould()
                .dependOnClassesThat(assignableTo(SplittableRandom.class))
                .orShould()
                .callMethod(Math.class, "random")
                .check(CORE);
    }

    /** The one look at a clock decides nothing but how to wait. */
    @Test
    void shouldReadTheMonotonicClockOnlyToWait() {
        noClasses()
                .that(outsideOf("sync"))
                .should()
                .callMethod(System.class, "nanoTime")
                .check(CORE);
    }

    @Test
    void shouldNeverEndTheProcess() {
        noClasses()
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .dependOnClassesThat(assignableTo(Runtime.class))
                .check(CORE);
    }

    // ---- one place each
    // -----------------------------------------------------------------------------------------------

    @Test
    void shouldTouchBuffersOnlyInMemoryAndJournal() {
        noClasses()
                .that(outsideOf("memory", "journal"))
                .should()
                .dependOnClassesThat(assignableTo(Buffer.class))
                .orShould()
                .dependOnClassesThat(resideInAPackage("org.agrona.."))
                .check(CORE);
    }

    /** The seam stands in for it where a scheduler could be installed but is not. */
    @Test
    void shouldSpinYieldAndParkOnlyInSync() {
        noClasses()
                .that(outsideOf("sync"))
                .should()
                .dependOnClassesThat(assignableTo(LockSupport.class))
                .orShould()
                .dependOnClassesThat(assignableTo(Lock.class))
                .check(CORE);
        noClasses()
                .that(outsideOf("sync", "seam"))
                .should()
                .accessTargetWhere(call("waits through Thread", Thread.class, "yield", "onSpinWait", "sleep", "join"))
                .check(CORE);
        noClasses()
                .should()
                .accessTargetWhere(call("sleeps", Thread.class, "sleep", "join"))
                .orShould()
                .accessTargetWhere(call("uses a monitor", Object.class, "wait", "notify", "notifyAll"))
                .check(CORE);
        noCodeUnits().should().haveModifier(JavaModifier.SYNCHRONIZED).check(CORE);
    }

    @Test
    void shouldFenceOnlyInSync() {
        noClasses()
                .that(outsideOf("sync"))
                .should()
                .accessTargetWhere(call(
                        "fences",
                        VarHandle.class,
                        "fullFence",
                        "acquireFence",
                        "releaseFence",
                        "loadLoadFence",
                        "storeStoreFence"))
                .check(CORE);
    }

    private static DescribedPredicate<JavaAccess<?>> call(
            final String what, final Class<?> owner, final String... names) {
        final Set<String> wanted = Set.of(names);
        return DescribedPredicate.describe(
                what, access -> access.getTargetOwner().isEquivalentTo(owner) && wanted.contains(access.getName()));
    }

    private static DescribedPredicate<JavaConstructorCall> made(final String what, final Predicate<JavaClass> owner) {
        return DescribedPredicate.describe(what, call -> owner.test(call.getTargetOwner()));
    }
}
