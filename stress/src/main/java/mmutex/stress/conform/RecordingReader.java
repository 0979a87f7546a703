package mmutex.stress.conform;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import mmutex.cli.UsageProblem;

/**
 * Reads recordings: files of one JSON object per line, plain or gzip-compressed. Whatever is wrong with a file is a
 * {@link UsageProblem} that names file, line and, where there is one, step.
 */
final class RecordingReader {
    private static final ObjectReader JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .reader();

    private static final int GZIP_FIRST = 0x1f;
    private static final int GZIP_SECOND = 0x8b;

    private RecordingReader() {}

    /** Reads a file that the user named. */
    static List<Scenario> read(final String file) {
        final Path path = path(file);
        if (!Files.exists(path)) {
            throw new UsageProblem(file + ": no such file");
        }
        if (Files.isDirectory(path)) {
            throw new UsageProblem(file + ": is a directory, not a recording");
        }
        try (InputStream in = Files.newInputStream(path)) {
            return read(file, in);
        } catch (final IOException e) {
            throw new UsageProblem(file + ": can't be read: " + e.getMessage());
        }
    }

    private static Path path(final String file) {
        try {
            return Path.of(file);
        } catch (final InvalidPathException e) {
            throw new UsageProblem(file + ": no such file");
        }
    }

    /**
     * Reads a stream to its end.
     *
     * @param file its name in messages
     */
    static List<Scenario> read(final String file, final InputStream in) throws IOException {
        final List<Scenario> scenarios = new ArrayList<>();
        long line = 0;
        try (InputStream content = unpacked(in)) {
            for (byte[] text = nextLine(content); text != null; text = nextLine(content)) {
                line++;
                if (!isBlank(text)) {
                    scenarios.add(scenario(file, line, text));
                }
            }
        } catch (final EOFException | ZipException e) {
            throw UsageProblem.inFile(file, line + 1, "the compressed file is damaged or truncated: " + e.getMessage());
        }
        if (scenarios.isEmpty()) {
            throw new UsageProblem(file + ": has no scenario in it");
        }
        return scenarios;
    }

    private static InputStream unpacked(final InputStream in) throws IOException {
        final BufferedInputStream buffered = new BufferedInputStream(in);
        buffered.mark(2);
        final boolean packed = buffered.read() == GZIP_FIRST && buffered.read() == GZIP_SECOND;
        buffered.reset();
        return packed ? new BufferedInputStream(new GZIPInputStream(buffered)) : buffered;
    }

    /** The bytes up to the next line feed; null at the end. */
    private static byte[] nextLine(final InputStream in) throws IOException {
        final ByteArrayOutputStream line = new ByteArrayOutputStream();
        int next = in.read();
        if (next < 0) {
            return null;
        }
        while (next >= 0 && next != '\n') {
            line.write(next);
            next = in.read();
        }
        return line.toByteArray();
    }

    private static boolean isBlank(final byte[] line) {
        for (final byte character : line) {
            if (character != ' ' && character != '\t' && character != '\r') {
                return false;
            }
        }
        return true;
    }

    private static Scenario scenario(final String file, final long line, final byte[] text) throws IOException {
        try {
            return ScenarioReader.read(file, line, JSON.readTree(text));
        } catch (final BadRecording problem) {
            throw UsageProblem.inFile(file, line, problem.getMessage());
        } catch (final JsonEOFException e) {
            throw UsageProblem.inFile(file, line, "truncated: the JSON ends in mid-object");
        } catch (final JsonProcessingException e) {
            final String where = e.getLocation() == null
                    ? ""
                    : " at column " + e.getLocation().getColumnNr();
            throw UsageProblem.inFile(file, line, "malformed JSON" + where + ": " + e.getOriginalMessage());
        }
    }
}
