/**
 * What others do to mappings meanwhile, one class per verb: map, unmap and discard, protect, fork, truncate, tear down,
 * move to a device and back ({@link mmutex.change.DeviceMigration}).
 *
 * <p>Each takes the locks, sends the events and keeps the counts of its kernel counterpart; exclusive entries are
 * handled as the semantic profile says. Results are {@link mmutex.mm.Errno} values.
 */
package mmutex.change;
