package mmutex.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that appears whole or not at all: written beside its place under another name, then renamed. Opened before the
 * work that it will describe, so that a place that can't be written is found out first. Used by one thread.
 */
public final class ReplacedFile implements AutoCloseable {
    private final String option;
    private final Path target;
    private final Path temporary;

    private ReplacedFile(final String option, final Path target, final Path temporary) {
        this.option = option;
        this.target = target;
        this.temporary = temporary;
    }

    /**
     * Makes sure that {@code target} can be written, and leaves what is there alone for now.
     *
     * @param option by which the user named the file, for messages
     * @throws UsageProblem if it can't
     */
    public static ReplacedFile open(final String option, final Path target) {
        if (Files.isDirectory(target)) {
            throw problem(option, target, "is a directory");
        }
        final Path name = target.getFileName();
        if (name == null) {
            throw problem(option, target, "is no file name");
        }
        final Path temporary =
                target.resolveSibling("." + name + "." + ProcessHandle.current().pid() + ".tmp");
        try {
            Files.write(temporary, new byte[0], StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (final IOException e) {
            throw problem(option, target, "cannot be written (" + reason(e) + ")");
        }
        return new ReplacedFile(option, target, temporary);
    }

    /** Puts the file, with this content, in its place. */
    public void write(final String content) {
        try {
            Files.writeString(temporary, content, StandardCharsets.UTF_8);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (final IOException e) {
            throw problem(option, target, "cannot be written (" + reason(e) + ")");
        }
    }

    /** Removes what was not put in place. */
    @Override
    public void close() {
        try {
            Files.deleteIfExists(temporary);
        } catch (final IOException e) {
            throw problem(option, temporary, "cannot be removed (" + reason(e) + ")");
        }
    }

    private static UsageProblem problem(final String option, final Path file, final String what) {
        return new UsageProblem(option + " " + file + ": " + what);
    }

    private static String reason(final IOException e) {
        if (e instanceof NoSuchFileException) {
            return "no such directory";
        }
        return e instanceof AccessDeniedException ? "permission denied" : String.valueOf(e.getMessage());
    }
}
