/**
 * What happened, as fixed-size records in a memory-mapped file: written while it happens by any number of threads, read
 * afterwards by another program. The only package that uses Chronicle Bytes.
 *
 * <p>A {@link mmutex.journal.NotificationJournal} subscribed to an address space records every notification of it:
 *
 * <pre>{@code
 * try (Journal journal = Journal.create(file, 1 << 20)) {
 *     process.space().register(cpu, new NotificationJournal(journal, process.space().id()));
 *     ...
 * }
 * try (JournalReader reader = JournalReader.open(file)) {
 *     reader.forEach(record -> ...);
 * }
 * }</pre>
 *
 * Nothing in core writes a journal by itself, so one that is not there costs nothing.
 */
package mmutex.journal;
