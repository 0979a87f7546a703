package mmutex.stress.conform;

import static mmutex.stress.conform.Lines.recorded;
import static mmutex.stress.conform.Lines.replay;
import static mmutex.stress.conform.Lines.scenario;
import static mmutex.stress.conform.Lines.step;
import static org.assertj.core.api.Assertions.assertThat;

import mmutex.stress.conform.Verdict.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReplayerTest {
    private static final String MMAP = mmap(2);
    private static final String FILE =
            "'at':'%s','n':1,'kind':'tmpfs_file_shared','prot':'rw','file_page_k_holds':'700+k'";
    private static final String WRITE = step(1, "cpu_write", "'at':'A','val':7", "");

    private static String mmap(final int pages) {
        return step(0, "mmap", "'at':'A','n':" + pages + ",'kind':'anon_private','prot':'rw'", "");
    }

    @Test
    void shouldPassWhatAgrees() {
        final Verdict verdict = replay(
                MMAP,
                WRITE,
                step(2, "exclusive", "'dev':0,'at':'A','n':1", ",'cpages':1,'faults':0,'data':[7]"),
                step(3, "cpu_fetch_add", "'at':'A','val':3", ",'val':7,'minflt':1"),
                step(4, "cpu_read", "'at':'A'", ",'val':10,'minflt':0,'pm':{'A':{'0':'PXD#5m1','1':'D'}}"));

        assertThat(verdict.status()).isEqualTo(Status.PASS);
    }

    @Test
    void shouldStopAtTheFirstDifference() {
        final Verdict verdict =
                replay(MMAP, WRITE, step(2, "cpu_read", "'at':'A'", ",'val':8"), step(3, "clear_refs", "'val':4", ""));

        assertThat(verdict.status()).isEqualTo(Status.FAIL);
        assertThat(verdict.difference()).isEqualTo(new Difference(2, "val", 8L, 7L));
    }

    @Test
    void shouldStopAtWhatIsNotEmulated() {
        final Verdict verdict = replay(MMAP, step(1, "clear_refs", "'val':1", ""), step(2, "look", "", ",'minflt':99"));

        assertThat(verdict.status()).isEqualTo(Status.UNSUPPORTED);
        assertThat(verdict.reason()).isEqualTo("clear_refs 1");
        assertThat(verdict.step().number()).isEqualTo(1);
    }

    @Test
    void shouldNameTheArgumentThatIsNotEmulated() {
        assertThat(replay(MMAP, step(1, "futex_wait", "'at':'A','expect':0,'timeout_ns':0,'private':false", ""))
                        .reason())
                .isEqualTo("futex_wait on a shared futex");
        assertThat(replay(MMAP, step(1, "cpu_read", "'at':'0x1001'", "")).reason())
                .isEqualTo("misaligned cpu_read");
        assertThat(replay(step(0, "mmap", FILE.formatted('A'), ""), step(1, "ftruncate", "'size':100", ""))
                        .reason())
                .isEqualTo("ftruncate within a page");
        assertThat(replay(step(0, "mmap", FILE.formatted('A'), ""), step(1, "mmap", FILE.formatted('B'), ""))
                        .reason())
                .isEqualTo("mmap of a second file");
        assertThat(replay(step(0, "mmap", "'at':'A','n':65537,'kind':'tmpfs_file_shared','prot':'rw'", ""))
                        .reason())
                .isEqualTo("mmap of a file larger than memory");
        assertThat(replay(MMAP, step(1, "procmem_read", "'at':'A','len':65537", ""))
                        .reason())
                .isEqualTo("procmem_read of more than 64 KiB");
    }

    @Test
    void shouldMapHugePagesOnlyWhereOneFits() {
        final String advice = step(1, "madvise", "'at':'A','n':%d,'advice':'HUGEPAGE'", "");
        final String touch = step(2, "cpu_write", "'at':'A+7','val':1", ",'rss':{'anon':%d,'file':0,'shmem':0}");

        assertThat(replay(mmap(511), advice.formatted(511), touch.formatted(1)).status())
                .isEqualTo(Status.PASS);
        assertThat(replay(mmap(512), advice.formatted(512), touch.formatted(512))
                        .status())
                .isEqualTo(Status.PASS);
        assertThat(replay(mmap(512), advice.formatted(512), touch.formatted(1)).status())
                .isEqualTo(Status.FAIL);
        assertThat(replay(mmap(512), advice.formatted(256), touch.formatted(1)).status())
                .isEqualTo(Status.PASS);
    }

    @Test
    void shouldPerformSetupStepsWithoutComparing() {
        final Verdict verdict = replay(
                MMAP,
                "{'who':'p','op':'fill','args':{'at':'A','n':2,'val':7},'setup':true}",
                step(1, "cpu_read", "'at':'A+1'", ",'val':8,'minflt':0"));

        assertThat(verdict.status()).isEqualTo(Status.PASS);
    }

    @Test
    void shouldFailIfASetupStepDoes() {
        final Verdict verdict = replay("{'who':'p','op':'fill','args':{'at':'A','n':1,'val':7},'setup':true}");

        assertThat(verdict.difference()).isEqualTo(new Difference(0, "setup", "performed", "EFAULT"));
    }

    @Test
    void shouldLetAChildActOnItsParentThroughAnInheritedHandle() {
        final Verdict verdict = replay(
                MMAP,
                WRITE,
                step(2, "fork", "'child':'c'", ",'pm':{'A':{'0':'PD#1m2'}}"),
                recorded(3, "c", "child_start", "", "'ret':0,'rss':{'anon':1,'file':0,'shmem':0}"),
                recorded(4, "c", "dev_write", "'dev':0,'at':'A','n':1,'val':9", "'ret':0,'cpages':1,'faults':1"),
                recorded(5, "c", "cpu_read", "'at':'A'", "'ret':0,'val':7"),
                step(6, "cpu_read", "'at':'A'", ",'val':9,'pm':{'A':{'0':'PXD#2m1'}}"),
                recorded(7, "c", "reopen", "'dev':0,'device':1", "'ret':0"),
                recorded(8, "c", "dev_write", "'dev':0,'at':'A','n':1,'val':11", "'ret':0"),
                recorded(9, "c", "cpu_read", "'at':'A'", "'ret':0,'val':11"),
                recorded(10, "c", "exit", "", "'ret':0"),
                step(11, "wait_child", "", ",'status':0"),
                step(12, "dev_read", "'dev':0,'at':'A','n':1", ",'data':[9],'faults':0"));

        assertThat(verdict).extracting(Verdict::status, Verdict::difference).containsExactly(Status.PASS, null);
    }

    @Test
    void shouldKeepAHandleOpenWhileAnyProcessHasIt() {
        final Verdict verdict = replay(
                MMAP,
                WRITE,
                step(2, "exclusive", "'dev':1,'at':'A+1','n':1", ""),
                step(3, "madvise", "'at':'A','n':2,'advice':'DONTFORK'", ""),
                step(4, "fork", "'child':'c'", ""),
                step(5, "close_device", "'dev':1", ""),
                recorded(6, "p", "check_exclusive", "'dev':1,'at':'A','n':2", "'ret':-1,'errno':'EBADF'"),
                recorded(7, "c", "check_exclusive", "'dev':1,'at':'A','n':2", "'ret':-1,'errno':'EPERM'"));

        assertThat(verdict).extracting(Verdict::status, Verdict::difference).containsExactly(Status.PASS, null);
    }

    @ParameterizedTest
    @CsvSource({
        "A+0.5, 1, EINVAL",
        "A, 0, EINVAL",
        "0xfffffffffffff000, 1, EINVAL",
        "A, 4503599627370496, EINVAL",
        "null, 1, EBUSY",
        "0x7fffffffffffe000, 2, EBUSY",
        "0xffff800000000000, 1, EBUSY"
    })
    void shouldTakeAnyAddress(final String at, final String pages, final String errno) {
        final String arguments = "'dev':0,'at':'" + at + "','n':" + pages;
        final String failed = "'ret':-1,'errno':'%s'";
        final String readError = errno.equals("EBUSY") ? "EFAULT" : errno;

        assertThat(replay(
                        MMAP,
                        recorded(1, "p", "exclusive", arguments, failed.formatted(errno)),
                        recorded(2, "p", "dev_read", arguments, failed.formatted(readError)),
                        recorded(3, "p", "dev_write", arguments + ",'val':1", failed.formatted(readError))))
                .extracting(Verdict::status, Verdict::difference)
                .containsExactly(Status.PASS, null);
    }

    @Test
    void shouldShowTheStepsAroundADifferenceWhenAsked() {
        final Scenario failing = Lines.read(scenario("x", MMAP, WRITE, step(2, "look", "", ",'pm':{'A':{'0':'D'}}")))
                .get(0);

        assertThat(new Replayer(true).replay(failing).trace())
                .anyMatch(line -> line.contains("cpu_write at=A val=7"))
                .anyMatch(line -> line.contains("recorded ret=0 A.0=D"))
                .anyMatch(line -> line.contains("emulated ret=0 A.0=PXD#?m1"));
        assertThat(new Replayer(false).replay(failing).trace()).isEmpty();
    }
}
