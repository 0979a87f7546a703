/**
 * Golden values: page-table entries computed by the kernel's own headers, and their comparison with an encoding.
 *
 * <p>{@link mmutex.layout.golden.GoldenVectors} reads a file, {@link mmutex.layout.golden.GoldenChecker} checks its rows
 * against a {@link mmutex.layout.PteEncoding}, {@link mmutex.layout.golden.GoldenConstants} does so for the constants of
 * a target; both return a {@link mmutex.layout.golden.GoldenReport}. Nothing here prints or opens files: tests and the
 * command that verifies encodings bring a reader.
 *
 * <p>A row is an operation ({@code op}), its inputs ({@code in_*}) and its results. {@code raw} is the resulting entry,
 * every other result is an accessor applied to {@code raw}. An empty cell means that the kernel defines no such result
 * for this kind of entry. Kernel names are kept as they are in the files; the two classes that translate them are
 * {@code GoldenOperation} (operations) and {@code GoldenChecker} (results).
 *
 * <p>The rule that makes a pass mean something: whatever is not understood (operation, flag, column, constant) is an
 * exception, and every report counts what it compared.
 */
package mmutex.layout.golden;
