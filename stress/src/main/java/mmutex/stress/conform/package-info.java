/**
 * {@code ./mmutex conform}: scenarios recorded on a real kernel, replayed on the emulator and compared step by step.
 *
 * <pre>
 *   file line -> RecordingReader -> Scenario, Step       validated whole before anything is replayed
 *   Scenario  -> Replayer -> World (a fresh machine)     an Action per operation, in its table Actions
 *   each step -> StepComparator -> Difference            results, fault counts, memory counts, watched pages
 *   Verdict   -> TextReport, JsonReport
 * </pre>
 *
 * A scenario passes, fails at its first difference, or is unsupported: it reaches an operation that the emulator lacks,
 * and nothing differed before. That is decided by operations and arguments alone; names and tags mean nothing here. The
 * format is described in {@code docs/conformance.md}.
 *
 * <p>One thread reads, replays and reports.
 */
package mmutex.stress.conform;
