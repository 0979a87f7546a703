package mmutex.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplacedFileTest {
    @TempDir
    private Path folder;

    @Test
    void shouldReplaceAFileOnlyWhenTheNewOneIsWhole() throws IOException {
        final Path target = Files.writeString(folder.resolve("results.json"), "old");

        try (ReplacedFile file = ReplacedFile.open("--save", target)) {
            assertThat(target).hasContent("old");
            file.write("new");
            assertThat(target).hasContent("new");
        }
        assertThat(folder).isDirectoryNotContaining(path -> !path.equals(target));
    }

    @Test
    void shouldLeaveNothingBehindWhenNothingWasWritten() throws IOException {
        final Path target = Files.writeString(folder.resolve("results.json"), "old");

        try (ReplacedFile file = ReplacedFile.open("--save", target)) {
            assertThat(file).isNotNull();
        }
        assertThat(target).hasContent("old");
        assertThat(folder).isDirectoryNotContaining(path -> !path.equals(target));
    }

    @Test
    void shouldRefuseBeforehandWhatCannotBeWritten() {
        assertThatThrownBy(() -> ReplacedFile.open("--save", folder.resolve("none/results.json")))
                .isInstanceOf(UsageProblem.class)
                .hasMessage(
                        "--save " + folder.resolve("none/results.json") + ": cannot be written (no such directory)");
        assertThatThrownBy(() -> ReplacedFile.open("--save", folder))
                .isInstanceOf(UsageProblem.class)
                .hasMessage("--save " + folder + ": is a directory");
    }
}
