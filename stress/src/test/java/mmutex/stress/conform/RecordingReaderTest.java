package mmutex.stress.conform;

import static mmutex.stress.conform.Lines.recorded;
import static mmutex.stress.conform.Lines.scenario;
import static mmutex.stress.conform.Lines.step;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import mmutex.cli.UsageProblem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RecordingReaderTest {
    private static final String MMAP = step(0, "mmap", "'at':'A','n':2,'kind':'anon_private','prot':'rw'", "");

    @Test
    void shouldReadAScenario() {
        final Scenario scenario = Lines.read(scenario(
                        "one",
                        MMAP,
                        "{'who':'p','op':'fill','args':{'at':'A+1','n':1,'val':7},'setup':true}",
                        step(1, "cpu_read", "'at':'A+1'", ",'val':7,'minflt':0,'pm':{'A':{'1':'PXD#1m1'}}")))
                .get(0);

        assertThat(scenario.name()).isEqualTo("one");
        assertThat(scenario.profile().name()).isEqualTo("K612");
        assertThat(scenario.line()).isEqualTo(1);
        assertThat(scenario.steps()).extracting(Step::number).containsExactly(0L, 1L, 1L);
        assertThat(scenario.steps()).extracting(Step::setup).containsExactly(false, true, false);
        final Step read = scenario.steps().get(2);
        assertThat(read.at()).isEqualTo(0x1000_0000_1000L);
        assertThat(read.results()).containsEntry("val", 7L).containsEntry("minflt", 0L);
        assertThat(read.pages().get(0).field()).isEqualTo("pm.A.1");
    }

    @Test
    void shouldReadPlainAndCompressedFilesAlike() throws IOException {
        final byte[] plain = scenario("one", MMAP).replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        final ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(plain);
        }

        assertThat(read(packed.toByteArray())).isEqualTo(read(plain));
    }

    @Test
    void shouldSkipBlankLines() {
        assertThat(Lines.read("", scenario("one", MMAP), "  ", scenario("two", MMAP), ""))
                .extracting(Scenario::line)
                .containsExactly(2L, 4L);
    }

    @Test
    void shouldReadCountsOfPagesUpTo64Bits() {
        final Step huge = Lines.read(
                        scenario("huge", step(0, "munmap", "'at':'0xfffffffffffff000','n':18446744073709551615", "")))
                .get(0)
                .steps()
                .get(0);

        assertThat(huge.at()).isEqualTo(-4096);
        assertThat(huge.number("n")).isEqualTo(-1);
        assertThat(huge.length()).isEqualTo(-4096);
    }

    static List<Arguments> brokenSteps() {
        return List.of(
                arguments("step 1: 'n' must not be negative or above 2^64 - 1, was -3", "munmap", "'at':'A','n':-3"),
                arguments("step 1: 'n' must be an integer, was 1.5", "munmap", "'at':'A','n':1.5"),
                arguments("step 1: 'n' must be an integer, was \"2\"", "munmap", "'at':'A','n':'2'"),
                arguments("step 1: 'n' is missing", "munmap", "'at':'A'"),
                arguments("step 1: unknown operation 'mseal'", "mseal", "'at':'A'"),
                arguments("step 1: unknown field 'colour' in 'args'", "munmap", "'at':'A','n':1,'colour':1"),
                arguments("step 1: 'at' must be an address such as \"A+2\"", "munmap", "'at':'C+1','n':1"),
                arguments("step 1: 'at' must be a string, was 5", "munmap", "'at':5,'n':1"),
                arguments("step 1: 'prot' must be one of none, r, w, rw, rwx", "mprotect", "'at':'A','n':1,'prot':'x'"),
                arguments("step 1: 'kind' must be one of", "mmap", "'at':'A','n':1,'prot':'r','kind':'gold'"),
                arguments("step 1: 'advice' must be one of", "madvise", "'at':'A','n':1,'advice':'GOOD'"),
                arguments("step 1: 'dev' must be 0 to 1, was 2", "snapshot", "'dev':2,'at':'A','n':1"),
                arguments(
                        "step 1: 'val' must be 0 to 4294967295, was 4294967296",
                        "cpu_write",
                        "'at':'A','val':4294967296"),
                arguments("step 1: 'at' is missing", "exclusive", "'dev':0,'n':1"),
                arguments("step 1: 'block' must be one of unmapped", "exclusive", "'dev':0,'block':'A'"),
                arguments("step 1: unknown field 'at' in 'args'", "exclusive", "'dev':0,'at':'A','block':'unmapped'"),
                arguments("step 1: 'child' must be one of c, g", "fork", "'child':'x'"),
                arguments("step 1: drop_caches must be a setup step", "drop_caches", ""),
                arguments("step 1: process p can't exit", "exit", ""),
                results("step 1: unknown field 'colour' in a step", "'ret':0,'colour':1"),
                results("step 1: unknown field 'perm' in a step", "'ret':0,'perm':['0x00']"),
                results("step 1: 'ret' is missing", "'minflt':0"),
                results("step 1: 'ret' must be an integer", "'ret':'0'"),
                results("step 1: 'errno' must be an errno such as EBUSY, was \"busy\"", "'ret':-1,'errno':'busy'"),
                results("step 1: 'sig' must be a signal such as SIGSEGV", "'ret':-1,'sig':'11'"),
                results("step 1: 'minflt' must be at least 0, was -1", "'ret':0,'minflt':-1"),
                results("step 1: 'val' must be 0 to 4294967295, was -1", "'ret':0,'val':-1"),
                results("step 1: 'rss' must be an object", "'ret':0,'rss':1"),
                results("step 1: 'shmem' is missing", "'ret':0,'rss':{'anon':1,'file':0}"),
                results(
                        "step 1: unknown field 'swap' in 'rss'",
                        "'ret':0,'rss':{'anon':1,'file':0,'shmem':0,'swap':0}"),
                results("step 1: unknown field 'C' in 'pm'", "'ret':0,'pm':{'C':{}}"),
                results("step 1: 'pm.A' must have page numbers for keys, had \"x\"", "'ret':0,'pm':{'A':{'x':''}}"),
                results("step 1: 'pm.A.0' must be a page state such as", "'ret':0,'pm':{'A':{'0':'DP'}}"),
                results("step 1: 'pm.A.0' must be a string, was 1", "'ret':0,'pm':{'A':{'0':1}}"));
    }

    private static Arguments arguments(final String message, final String operation, final String arguments) {
        return Arguments.of(message, step(1, operation, arguments, ""));
    }

    private static Arguments results(final String message, final String results) {
        return Arguments.of(message, recorded(1, "p", "cpu_read", "'at':'A'", results));
    }

    @ParameterizedTest
    @MethodSource("brokenSteps")
    void shouldNameFileLineAndStepOfWhatIsWrong(final String message, final String broken) {
        assertThatThrownBy(() -> Lines.read(scenario("good", MMAP), scenario("bad", MMAP, broken)))
                .isInstanceOf(UsageProblem.class)
                .hasMessageStartingWith("test.jsonl line 2: " + message);
    }

    static List<Arguments> brokenOrders() {
        return List.of(
                Arguments.of("step 1: 'i' must be 1, was 2", new String[] {MMAP, step(2, "look", "", "")}),
                Arguments.of("step 0: 'i' must be 0, was 1", new String[] {step(1, "look", "", "")}),
                Arguments.of(
                        "step 0: process c does not exist", new String[] {recorded(0, "c", "look", "", "'ret':0")}),
                Arguments.of(
                        "step 0: 'who' must be one of p, c, g", new String[] {recorded(0, "x", "look", "", "'ret':0")}),
                Arguments.of(
                        "step 1: process c exists already",
                        new String[] {step(0, "fork", "'child':'c'", ""), step(1, "fork", "'child':'c'", "")}),
                Arguments.of("step 2: process c does not exist", new String[] {
                    step(0, "fork", "'child':'c'", ""),
                    recorded(1, "c", "exit", "", "'ret':0"),
                    recorded(2, "c", "look", "", "'ret':0")
                }),
                Arguments.of(
                        "setup step before step 1: unknown operation 'knit'",
                        new String[] {MMAP, "{'who':'p','op':'knit','args':{},'setup':true}"}),
                Arguments.of(
                        "setup step before step 0: 'setup' must be true, was false",
                        new String[] {"{'who':'p','op':'look','args':{},'setup':false}"}),
                Arguments.of(
                        "setup step before step 0: unknown field 'ret' in a step",
                        new String[] {"{'who':'p','op':'look','args':{},'ret':0,'setup':true}"}),
                Arguments.of("step 0: a step must be an object", new String[] {"7"}));
    }

    @ParameterizedTest
    @MethodSource("brokenOrders")
    void shouldCheckTheOrderOfStepsAndProcesses(final String message, final String... steps) {
        assertThatThrownBy(() -> Lines.read(scenario("bad", steps)))
                .hasMessageStartingWith("test.jsonl line 1: " + message);
    }

    static List<Arguments> brokenLines() {
        return List.of(
                Arguments.of("malformed JSON at column 1: ", "steps: none"),
                Arguments.of("malformed JSON at column 13: ", "{'name':'x',,}"),
                Arguments.of("malformed JSON", "{'name':'x','name':'y'}"),
                Arguments.of("malformed JSON", scenario("x") + " {}"),
                Arguments.of("truncated: the JSON ends in mid-object", "{'name':'x','prof"),
                Arguments.of("truncated: the JSON ends in mid-object", "{'name':'x','profile':"),
                Arguments.of("a scenario must be an object", "[]"),
                Arguments.of("'profile' is missing", "{'name':'x','steps':[]}"),
                Arguments.of("unknown profile 'K999', known: ", "{'name':'x','profile':'K999','steps':[]}"),
                Arguments.of("'name' must be a string, was 1", "{'name':1,'profile':'K612','steps':[]}"),
                Arguments.of("'steps' must be an array", "{'name':'x','profile':'K612','steps':{}}"),
                Arguments.of("'tags' must be an array", "{'name':'x','profile':'K612','tags':1,'steps':[]}"),
                Arguments.of(
                        "unknown field 'color' in a scenario", "{'name':'x','profile':'K612','steps':[],'color':1}"));
    }

    @ParameterizedTest
    @MethodSource("brokenLines")
    void shouldReportALineThatIsNoScenario(final String message, final String line) {
        assertThatThrownBy(() -> Lines.read(line)).hasMessageStartingWith("test.jsonl line 1: " + message);
    }

    @Test
    void shouldReportATruncatedCompressedFile() throws IOException {
        final ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(scenario("one", MMAP).replace('\'', '"').getBytes(StandardCharsets.UTF_8));
        }
        final byte[] truncated = Arrays.copyOf(packed.toByteArray(), packed.size() - 6);

        assertThatThrownBy(() -> read(truncated)).hasMessageContaining("the compressed file is damaged or truncated");
    }

    @Test
    void shouldReportAFileWithoutScenarios() {
        assertThatThrownBy(() -> Lines.read("")).hasMessage("test.jsonl: has no scenario in it");
    }

    @Test
    void shouldReportAFileThatIsNotThere(@TempDir final Path folder) throws IOException {
        final String missing = folder.resolve("missing.jsonl").toString();

        assertThatThrownBy(() -> RecordingReader.read(missing)).hasMessage(missing + ": no such file");
        assertThatThrownBy(() -> RecordingReader.read(folder.toString()))
                .hasMessage(folder + ": is a directory, not a recording");
        assertThat(Files.list(folder)).isEmpty();
    }

    private static List<Scenario> read(final byte[] bytes) throws IOException {
        return RecordingReader.read(Lines.FILE, new ByteArrayInputStream(bytes));
    }
}
