package mmutex.stress.conform;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mmutex.stress.conform.Verdict.Status;

/** Verdicts for machines: one JSON object per scenario, and a summary last. Fields that say nothing are null. */
final class JsonReport {
    private static final ObjectWriter JSON = JsonMapper.builder().build().writer();

    private JsonReport() {}

    static void print(final PrintStream out, final List<Verdict> verdicts) throws JsonProcessingException {
        final StringBuilder lines = new StringBuilder();
        for (final Verdict verdict : verdicts) {
            lines.append(JSON.writeValueAsString(line(verdict))).append('\n');
        }
        final Map<String, Object> counts = new LinkedHashMap<>();
        for (final Status status : List.of(Status.PASS, Status.FAIL, Status.UNSUPPORTED)) {
            counts.put(
                    status.toString(),
                    verdicts.stream().filter(v -> v.status() == status).count());
        }
        out.print(
                lines.append(JSON.writeValueAsString(Map.of("summary", counts))).append('\n'));
        out.flush();
    }

    private static Map<String, Object> line(final Verdict verdict) {
        final Difference difference = verdict.difference();
        final Map<String, Object> line = new LinkedHashMap<>();
        line.put("scenario", verdict.scenario().name());
        line.put("status", verdict.status().toString());
        line.put("step", verdict.step() == null ? null : verdict.step().number());
        line.put("field", difference == null ? null : difference.field());
        line.put("expected", difference == null ? null : difference.expected());
        line.put("actual", difference == null ? null : difference.actual());
        line.put("reason", verdict.reason() == null ? null : "not emulated: " + verdict.reason());
        line.put("file", verdict.scenario().file());
        line.put("line", verdict.scenario().line());
        return line;
    }
}
