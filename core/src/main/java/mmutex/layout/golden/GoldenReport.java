package mmutex.layout.golden;

import java.util.List;

/**
 * What a check of one file did. A report without mismatches proves something only together with its counts.
 *
 * @param file the file
 * @param rows rows read
 * @param checks cells compared
 * @param notApplicable constants that describe what {@link mmutex.layout.PteEncoding} has no notion of
 * @param mismatches cells that differ, in order
 */
public record GoldenReport(
        String file, int rows, int checks, List<String> notApplicable, List<GoldenMismatch> mismatches) {}
